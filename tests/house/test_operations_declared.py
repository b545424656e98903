"""Every operation is documented, versioned, light to import, and has flags and a record that round-trip."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from uniem.operations.operation import Operation
from uniem.operations.parameters import Shape, defaults_of, fields_of, validated
from uniem.operations.registry import operations, plugins

ALL = sorted(operations().values(), key=lambda operation: operation.id)


def test_the_first_operations_are_there() -> None:
    expected = {
        "convert", "normalise", "gaussian", "clahe", "threshold", "label",
        "train-2d", "infer-2d", "mesh", "measure", "evaluate",
    }  # fmt: skip
    assert expected <= set(operations())


def test_shipped_plugins_load() -> None:
    assert [status for status in plugins() if status.error] == []


@pytest.mark.parametrize("operation", ALL, ids=lambda operation: operation.id)
def test_declaration(operation: Operation) -> None:
    assert operation.version >= 1
    assert operation.menu
    assert len(operation.summary) <= 90, operation.summary
    assert operation.inputs and operation.outputs
    for parameter in fields_of(operation.parameters):
        assert parameter.help.endswith("."), f"{operation.id}.{parameter.name}: {parameter.help}"
        for model in parameter.models.values():
            assert fields_of(model) or parameter.shape is Shape.VARIANT


@pytest.mark.parametrize("operation", ALL, ids=lambda operation: operation.id)
def test_defaults_survive_json(operation: Operation) -> None:
    text = json.dumps(defaults_of(operation.parameters))
    assert validated(operation.parameters, json.loads(text)) == operation.parameters()


def test_registering_all_operations_imports_nothing_heavy() -> None:
    code = (
        "import sys; from uniem.operations.registry import operations; operations(); "
        "heavy = {'tensorflow', 'keras', 'vtkmodules', 'skimage', 'cv2', 'qtpy', 'scipy.ndimage'}; "
        "sys.exit(', '.join(sorted(heavy & set(sys.modules))) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
