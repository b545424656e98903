"""The error that a user can do something about."""


class UniemError(Exception):
    """Report what went wrong, naming both sides, and what to do about it.

    Parameters
    ----------
    message : str
        What is wrong, with the names, sizes or paths of both sides.
    hint : str
        What the user can do.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()
