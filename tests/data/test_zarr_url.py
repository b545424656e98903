"""OME-Zarr 0.4 and 0.5 and precomputed volumes open from web addresses as from folders."""

from __future__ import annotations

import functools
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import zarr

from tests.data.test_formats import random_voxels
from uniem.data.formats import export_volume, format_for, open_volume
from uniem.data.geometry import Box, VoxelSize
from uniem.data.store import open_store
from uniem.data.volume import ArrayVolume, Kind
from uniem.errors import UniemError
from uniem.jobs.request import absolute_location
from uniem.operations.execution import run_operation
from uniem.operations.outputs import check_target
from uniem.operations.registry import find
from uniem.workspace import Workspace

NM = VoxelSize(50, 4, 4)
FORMS = [("a.zarr", {"version": "0.5"}), ("a.zarr", {"version": "0.4"}), ("a.precomputed", {})]


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files without telling, as S3 does: with a tag on each, and forbidding what is not there."""

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        super().send_error(403 if "bucket" in self.path else code, message, explain)

    def end_headers(self) -> None:
        self.send_header("ETag", '"1"')
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    serve = functools.partial(Quiet, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), serve) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(("name", "options"), FORMS)
@pytest.mark.parametrize("kind", [Kind.IMAGE, Kind.LABELS])
def test_an_address_opens_like_a_folder(
    tmp_path: Path, address: str, name: str, options: dict[str, str], kind: Kind
) -> None:
    voxels = random_voxels((9, 600, 700), "uint32")
    export_volume(ArrayVolume(voxels, NM, kind), tmp_path / name, **options)
    volume = open_volume(f"{address}/{name}/")
    assert (volume.shape, volume.dtype, volume.voxel_size, volume.kind) == (voxels.shape, "uint32", NM, kind)
    assert (volume.name, volume.source) == (name, f"{address}/{name}")
    box = Box((2, 100, 200), (5, 300, 699))
    np.testing.assert_array_equal(volume.read(box), voxels[box.slices])
    here = open_volume(tmp_path / name)
    assert [level.shape for level in volume.levels] == [(9, 600, 700), (9, 300, 350)]
    assert volume.levels[1].voxel_size == here.levels[1].voxel_size == VoxelSize(50, 8, 8)
    np.testing.assert_array_equal(volume.levels[1][:], here.levels[1][:])
    with pytest.raises(UniemError, match="read-only"):
        volume.write(box, voxels[box.slices])


def test_an_image_inside_a_group_and_neuroglancers_way_to_write(tmp_path: Path, address: str) -> None:
    voxels = random_voxels((3, 20, 30), "uint8")
    export_volume(ArrayVolume(voxels, NM), tmp_path / "group" / "inside.zarr")
    export_volume(ArrayVolume(voxels, NM), tmp_path / "shared.precomputed")
    inside = open_volume(f"{address}/group::inside.zarr")
    np.testing.assert_array_equal(inside[:], voxels)
    assert inside.source == f"{address}/group::inside.zarr"
    np.testing.assert_array_equal(open_volume(f"precomputed://{address}/shared.precomputed")[:], voxels)


def test_s3_is_read_without_an_account(tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", address)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    voxels = random_voxels((3, 20, 30), "uint8")
    export_volume(ArrayVolume(voxels, NM), tmp_path / "bucket" / "folder" / "a.zarr")
    export_volume(ArrayVolume(voxels, NM), tmp_path / "bucket" / "old.zarr", version="0.4")
    np.testing.assert_array_equal(open_volume("s3://bucket/old.zarr")[:], voxels)
    with pytest.raises(UniemError, match=r"no volume at s3://bucket/none\.zarr, or it is not public"):
        open_volume("s3://bucket/none.zarr")
    volume = open_volume("s3://bucket/folder/a.zarr", Kind.IMAGE)
    np.testing.assert_array_equal(volume[:], voxels)
    assert volume.source == "s3://bucket/folder/a.zarr"


def test_the_workspace_and_jobs_keep_the_address(tmp_path: Path, address: str) -> None:
    export_volume(ArrayVolume(random_voxels((3, 20, 30), "uint8"), NM, Kind.IMAGE), tmp_path / "a.zarr")
    workspace = Workspace()
    item = workspace.open(f"{address}/a.zarr/")
    assert (item.location, item.name) == (f"{address}/a.zarr", "a.zarr")
    assert workspace.open(f"{address}/a.zarr") is item
    workspace.set_kind(item, Kind.LABELS)
    assert item.noun.kind is Kind.LABELS
    assert absolute_location(f"{address}/a.zarr") == f"{address}/a.zarr"
    for refuse in (format_for, lambda place: check_target(place, overwrite=False)):
        with pytest.raises(UniemError, match="cannot be written to"):
            refuse(f"{address}/b.zarr")


def test_an_address_is_converted_to_a_file_with_two_endings(tmp_path: Path, address: str) -> None:
    voxels = random_voxels((3, 20, 30), "uint8")
    export_volume(ArrayVolume(voxels, NM, Kind.IMAGE), tmp_path / "a.zarr")
    outputs = {"result": str(tmp_path / "b.nii.gz")}
    convert = find("convert")
    run_operation(convert, convert.parameters(), {"source": f"{address}/a.zarr"}, outputs)
    np.testing.assert_array_equal(open_volume(tmp_path / "b.nii.gz")[:], voxels)


class TestBadAddresses:
    def test_nothing_there(self, tmp_path: Path, address: str) -> None:
        (tmp_path / "a.tif").write_bytes(b"II*\0")
        for name in ("none.zarr", "a.tif", ""):
            with pytest.raises(UniemError, match="no volume at http"):
                open_volume(f"{address}/{name}")

    def test_nobody_answers(self) -> None:
        with pytest.raises(UniemError, match=r"127\.0\.0\.1:9/a\.zarr cannot be read") as caught:
            open_volume("http://127.0.0.1:9/a.zarr")
        assert "network" in str(caught.value.hint)

    @pytest.mark.parametrize(
        "content", [b"{", b"\xff\xfe", b'{"attributes": {"ome": {"multiscales": [{}]}}}']
    )
    def test_damaged_metadata(self, tmp_path: Path, address: str, content: bytes) -> None:
        (tmp_path / "a.zarr").mkdir()
        (tmp_path / "a.zarr" / "zarr.json").write_bytes(content)
        with pytest.raises(UniemError, match="cannot be read"):
            open_volume(f"{address}/a.zarr")

    def test_a_missing_level(self, tmp_path: Path, address: str) -> None:
        export_volume(ArrayVolume(random_voxels((3, 20, 30), "uint8"), NM), tmp_path / "a.zarr")
        (tmp_path / "a.zarr" / "0" / "zarr.json").unlink()
        with pytest.raises(UniemError, match="cannot be read"):
            open_volume(f"{address}/a.zarr")


class TestVersion4:
    def test_others_read_it_and_it_stays_of_its_version(self, tmp_path: Path) -> None:
        voxels = random_voxels((9, 600, 700), "uint32")
        volume = ArrayVolume(voxels, None, Kind.LABELS)
        export_volume(volume, tmp_path / "a.zarr", version="0.4")
        store = open_store(tmp_path / "a.zarr", writable=True)
        store.set_voxel_size(NM)
        store.build_pyramid()
        store.update_attributes(note="kept")
        assert not list((tmp_path / "a.zarr").rglob("zarr.json"))
        group = zarr.open_group(str(tmp_path / "a.zarr"), mode="r", zarr_format=2)
        np.testing.assert_array_equal(group["0"][:], voxels)
        described = group.attrs["multiscales"][0]
        assert (described["version"], described["name"]) == ("0.4", "a.zarr")
        assert described["datasets"][1]["coordinateTransformations"][0]["scale"] == [50, 8, 8]
        again = open_store(tmp_path / "a.zarr")
        assert (again.voxel_size, again.kind, len(again.levels)) == (NM, Kind.LABELS, 2)
        np.testing.assert_array_equal(again.levels[1][:], np.asarray(group["1"]))

    def test_an_unknown_version(self, tmp_path: Path) -> None:
        volume = ArrayVolume(random_voxels((3, 20, 30), "uint8"))
        with pytest.raises(UniemError, match=r"no OME-Zarr 0\.3"):
            export_volume(volume, tmp_path / "a.zarr", version="0.3")
        assert not list(tmp_path.iterdir())

    def test_the_description_is_plain_json(self, tmp_path: Path) -> None:
        export_volume(
            ArrayVolume(random_voxels((3, 20, 30), "uint8"), NM), tmp_path / "a.zarr", version="0.4"
        )
        assert json.loads((tmp_path / "a.zarr" / ".zgroup").read_text()) == {"zarr_format": 2}
        axes = json.loads((tmp_path / "a.zarr" / ".zattrs").read_text())["multiscales"][0]["axes"]
        assert axes == [{"name": n, "type": "space", "unit": "nanometer"} for n in "zyx"]
