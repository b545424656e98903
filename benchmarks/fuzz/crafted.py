"""Files made by hand: absurd sizes, bombs, loops, pickles, odd data types and voxel sizes, by format."""

from __future__ import annotations

from benchmarks.fuzz.crafted_arrays import HDF5, NUMPY
from benchmarks.fuzz.crafted_chunks import PRECOMPUTED, ZARR
from benchmarks.fuzz.crafted_nouns import MESHES, MODELS, TABLES
from benchmarks.fuzz.crafted_pictures import PICTURES, TIFF
from benchmarks.fuzz.crafted_scans import DOJO, MRC, NIFTI
from benchmarks.fuzz.making import Maker

CRAFTED: dict[str, dict[str, Maker]] = {
    "TIFF": TIFF,
    "NumPy": NUMPY,
    "HDF5": HDF5,
    "NIfTI": NIFTI,
    "MRC": MRC,
    "OME-Zarr 0.5": ZARR,
    "precomputed": PRECOMPUTED,
    "section folder": PICTURES,
    "Dojo": DOJO,
    "mesh": MESHES,
    "CSV table": TABLES,
    "model folder": MODELS,
}
