"""TensorFlow reads the event files that are written without it."""

from __future__ import annotations

from pathlib import Path

import pytest

from uniem.networks.backend import prepare_backend
from uniem.networks.event_files import EventFile


def test_tensorflow_reads_what_was_written(tmp_path: Path) -> None:
    prepare_backend("cpu")
    tf = pytest.importorskip("tensorflow", reason="TensorFlow, which would read them, is not installed")
    from tensorflow.core.util import event_pb2

    file = EventFile(tmp_path)
    file.write(1, loss=0.5)
    file.write(300, loss=0.25, val_f1=0.75)
    (path,) = tmp_path.iterdir()
    events = [event_pb2.Event.FromString(record.numpy()) for record in tf.data.TFRecordDataset([str(path)])]
    assert events[0].file_version == "brain.Event:2"
    found = [(e.step, {v.tag: v.simple_value for v in e.summary.value}) for e in events[1:]]
    assert found == [(1, {"loss": 0.5}), (300, {"loss": 0.25, "val_f1": 0.75})]
    assert events[2].wall_time == pytest.approx(path.stat().st_mtime, abs=60)
