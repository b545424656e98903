"""Show volumes in Neuroglancer, and keep what it saw of them; runs in the environment of `make peers`.

    python show_in_neuroglancer.py REQUEST.json RESULT

The request names a `folder`, which is served on this machine alone, `layers` of `name`, `kind` and `source`,
such as `precomputed://a.precomputed` inside the folder, a `box` of [start, stop] in x, y, z, and `points` in
x, y, z. RESULT becomes a folder with a picture, `report.json` with what Neuroglancer found out about each
layer and the segment that it sees at each point, and for each image the voxels of the box as it decoded them.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import neuroglancer
import numpy as np
from neuroglancer.static_file_server import StaticFileServer
from neuroglancer.webdriver import Webdriver
from selenium.webdriver import ActionChains

# A browser that draws in software, keeps to itself, and asks nobody for anything.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SECONDS = 120


def show(request: dict[str, Any], result: Path) -> None:
    """Open all layers in one viewer, and keep what it says."""
    result.mkdir(parents=True)
    viewer = neuroglancer.Viewer()
    messages: list[str] = []
    layers = request["layers"]
    with (
        StaticFileServer(request["folder"], bind_address="127.0.0.1", daemon=True) as address,
        tempfile.TemporaryDirectory(prefix="browser-") as profile,
    ):
        add_layers(viewer, layers, address)
        with Webdriver(
            viewer,
            extra_command_line_args=[*FLAGS, f"--user-data-dir={profile}"],
            browser_binary_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"),
            print_logs=False,
        ) as browser:
            browser.add_log_listener(lambda log: messages.append(f"{log.level}: {log.text}"))
            told = {each["name"]: describe(viewer, each["name"]) for each in layers}
            for each in layers:
                if each["kind"] == "image":
                    keep_voxels(viewer, each["name"], request["box"], result)
            seen = [segments_at(viewer, browser, point) for point in request["points"]]
            take_picture(viewer, told, result / "picture.png")
    errors = [line for line in messages if line.startswith("error")]
    (result / "report.json").write_text(json.dumps({"layers": told, "seen": seen, "errors": errors}))


def add_layers(viewer: neuroglancer.Viewer, layers: list[dict[str, str]], address: str) -> None:
    """Put each volume into a layer of its own."""
    with viewer.txn() as state:
        for each in layers:
            scheme, _, place = each["source"].partition("://")
            is_labels = each["kind"] == "labels"
            layer = neuroglancer.SegmentationLayer if is_labels else neuroglancer.ImageLayer
            state.layers.append(name=each["name"], layer=layer(source=f"{scheme}://{address}/{place}"))


def describe(viewer: neuroglancer.Viewer, name: str) -> dict[str, Any]:
    """Return what Neuroglancer found out about a layer."""
    info = viewer.volume_info(name).result(timeout=SECONDS)
    dimensions = info.dimensions
    return {
        "dtype": str(np.dtype(info.data_type)),
        "axes": list(dimensions.names),
        "scales": [float(scale) for scale in dimensions.scales],
        "units": list(dimensions.units),
        "lower": [int(n) for n in info.lower_bound],
        "upper": [int(n) for n in info.upper_bound],
    }


def keep_voxels(viewer: neuroglancer.Viewer, name: str, box: list[list[int]], result: Path) -> None:
    """Keep the voxels of a box as (x, y, z), or in the order of the file's axes."""
    volume = viewer.volume(name).result(timeout=SECONDS)
    axes = list(volume.domain.labels)
    places = {axis: slice(start, stop) for axis, start, stop in zip("xyz", *box, strict=True)}
    voxels = volume[tuple(places[axis] for axis in axes)].read().result(timeout=SECONDS)
    np.save(result / f"{name}.npy", np.transpose(voxels, [axes.index(axis) for axis in "xyz"]))


def segments_at(viewer: neuroglancer.Viewer, browser: Webdriver, point: list[int]) -> dict[str, Any]:
    """Return the segment that each layer has under the pointer, put on the middle of the view."""
    seen: list[dict[str, Any]] = []
    with viewer.txn() as state:
        state.layout = "xy"
        state.cross_section_scale = 0.5
        # Precomputed voxels begin at whole numbers, the voxels of OME-Zarr have their middle there.
        state.position = [n + 0.3 for n in point]
    viewer.actions.add("look", lambda action: seen.append(selected(action)))
    with viewer.config_state.txn() as config:
        config.input_event_bindings.data_view["click0"] = "look"
    viewer.screenshot()
    root = browser.driver.find_element("css selector", ".neuroglancer-rendered-data-panel")
    deadline = time.monotonic() + SECONDS
    while not (seen and all(value is not None for value in seen[-1].values())):
        if time.monotonic() > deadline:
            raise TimeoutError(f"not every layer is seen at {point}: {seen[-1:]}")
        ActionChains(browser.driver).move_to_element_with_offset(root, 1, 1).perform()
        ActionChains(browser.driver).move_to_element(root).click().perform()
        time.sleep(0.3)
    return seen[-1]


def selected(action: Any) -> dict[str, Any]:
    """Return what each layer has under the pointer."""
    found = {}
    for name, value in action.selected_values.items():
        inner = getattr(value, "value", None)
        key = getattr(inner, "key", inner)
        found[name] = None if key is None else int(key)
    return {**found, "position": [float(n) for n in action.mouse_position]}


def take_picture(viewer: neuroglancer.Viewer, told: dict[str, Any], path: Path) -> None:
    """Keep a picture of all of the volumes, from afar, so that their coarser levels are drawn."""
    first = next(iter(told.values()))
    with viewer.txn() as state:
        state.layout = "4panel"
        state.cross_section_scale = 2.0
        state.projection_scale = 1000
        state.position = [(a + b) / 2 for a, b in zip(first["lower"], first["upper"], strict=True)]
    path.write_bytes(viewer.screenshot(size=[1200, 800]).screenshot.image)


if __name__ == "__main__":
    show(json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2]))
