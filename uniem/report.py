"""A short HTML report of a segmentation: pictures, curves, scores and the commands that made it."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uniem.data.palette import colours_of
from uniem.data.volume import Volume

Curves = Mapping[str, Sequence[tuple[int, float]]]
LINE_COLOURS = ("#1f77b4", "#d95f02", "#1b9e77", "#7570b3", "#e7298a")

PAGE = Template("""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>uniem report</title><style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
figure { display: inline-block; margin: 0 .5rem 1rem 0; width: 31%; }
figure img { width: 100%; } figcaption { font-size: .85rem; color: #555; }
table { border-collapse: collapse; } td, th { padding: .2rem 1rem .2rem 0; text-align: left; }
td + td { text-align: right; font-variant-numeric: tabular-nums; }
pre { background: #f4f4f4; padding: 1rem; overflow-x: auto; }
</style></head><body>
<h1>$title</h1>
<p>$summary</p>
<h2>Pictures</h2>
$pictures
<h2>Training</h2>
$curves
<h2>Scores on sections that the network never saw</h2>
<table>$scores</table>
<h2>Files</h2>
<ul>$files</ul>
<h2>Commands</h2>
<p>The same steps from the command line, inside this folder:</p>
<pre>$commands</pre>
</body></html>
""")


def write_report(
    folder: Path,
    *,
    image: Volume,
    truth: Volume,
    probability: Volume,
    labels: Volume,
    curves: Curves,
    scores: Mapping[str, Any],
    commands: Sequence[str],
) -> Path:
    """Write `report.html` and its PNG pictures into a folder, and return the page's path."""
    z = image.shape[0] // 2
    grey = image[z]
    pictures = {
        "image": ("The image", np.repeat(grey[..., None], 3, axis=2)),
        "truth": ("Ground truth", overlaid(grey, truth[z])),
        "probability": ("Probability", np.repeat(probability[z][..., None], 3, axis=2)),
        "labels": ("Numbered objects", overlaid(grey, labels[z])),
        "errors": (
            "Yellow: found. Red: missed. Blue: false.",
            compared(grey, probability[z] > 127, truth[z] > 0),
        ),
    }
    (folder / "pictures").mkdir(exist_ok=True)
    for name, (_, picture) in pictures.items():
        write_png(folder / "pictures" / f"{name}.png", picture)
    page = folder / "report.html"
    text = PAGE.substitute(
        title="From a raw stack to measured objects",
        summary=f"Section {z} of {image.shape[0]}; {scores.get('objects', 0)} objects in the volume.",
        pictures="".join(_figure(name, caption) for name, (caption, _) in pictures.items()),
        curves=curve_svg(curves),
        scores="".join(_row(name, value) for name, value in scores.items()),
        files="".join(_link(folder, path) for path in sorted(folder.iterdir())),
        commands=html.escape("\n".join(commands)),
    )
    page.write_text(text, "utf-8")
    return page


def overlaid(grey: NDArray[Any], labels: NDArray[Any], opacity: float = 0.45) -> NDArray[np.uint8]:
    """Return a section as (y, x, 3) uint8 with its labels in colour."""
    ids, inverse = np.unique(labels, return_inverse=True)
    colours = colours_of(ids)[inverse.reshape(labels.shape)].astype(np.float32)
    picture = np.repeat(grey[..., None], 3, axis=2).astype(np.float32)
    inside = labels > 0
    picture[inside] = (1 - opacity) * picture[inside] + opacity * colours[inside]
    return picture.astype(np.uint8)


def compared(grey: NDArray[Any], found: NDArray[np.bool_], true: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return a section with hits yellow, misses red and false finds blue."""
    classes = np.zeros(grey.shape, np.uint8)
    classes[found & true], classes[~found & true], classes[found & ~true] = 1, 2, 3
    colours = np.array([[0, 0, 0], [255, 210, 0], [230, 30, 30], [40, 90, 255]], np.float32)
    picture = np.repeat(grey[..., None], 3, axis=2).astype(np.float32)
    marked = classes > 0
    picture[marked] = 0.5 * picture[marked] + 0.5 * colours[classes[marked]]
    return picture.astype(np.uint8)


def write_png(path: Path, picture: NDArray[np.uint8]) -> None:
    """Write a (y, x, 3) uint8 picture."""
    import imagecodecs

    path.write_bytes(imagecodecs.png_encode(picture))


def curve_svg(curves: Curves, width: int = 640, height: int = 240) -> str:
    """Return the curves as one SVG drawing, from 0 to 1 or to the highest value."""
    lines, legend = [], []
    finite = [value for points in curves.values() for _, value in points if np.isfinite(value)]
    top = max(1.0, *finite) if finite else 1.0
    last = max((points[-1][0] for points in curves.values() if points), default=0)
    for i, (name, points) in enumerate(curves.items()):
        colour = LINE_COLOURS[i % len(LINE_COLOURS)]
        path = " ".join(
            f"{step / max(1, last) * width:.1f},{(1 - max(0.0, value) / top) * height:.1f}"
            for step, value in points
            if np.isfinite(value)
        )
        lines.append(f'<polyline fill="none" stroke="{colour}" stroke-width="1.5" points="{path}"/>')
        legend.append(f'<tspan fill="{colour}" dx="12">{html.escape(name)}</tspan>')
    box = f'<rect width="{width}" height="{height}" fill="none" stroke="#ccc"/>'
    words = f'<text x="0" y="{height + 20}" font-size="13">{"".join(legend)}</text>'
    steps = f'<text x="{width}" y="{height + 20}" font-size="13" text-anchor="end">step {last}</text>'
    numbers = ((14, f"{top:.3g}"), (height - 4, "0"))
    scale = "".join(f'<text x="4" y="{y}" font-size="13">{number}</text>' for y, number in numbers)
    size = f'viewBox="-5 -5 {width + 10} {height + 35}" width="{width}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{box}{"".join(lines)}{scale}{words}{steps}</svg>'


def _figure(name: str, caption: str) -> str:
    source = f"pictures/{name}.png"
    return f'<figure><img src="{source}" alt="{caption}"><figcaption>{caption}</figcaption></figure>'


def _row(name: str, value: Any) -> str:
    shown = f"{value:.4g}" if isinstance(value, float) else str(value)
    return f"<tr><td>{html.escape(name.replace('_', ' '))}</td><td>{html.escape(shown)}</td></tr>"


def _link(folder: Path, path: Path) -> str:
    name = html.escape(path.relative_to(folder).as_posix())
    return f'<li><a href="{name}">{name}</a></li>'
