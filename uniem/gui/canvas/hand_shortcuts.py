"""The shortcuts for what is in the hand: tools, brush, labels, with their keys in every preset."""

from __future__ import annotations

from uniem.gui.canvas.keymap import ITK_SNAP, MIB, NAPARI, UNI_EM, WEBKNOSSOS, Shortcut

HAND_SHORTCUTS: tuple[Shortcut, ...] = (
    Shortcut(
        "navigate",
        "Navigate",
        ("V",),
        "Drag to move the section.",
        others={WEBKNOSSOS: ("Ctrl+K, M",), NAPARI: ("6", "Z"), ITK_SNAP: ("1", "2")},
        menu="Proofread/Tools",
        synonyms="tool pan move hand",
    ),
    Shortcut(
        "brush",
        "Brush",
        ("B",),
        "Paint the label in hand.",
        others={
            UNI_EM: ("F3", "B"),
            WEBKNOSSOS: ("Ctrl+K, B", "B"),
            NAPARI: ("2", "P"),
            ITK_SNAP: ("4", "B"),
        },
        menu="Proofread/Tools",
        synonyms="tool paint draw adjust",
    ),
    Shortcut(
        "eraser",
        "Eraser",
        ("E",),
        "Paint background.",
        others={UNI_EM: ("Shift+E",), WEBKNOSSOS: ("Ctrl+K, E", "E"), NAPARI: ("1", "E")},
        menu="Proofread/Tools",
        synonyms="tool erase rubber delete",
    ),
    Shortcut(
        "smaller-brush",
        "Smaller brush",
        ("[",),
        "Shrink the brush by 10 %.",
        others={UNI_EM: ("-", "["), WEBKNOSSOS: ("Shift+I", "["), ITK_SNAP: ("-", "[")},
        menu="Proofread/Brush",
        synonyms="size radius",
    ),
    Shortcut(
        "larger-brush",
        "Larger brush",
        ("]",),
        "Grow the brush by 10 %.",
        others={UNI_EM: ("=", "+", "]"), WEBKNOSSOS: ("Shift+O", "]"), ITK_SNAP: ("+", "=", "]")},
        menu="Proofread/Brush",
        synonyms="size radius bigger",
    ),
    # What Shift and a bracket produce, on Japanese keyboards too.
    Shortcut(
        "five-smaller",
        "Brush 5 px smaller",
        ("{",),
        "Shrink the brush by 5 voxels.",
        menu="Proofread/Brush",
        synonyms="size radius",
    ),
    Shortcut(
        "five-larger",
        "Brush 5 px larger",
        ("}",),
        "Grow the brush by 5 voxels.",
        menu="Proofread/Brush",
        synonyms="size radius bigger",
    ),
    Shortcut(
        "new-label",
        "New label",
        ("N",),
        "Take the first unused label into the hand.",
        others={WEBKNOSSOS: ("C",), NAPARI: ("M",)},
        menu="Proofread/Label in hand",
        synonyms="object segment id create",
    ),
    Shortcut(
        "pick",
        "Pick label",
        ("L",),
        "Take the label under the mouse into the hand.",
        others={WEBKNOSSOS: ("Ctrl+K, P", "L"), NAPARI: ("5", "L"), MIB: ("Ctrl+F", "L")},
        synonyms="eyedropper choose",
    ),
    Shortcut(
        "swap",
        "Swap with background",
        ("X",),
        "Change between the label in hand and background.",
        others={UNI_EM: ("Shift+X",)},
        menu="Proofread/Label in hand",
        synonyms="exchange erase",
    ),
    *(
        Shortcut(
            f"slot-{n}",
            f"Label slot {n}",
            (str(n),),
            "Take the label pinned to this number.",
            others={NAPARI: (f"Num+{n}",), ITK_SNAP: (f"Num+{n}",)}
            | ({WEBKNOSSOS: (f"Num+{n}",)} if n == 3 else {}),
            menu="Proofread/Label slots",
        )
        for n in range(1, 10)
    ),
    *(
        Shortcut(
            f"pin-{n}",
            f"Pin to slot {n}",
            (f"Ctrl+{n}",),
            "Pin the label in hand to this number.",
            menu="Proofread/Label slots",
        )
        for n in range(1, 10)
    ),
    Shortcut(
        "accept",
        "Accept",
        ("Return", "Enter"),
        "Do what the tool in hand has prepared.",
        others={UNI_EM: ("Tab", "Return", "Enter")},
        menu="Proofread",
        synonyms="commit confirm apply",
    ),
    Shortcut(
        "cancel",
        "Cancel",
        ("Esc",),
        "Forget what the tool in hand has begun.",
        menu="Proofread",
        synonyms="discard abort",
    ),
)
