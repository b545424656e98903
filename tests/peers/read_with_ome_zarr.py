"""Validate and read OME-Zarr with the packages of its own project; runs in the environment of `make peers`.

    python read_with_ome_zarr.py RESULT FOLDER...

RESULT becomes a folder with `report.json`, and the voxels of each level as `NAME-LEVEL.npy`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import ome_zarr_models
import zarr
from ome_zarr.io import parse_url
from ome_zarr.reader import Reader


def read(folder: Path, result: Path) -> dict[str, Any]:
    """Return what the validator takes a folder for, and what the reader finds in it."""
    location = parse_url(str(folder))
    nodes = list(Reader(location)())
    if len(nodes) != 1:
        raise SystemExit(f"{folder} holds {len(nodes)} images")
    node = nodes[0]
    for level, array in enumerate(node.data):
        np.save(result / f"{folder.name}-{level}.npy", np.asarray(array))
    return {
        "model": type(ome_zarr_models.open_ome_zarr(zarr.open_group(folder, mode="r"))).__module__,
        "version": location.fmt.version,
        "specs": [type(spec).__name__ for spec in node.specs],
        "levels": len(node.data),
        "axes": node.metadata["axes"],
        "transformations": node.metadata["coordinateTransformations"],
    }


if __name__ == "__main__":
    place = Path(sys.argv[1])
    place.mkdir(parents=True)
    report = {Path(name).name: read(Path(name), place) for name in sys.argv[2:]}
    (place / "report.json").write_text(json.dumps(report))
