"""What is asked of a worker: an operation, how to do it, and on what."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from uniem.data.location import is_web_address
from uniem.errors import UniemError

if TYPE_CHECKING:
    from uniem.operations.operation import Operation
    from uniem.operations.parameters import Parameters


class JobRequest(BaseModel):
    """Name an operation, its parameters as JSON values, and the locations it reads and writes."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    operation: str = Field(description="Id of the operation, as in `uniem list`.")
    version: int = Field(
        1, ge=1, description="Version of the operation that the parameters were written for."
    )
    parameters: dict[str, Any] = Field(
        default_factory=dict, description="Parameters that differ from the default."
    )
    inputs: dict[str, str] = Field(default_factory=dict, description="Location of each input.")
    outputs: dict[str, str] = Field(default_factory=dict, description="Location of each output.")
    overwrite: bool = Field(False, description="Whether outputs may replace what is there.")

    @staticmethod
    def read(path: Path | str) -> JobRequest:
        """Read a request from a JSON file."""
        try:
            return JobRequest.model_validate_json(Path(path).read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise UniemError(f"There is no request {path}.", "Check the path.") from error
        except OSError as error:
            raise UniemError(
                f"Cannot read the request {path}: {error.strerror}.", "Check the path."
            ) from error
        except UnicodeDecodeError as error:
            raise UniemError(f"The request {path} is not a text file.", "Name a JSON file.") from error
        except ValidationError as error:
            raise UniemError(
                f"{path} is not a request: {_first_fault(error)}.", "Correct the file."
            ) from error

    def write(self, path: Path | str) -> None:
        """Write the request as a JSON file, in one move."""
        path = Path(path)
        part = path.with_name(f".{path.name}.part")
        part.write_text(self.model_dump_json(indent=1) + "\n", encoding="utf-8")
        part.replace(path)

    def located(self) -> JobRequest:
        """Return the request with absolute locations, so that it means the same in any folder."""
        return self.model_copy(
            update={
                "inputs": {name: absolute_location(text) for name, text in self.inputs.items()},
                "outputs": {name: absolute_location(text) for name, text in self.outputs.items()},
            }
        )


def resolve(request: JobRequest) -> tuple[Operation, Parameters]:
    """Return the operation and its validated parameters; raise if the request cannot be understood."""
    from uniem.operations.execution import check_names
    from uniem.operations.parameters import validated
    from uniem.operations.registry import find

    operation = find(request.operation)
    if request.version > operation.version:
        raise UniemError(
            f"The request is for version {request.version} of {operation.id}; this is {operation.version}.",
            "Update uniem.",
        )
    parameters = validated(operation.parameters, request.parameters)
    check_names(operation, request.inputs, request.outputs)
    return operation, parameters


def check(request: JobRequest) -> None:
    """Raise what a worker would find wrong with a request before it opens anything."""
    from uniem.operations.execution import check_places
    from uniem.operations.outputs import path_of

    resolve(request)
    for name, location in request.inputs.items():
        if not is_web_address(location) and not path_of(location).expanduser().exists():
            raise UniemError(f"The {name} {path_of(location)} does not exist.", "Check the path.")
    check_places(request.inputs, request.outputs, request.overwrite)


def absolute_location(location: str) -> str:
    """Return `PATH` or `PATH::dataset` with an absolute path; a slash at the end keeps its meaning.

    A web address stays as it is.
    """
    if is_web_address(location):
        return location
    path, colons, dataset = location.partition("::")
    if not path:
        return location
    ending = "/" if path.endswith(("/", "\\")) else ""
    whole = str(Path(path).expanduser().absolute())
    return whole + (ending if not whole.endswith(("/", "\\")) else "") + colons + dataset


def _first_fault(error: ValidationError) -> str:
    fault = error.errors()[0]
    where = ".".join(str(part) for part in fault["loc"])
    return f"{where}: {fault['msg']}" if where else str(fault["msg"])
