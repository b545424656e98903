"""The actions of the window that concern what is in view: places, pictures, planes."""

from __future__ import annotations

from uniem.gui.action import Action

PLACE_ACTIONS: tuple[Action, ...] = (
    Action(
        "go-to",
        "Go to…",
        "View",
        "canvas.places.ask",
        ("Ctrl+G",),
        "Go to a place by its coordinates, to a section, or to a label.",
        "jump find position coordinates slice id object",
        needs="canvas.places.has_volume",
        icon="crosshairs-gps",
    ),
    Action(
        "add-bookmark",
        "Remember this place",
        "View",
        "canvas.places.remember",
        ("Ctrl+D",),
        "Keep the place in view among the bookmarks.",
        "bookmark favourite mark position",
        needs="canvas.places.has_volume",
        icon="bookmark-plus-outline",
    ),
    Action(
        "bookmarks",
        "Bookmarks…",
        "View",
        "canvas.places.show_list",
        ("Ctrl+Shift+G",),
        "List the places remembered in this volume.",
        "favourites places positions",
        needs="canvas.places.has_volume",
        icon="bookmark-multiple-outline",
        ends_part=True,
    ),
    Action(
        "figure",
        "Figure of the view…",
        "File",
        "canvas.places.ask_figure",
        (),
        "Write what the view shows as PNG or SVG, with a scale bar.",
        "screenshot picture image export save publication",
        needs="canvas.places.has_volume",
        icon="image-filter-center-focus",
    ),
    Action(
        "copy-view",
        "Copy the view",
        "Edit",
        "canvas.places.copy_view",
        (),
        "Copy what the view shows to the clipboard.",
        "screenshot clipboard picture",
        needs="canvas.places.has_volume",
        icon="content-copy",
    ),
)
