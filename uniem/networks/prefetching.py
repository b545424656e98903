"""Things made ahead of who needs them."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import TypeVar

Result = TypeVar("Result")

# A fast device takes more batches than a processor makes.
FEWEST, MOST = 2, 8


def prepared_ahead(
    make: Callable[[int], Result], first: int = 0, threads: int | None = None
) -> Generator[Result]:
    """Yield make(first), make(first + 1), ... without end, some made ahead in threads; close it when done.

    Threads do: reading, OpenCV and NumPy release the interpreter's lock, as does the network's engine.
    """
    threads = threads or min(max(os.cpu_count() or 1, FEWEST), MOST)
    ahead = 2 * threads
    with ThreadPoolExecutor(threads, thread_name_prefix="patches") as pool:
        pending = deque(pool.submit(make, index) for index in range(first, first + ahead))
        try:
            for index in count(first + ahead):
                pending.append(pool.submit(make, index))
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()
