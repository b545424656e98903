"""What the menus offer, as data: the actions of the window, and those read off the operations."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

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
SUBMENUS = ("Segment/2D CNN", "Segment/3D FFN", "Segment/Labels")


@dataclass(frozen=True, slots=True)
class Action:
    """Something a user can ask for.

    Attributes
    ----------
    menu : str
        Where it stands, as in "View/Theme"; the first part is one of MENUS.
    call : str
        What it calls: a dotted name seen from the window, and an argument after a colon: "panels.open:clahe".
    synonyms : str
        Other words under which the command palette finds it.
    state : str
        Dotted name of a property that says whether a checkable action is on; empty for a plain action.
    needs : str
        Dotted name of a property that says whether it can be done now; empty: always.
    """

    id: str
    title: str
    menu: str
    call: str
    keys: tuple[str, ...] = ()
    tip: str = ""
    synonyms: str = ""
    state: str = ""
    needs: str = ""
    icon: str = ""
    ends_part: bool = False
    is_last: bool = False


WINDOW_ACTIONS: tuple[Action, ...] = (
    Action(
        "open",
        "Open…",
        "File",
        "opening.ask_files",
        ("Ctrl+O",),
        "Open images, labels, models, meshes or tables.",
        "load import read file stack tiff",
        icon="file-outline",
    ),
    Action(
        "open-folder",
        "Open folder…",
        "File",
        "opening.ask_folder",
        ("Ctrl+Shift+O",),
        "Open a folder of sections, a store, a model or a folder of meshes.",
        "load import directory sections zarr png series",
        icon="folder-open-outline",
    ),
    Action(
        "open-address",
        "Open address…",
        "File",
        "opening.ask_address",
        (),
        "Open an OME-Zarr or precomputed volume on the web (http, https or s3).",
        "url web network http s3 cloud neuroglancer remote link",
        icon="web",
    ),
    Action(
        "open-copied",
        "Open what is copied",
        "File",
        "opening.paste",
        ("Ctrl+V",),
        "Open the file, folder, path or address in the clipboard.",
        "paste clipboard url path",
    ),
    Action(
        "open-last",
        "Open last session",
        "File",
        "projects.open_last",
        tip="Take up again what a window without a project showed last.",
        synonyms="restore recover resume previous continue",
        needs="projects.has_last",
        icon="history",
        ends_part=True,
    ),
    Action(
        "new-project",
        "New project…",
        "File",
        "projects.new",
        tip="Make a folder that remembers what is open and takes new labels, results and jobs.",
        synonyms="create workspace folder",
        icon="folder-plus-outline",
    ),
    Action(
        "open-project",
        "Open project…",
        "File",
        "projects.ask_open",
        tip="Open a project, or a packed one, as it was left.",
        synonyms="load workspace unpack zip",
        icon="folder-star-outline",
    ),
    Action(
        "save-project",
        "Save project as…",
        "File",
        "projects.save_as",
        tip="Make a project of what is open, or go on with a copy of the project.",
        synonyms="store workspace copy duplicate",
    ),
    Action(
        "pack-project",
        "Pack project…",
        "File",
        "projects.ask_pack",
        tip="Put the project and its data into one file for a colleague.",
        synonyms="zip share send export archive",
        needs="projects.has_content",
        icon="package-variant-closed",
    ),
    Action(
        "missing-data",
        "Missing data…",
        "File",
        "projects.missing.show",
        tip="List the data of the project that were not found, and show where they are.",
        synonyms="locate relocate find lost moved",
        needs="projects.has_missing",
    ),
    Action(
        "close-project",
        "Close project",
        "File",
        "projects.close_project",
        tip="Close the project and go on without one; everything in it has been kept.",
        synonyms="leave end workspace",
        needs="projects.is_open",
        ends_part=True,
    ),
    Action(
        "new-labels",
        "New labels from image",
        "File",
        "sessions.new_labels",
        ("Ctrl+N",),
        "Make an empty label volume of the image's size and edit it.",
        "create empty annotation segmentation paint",
        needs="showing.has_image",
        icon="layers-plus",
    ),
    Action(
        "edit-labels",
        "Edit labels",
        "File",
        "sessions.edit_shown",
        (),
        "Start painting on the labels shown; a file that is no store is imported first.",
        "proofread paint correct",
        needs="showing.has_labels",
        icon="pencil-outline",
    ),
    Action(
        "save",
        "Save labels",
        "File",
        "sessions.save",
        ("Ctrl+S",),
        "Write the edits into the label volume; undo goes on working.",
        "store write commit",
        needs="sessions.is_editing",
        icon="content-save-outline",
    ),
    Action(
        "import-store",
        "Import into working store…",
        "File",
        "imports.import_current",
        (),
        "Copy the selected volume into a store, which large volumes are seen faster from and edits need.",
        "convert zarr pyramid copy",
        needs="imports.can_import",
        icon="database-import-outline",
    ),
    Action(
        "export",
        "Export…",
        "File",
        "data.export_current",
        ("Ctrl+E",),
        "Copy the selected volume into another format.",
        "save as convert tiff png hdf5 numpy",
        needs="data.has_volume",
        icon="export-variant",
    ),
    Action(
        "close-item",
        "Close item",
        "File",
        "data.close_current",
        ("Ctrl+W",),
        "Close the selected item; its files stay.",
        "remove unload",
        needs="data.has_current",
        icon="close",
    ),
    Action(
        "quit",
        "Quit",
        "File",
        "close",
        ("Ctrl+Q",),
        "End the program.",
        "exit leave",
        is_last=True,
        icon="exit-to-app",
    ),
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
    ),
    Action(
        "fit",
        "Fit to window",
        "View",
        "showing.fit",
        (),
        "Show the whole section.",
        "zoom all home reset view",
        icon="fit-to-page-outline",
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
        "show-labels",
        "Show labels",
        "View",
        "showing.toggle_labels",
        (),
        "Draw the labels over the image, or not.",
        "overlay hide segmentation",
        state="showing.labels_are_shown",
        icon="layers-outline",
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
    ),
    Action(
        "shortcuts", "Shortcuts", "Help", "help.shortcuts", ("F1",), "List keys and mouse buttons.", "keys"
    ),
    Action("plugins", "Plugins", "Help", "help.plugins", (), "List plugins, broken ones too.", "extensions"),
    Action("about", "About uniem", "Help", "help.about", (), "Say what this program is.", "version licence"),
)


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
