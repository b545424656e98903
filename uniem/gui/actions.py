"""What the menus offer: the actions of the window, and those read off the canvas and the operations."""

from __future__ import annotations

from collections.abc import Iterable

from uniem.gui.action import Action
from uniem.gui.canvas.keymap_presets import SHORTCUTS
from uniem.gui.file_actions import FILE_ACTIONS
from uniem.gui.place_actions import PLACE_ACTIONS
from uniem.gui.proofreading.actions import PROOFREADING_ACTIONS
from uniem.operations.operation import Operation, Role

MENUS = (
    "File",
    "Edit",
    "View",
    "Proofread",
    "Annotate",
    "Segment",
    "Filters",
    "Plugins",
    "Script",
    "Help",
)
# Submenus that stand before the plain entries of their menu, in this order, where there is anything in them.
SUBMENUS = ("Segment/2D CNN", "Segment/3D FFN", "Segment/Labels", "Proofread/Tools")

WINDOW_ACTIONS: tuple[Action, ...] = (
    *FILE_ACTIONS,
    Action(
        "undo",
        "Undo",
        "Edit",
        "sessions.undo",
        ("Ctrl+Z",),
        "Take the last edit back.",
        "back revert",
        needs="sessions.can_undo",
        icon="undo-variant",
    ),
    Action(
        "redo",
        "Redo",
        "Edit",
        "sessions.redo",
        ("Ctrl+Shift+Z", "Ctrl+Y"),
        "Make the edit taken back again.",
        "again repeat",
        needs="sessions.can_redo",
        icon="redo-variant",
        ends_part=True,
    ),
    Action(
        "palette",
        "Command palette…",
        "Edit",
        "show_palette",
        ("Ctrl+P", "Ctrl+Shift+P"),
        "Find any action by its name.",
        "search find actions commands",
        icon="magnify",
        ends_part=True,
    ),
    Action(
        "preferences",
        "Preferences…",
        "Edit",
        "show_preferences",
        ("Ctrl+,",),
        "Choose keys, mouse buttons, colours, memory and folders.",
        "settings options configure keymap shortcuts theme",
        icon="cog-outline",
    ),
    Action(
        "choose-keymap",
        "Which tool do you come from…",
        "Edit",
        "preferences.choose_keymap",
        (),
        "Use the keys and mouse buttons of another program.",
        "preset keymap napari webknossos knossos mib itk-snap dojo keys mouse",
    ),
    *PLACE_ACTIONS,
    Action(
        "fit",
        "Fit to window",
        "View",
        "showing.fit",
        (),
        "Show the whole section.",
        "zoom all home reset view",
        icon="fit-to-page-outline",
        shortcut="fit",
    ),
    Action(
        "auto-contrast",
        "Auto contrast",
        "View",
        "showing.auto_contrast",
        (),
        "Set black and white from the section in view.",
        "brightness levels window",
        needs="showing.has_image",
        icon="contrast-circle",
    ),
    Action(
        "contrast-by-section",
        "Contrast by section",
        "View",
        "canvas.layers_panel.normalise_image",
        (),
        "Find black and white of the image anew for each section.",
        "normalise normalize brightness flicker levels",
        state="canvas.layers_panel.image_is_normalised",
        needs="showing.has_image",
    ),
    Action(
        "invert",
        "Invert image",
        "View",
        "canvas.layers_panel.invert_image",
        (),
        "Draw bright values dark and dark ones bright.",
        "negative contrast swap black white",
        state="canvas.layers_panel.image_is_inverted",
        needs="showing.has_image",
    ),
    Action(
        "show-labels",
        "Show labels",
        "View",
        "showing.toggle_labels",
        (),
        "Draw the labels over the image, or not.",
        "overlay hide segmentation",
        state="showing.labels_are_shown",
        icon="layers-outline",
        shortcut="see-raw",
    ),
    Action(
        "outlines",
        "Labels as outlines",
        "View",
        "showing.toggle_outlines",
        (),
        "Draw only the borders of labels.",
        "contours boundary",
        state="showing.outlines_are_shown",
        shortcut="outlines",
        ends_part=True,
    ),
    *(
        Action(
            f"theme-{theme}",
            theme.capitalize(),
            "View/Theme",
            f"appearance.set_theme:{theme}",
            tip=f"Use the {theme} colours.",
            synonyms="colours palette appearance night",
            state=f"appearance.is_{theme}",
        )
        for theme in ("dark", "light", "system")
    ),
    Action(
        "larger-type", "Larger type", "View", "appearance.larger", ("Ctrl+Shift+.",), "", "font size zoom"
    ),
    Action(
        "smaller-type", "Smaller type", "View", "appearance.smaller", ("Ctrl+Shift+,",), "", "font size zoom"
    ),
    *PROOFREADING_ACTIONS,
    Action(
        "tensorboard",
        "TensorBoard",
        "Segment",
        "tensorboard.show",
        (),
        "Compare the curves of all trainings in the browser.",
        "curves loss training graph plot compare runs",
        icon="chart-line",
    ),
    Action(
        "mesh-selected",
        "Show meshes of selected labels",
        "Annotate",
        "meshing.show_selected",
        (),
        "Mesh the labels selected in the object table and show them in 3D.",
        "3d surface render annotator",
        needs="meshing.has_selection",
        icon="cube-outline",
    ),
    Action(
        "mesh-all",
        "Show meshes of all labels",
        "Annotate",
        "meshing.show_all",
        (),
        "Mesh every label and show them in 3D.",
        "3d surface render annotator",
        needs="showing.has_labels",
    ),
    Action(
        "annotator",
        "3D annotator",
        "Annotate",
        "show_annotator",
        ("F8",),
        "Open the 3D view of meshes.",
        "vtk surface view",
        ends_part=True,
        icon="rotate-3d",
        others={"uni-em": ("F4", "F8")},
    ),
    Action(
        "tool-help",
        "Help on the tool in hand",
        "Help",
        "help.tool",
        ("F1",),
        "Tell what the tool in hand does, with its keys and buttons.",
        "manual page how",
        icon="help-circle-outline",
    ),
    Action(
        "shortcuts",
        "Shortcuts",
        "Help",
        "help.shortcuts",
        ("Shift+F1",),
        "List keys and mouse buttons.",
        "keys keyboard mouse",
    ),
    Action("plugins", "Plugins", "Help", "help.plugins", (), "List plugins, broken ones too.", "extensions"),
    Action("about", "About uniem", "Help", "help.about", (), "Say what this program is.", "version licence"),
)


def canvas_actions(taken: Iterable[Action] = WINDOW_ACTIONS) -> list[Action]:
    """Return the shortcuts of the canvas as actions, for menus, the palette and hands without a keyboard.

    One that an action of the window does already is left out.
    """
    offered = {action.shortcut or action.call.removeprefix("canvas.run:") for action in taken}
    return [
        Action(
            f"canvas-{one.id}",
            one.title,
            one.menu,
            f"canvas.run:{one.id}",
            tip=one.tooltip,
            synonyms=one.synonyms,
            shortcut=one.id,
        )
        for one in SHORTCUTS
        if one.menu and one.id not in offered
    ]


def operation_actions(operations: Iterable[Operation], taken: Iterable[str] = ()) -> list[Action]:
    """Return the action that opens the panel of each operation, in the place the operation names.

    An operation whose panel is already offered by an action of the window, by its call, is left out, and so
    is one that makes a whole project or a packed one, for which the window has dialogs.
    """
    offered = set(taken)
    return [
        Action(
            f"operation-{operation.id}",
            f"{operation.title}…",
            operation.menu if operation.menu.split("/")[0] in MENUS else f"Plugins/{operation.menu}",
            f"panels.open:{operation.id}",
            (),
            operation.summary,
            f"{operation.id} {operation.menu}",
        )
        for operation in operations
        if f"panels.open:{operation.id}" not in offered and Role.PROJECT not in operation.outputs.values()
    ]
