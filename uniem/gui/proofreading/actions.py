"""The actions of the window that concern whole objects and the history."""

from __future__ import annotations

from uniem.gui.action import Action

PROOFREADING_ACTIONS: tuple[Action, ...] = (
    Action(
        "merge-selected",
        "Merge selected objects",
        "Proofread",
        "proofreading.objects.merge_selected",
        ("Ctrl+M",),
        "Merge the objects selected in the table into the one in hand, or the largest.",
        "join combine agglomerate",
        needs="proofreading.objects.has_several",
        icon="call-merge",
    ),
    Action(
        "delete-objects",
        "Delete objects",
        "Proofread",
        "proofreading.objects.delete",
        (),
        "Make background of the objects selected in the table, or of the one in hand.",
        "remove erase clear",
        needs="proofreading.objects.has_any",
        icon="trash-can-outline",
    ),
    Action(
        "split-pieces",
        "Split into disconnected parts",
        "Proofread",
        "proofreading.objects.split_pieces",
        (),
        "Give each part of the object that does not touch the largest one a label of its own.",
        "connected components islands separate",
        needs="proofreading.objects.has_one",
    ),
    Action(
        "absorb-small",
        "Absorb small neighbours…",
        "Proofread",
        "proofreading.objects.absorb_small",
        (),
        "Merge what touches the object and is small into it.",
        "merge fragments clean",
        needs="proofreading.objects.has_one",
    ),
    Action(
        "relabel",
        "Relabel…",
        "Proofread",
        "proofreading.objects.relabel",
        (),
        "Give the object another label.",
        "change id number rename",
        needs="proofreading.objects.has_one",
        ends_part=True,
    ),
)
