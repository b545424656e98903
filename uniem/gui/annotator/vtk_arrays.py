"""Arrays of NumPy to VTK and back; VTK's own functions carry no types."""

# ruff: noqa: TID253 - only uniem.gui.annotator.scene and its parts import this module.
from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from vtkmodules.util import numpy_support
from vtkmodules.vtkCommonCore import vtkDataArray


def as_vtk(array: NDArray[Any]) -> vtkDataArray:
    """Return a copy of an array; int64 becomes VTK's type of ids."""
    if array.dtype == np.int64:
        ids: vtkDataArray = numpy_support.numpy_to_vtkIdTypeArray(array, deep=True)  # type: ignore[no-untyped-call]
        return ids
    values: vtkDataArray = numpy_support.numpy_to_vtk(array, deep=True)  # type: ignore[no-untyped-call]
    return values


def as_numpy(array: vtkDataArray) -> NDArray[Any]:
    """Return a view of a VTK array."""
    values: NDArray[Any] = numpy_support.vtk_to_numpy(array)  # type: ignore[no-untyped-call]
    return values
