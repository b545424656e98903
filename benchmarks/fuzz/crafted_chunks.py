"""OME-Zarr and precomputed volumes made by hand."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

from benchmarks.fuzz.making import (
    BOMB_PIECE,
    HUGE,
    SIZES_NM,
    Maker,
    each_of,
    given,
    huge,
)
from benchmarks.fuzz.samples import grey
from benchmarks.fuzz.trial import Target


def zarr_3(folder: Path, array: dict[str, Any], group: dict[str, Any], chunk: bytes | None = None) -> Path:
    """Write an OME-Zarr 0.5 with metadata of my choice, and perhaps its first chunk."""
    path = folder / "a.zarr"
    (path / "0" / "c" / "0" / "0").mkdir(parents=True)
    multiscale = {
        "axes": [{"name": n, "type": "space", "unit": "nanometer"} for n in "zyx"],
        "datasets": [{"path": "0", "coordinateTransformations": [{"type": "scale", "scale": [40, 8, 8]}]}],
        **group,
    }
    ome = {"ome": {"version": "0.5", "multiscales": [multiscale]}}
    (path / "zarr.json").write_text(json.dumps({"zarr_format": 3, "node_type": "group", "attributes": ome}))
    described = {
        "zarr_format": 3,
        "node_type": "array",
        "shape": [6, 40, 56],
        "data_type": "uint8",
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [2, 24, 24]}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": 0,
        "codecs": [{"name": "bytes"}],
        "attributes": {},
        **array,
    }
    (path / "0" / "zarr.json").write_text(json.dumps(described))
    if chunk is not None:
        (path / "0" / "c" / "0" / "0" / "0").write_bytes(chunk)
    return path


def _grid(*chunk: Any) -> dict[str, Any]:
    return {"chunk_grid": {"name": "regular", "configuration": {"chunk_shape": list(chunk)}}}


def _scales(*scale: Any) -> dict[str, Any]:
    return {
        "datasets": [{"path": "0", "coordinateTransformations": [{"type": "scale", "scale": list(scale)}]}]
    }


def _zarr_bomb(folder: Path, codec: str) -> Target:
    import imagecodecs

    if codec == "gzip":
        packed = gzip.compress(bytes(BOMB_PIECE)) * 200
    else:
        packed = bytes(imagecodecs.zstd_encode(bytes(2_500_000_000), 1))
    codecs = [{"name": "bytes"}, {"name": codec, "configuration": {"level": 1}}]
    return huge(zarr_3(folder, {"codecs": codecs}, {}, packed))


ZARR_ARRAYS = [
    {"shape": [HUGE] * 3},
    {"shape": [2**62] * 3},
    {"shape": [2**63] * 3},
    {"shape": [0, 40, 56]},
    {"shape": [-1, 40, 56]},
    {"shape": [6, 40]},
    {"shape": "x"},
    {"shape": [6.5, 40, 56]},
    _grid(0, 24, 24),
    {"shape": [HUGE] * 3, **_grid(HUGE, HUGE, HUGE)},
    {"shape": [9, 10**5, 10**5], **_grid(9, 10**5, 10**5)},
    _grid(2, 24),
    _grid(-2, 24, 24),
    {"data_type": "complex64"},
    {"data_type": "bool"},
    {"data_type": "float16"},
    {"data_type": "bfloat16"},
    {"data_type": "string"},
    {"data_type": "int4"},
    {"data_type": "r64"},
    {"data_type": {"name": "x"}},
    {"fill_value": "NaN"},
    {"fill_value": None},
    {"fill_value": 1e300},
    {"data_type": "float32", "fill_value": "NaN"},
    {"codecs": []},
    {"codecs": [{"name": "lzma"}]},
    {"codecs": [{"name": "bytes"}, {"name": "blosc", "configuration": {"cname": "x"}}]},
    {"zarr_format": 9},
    {"node_type": "group"},
    {"storage_transformers": [{"name": "x"}]},
    {"dimension_names": ["a", "a", "a"]},
    {"shape": [6, 40, 56, 3], **_grid(2, 24, 24, 3)},
    {"shape": [1, 1, 6, 40, 56], **_grid(1, 1, 2, 24, 24)},
]
ZARR_GROUPS = [
    *(_scales(v, v, v) for v in SIZES_NM),
    _scales("a", "b", "c"),
    _scales(1),
    _scales(),
    _scales(None, 1, 1),
    {"datasets": []},
    {"datasets": [{}]},
    {"datasets": None},
    {"datasets": "0"},
    {"datasets": [{"path": 0}]},
    {"datasets": [{"path": "../../.."}]},
    {"datasets": [{"path": "/etc"}]},
    {"datasets": [{"path": "x" * 999}]},
    {"datasets": [{"path": "0"}] * 3000},
    {"datasets": [{"path": "0", "coordinateTransformations": None}]},
    {"datasets": [{"path": "0", "coordinateTransformations": [5]}]},
    {"axes": None},
    {"axes": []},
    {"axes": "zyx"},
    {"axes": [{"name": n} for n in "xyz"]},
    {"axes": [{"name": "z", "unit": 5}] * 3},
    {"axes": [5, 6, 7]},
    {"axes": [{"name": "z", "unit": ["nanometer"]}] * 3},
    {"coordinateTransformations": [{"type": "scale"}]},
]


def _zarr_array(folder: Path, changes: dict[str, Any]) -> Target:
    return huge(zarr_3(folder, changes, {}))


def _zarr_group(folder: Path, changes: dict[str, Any]) -> Target:
    return huge(zarr_3(folder, {}, changes))


def _zarr_text(folder: Path, text: str) -> Target:
    path = zarr_3(folder, {}, {})
    (path / "zarr.json").write_bytes(text.encode("utf-16" if text == "{}" else "utf-8"))
    return huge(path)


ZARR: dict[str, Maker] = {
    **{f"array {i}": given(_zarr_array, a) for i, a in enumerate(ZARR_ARRAYS)},
    **{f"group {i}": given(_zarr_group, g) for i, g in enumerate(ZARR_GROUPS)},
    **each_of("bomb", ["gzip", "zstd"], _zarr_bomb),
    **each_of(
        "text",
        [
            "{}",
            "[]",
            "null",
            "[" * 10**5,
            '{"attributes": 3}',
            '{"attributes": {"ome": 3}}',
            "\ufeff{}",
            '{"attributes": {"multiscales": {}}}',
            '{"attributes": {"ome": {"multiscales": [[]]}}}',
            '{"attributes": {"uniem": 3, "ome": {"multiscales": [{"datasets": [{"path": "0"}]}]}}}',
        ],
        _zarr_text,
    ),
}


def _precomputed(folder: Path, changes: dict[str, Any]) -> Target:
    scale = {
        "key": "8_8_40",
        "size": [56, 40, 6],
        "resolution": [8, 8, 40],
        "voxel_offset": [0, 0, 0],
        "chunk_sizes": [[64, 64, 64]],
        "encoding": "raw",
    }
    own = {k: v for k, v in changes.items() if k in scale or k == "sharding"}
    info = {
        "@type": "neuroglancer_multiscale_volume",
        "data_type": "uint8",
        "num_channels": 1,
        "type": "image",
        "scales": [{**scale, **own}],
        **{k: v for k, v in changes.items() if k not in own},
    }
    path = folder / "a.precomputed"
    (path / "8_8_40").mkdir(parents=True)
    (path / "8_8_40" / "0-56_0-40_0-6").write_bytes(changes.get("chunk", grey().tobytes()))
    info.pop("chunk", None)
    (path / "info").write_text(json.dumps(info))
    return huge(path)


PRECOMPUTED_CHANGES = [
    {"size": [HUGE] * 3},
    {"size": [HUGE] * 3, "chunk_sizes": [[HUGE] * 3]},
    {"size": [2**62] * 3},
    {"size": [0, 1, 1]},
    {"size": [9**6, 9**6, 9**6], "chunk_sizes": [[20_000, 20_000, 64]]},
    {"size": [-1, 1, 1]},
    {"size": [1, 1]},
    {"voxel_offset": [2**62] * 3},
    {"voxel_offset": [-(10**9)] * 3},
    {"voxel_offset": "x"},
    {"chunk_sizes": []},
    {"chunk_sizes": [[0, 0, 0]]},
    {"chunk_sizes": [[-1, 4, 4]]},
    {"chunk_sizes": [[10**6] * 3]},
    {"key": "../../x"},
    {"key": "/etc"},
    {"key": ""},
    {"key": 5},
    {"encoding": "jpeg"},
    {"encoding": "png"},
    {"encoding": "x"},
    {"encoding": "compressed_segmentation"},
    {"encoding": "compresso"},
    {"data_type": "complex64"},
    {"encoding": "compressed_segmentation", "data_type": "uint32"},
    {"data_type": "x"},
    {"data_type": "float64"},
    {"num_channels": 3},
    {"num_channels": 0},
    {"num_channels": -1},
    {"num_channels": HUGE},
    {"scales": []},
    {"scales": [1]},
    {"scales": [{}] * 1000},
    {"sharding": {"@type": "x"}},
    {"type": "mesh"},
    {"type": 5},
    {"sharding": {"@type": "neuroglancer_uint64_sharded_v1", "preshift_bits": 99, "hash": "x"}},
    {"chunk": b"short"},
    {"chunk": b""},
    {"chunk": bytes(10**6)},
    {"@type": "neuroglancer_legacy_mesh"},
    *({"resolution": [v, v, v]} for v in SIZES_NM),
    {"resolution": "x"},
    {"resolution": [8]},
    {"resolution": None},
]
PRECOMPUTED: dict[str, Maker] = {
    f"info {i}": given(_precomputed, c) for i, c in enumerate(PRECOMPUTED_CHANGES)
}
