"""Beginning sparse ground truth is one edit, and is not repeated."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from uniem.proofreading.session import ProofreadingSession
from uniem.proofreading.tools.ground_truth import BACKGROUND_CLASS, begin_sparse


def test_background_becomes_a_class(new_labels: Callable[..., Path]) -> None:
    session = ProofreadingSession.open(new_labels(shape=(2, 64, 64)))
    session.objects.scan()
    edit = begin_sparse(session.objects)
    assert edit is not None
    session.apply(edit)
    assert session.objects.fields_of(BACKGROUND_CLASS).name == "background"
    assert begin_sparse(session.objects) is None
    assert session.next_label() == 2
    session.undo()
    assert session.objects.fields_of(BACKGROUND_CLASS).name == ""
    session.close()
