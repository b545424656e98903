"""The memory of this computer is what the system says."""

from __future__ import annotations

import os
import sys

import pytest

from uniem.data.machine_memory import machine_memory


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the system is asked in another way")
def test_the_memory_is_that_of_the_machine() -> None:
    memory = machine_memory()
    assert memory is not None
    assert memory.total == os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert 0 < memory.free <= memory.total
