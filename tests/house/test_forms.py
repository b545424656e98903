"""Every operation's form gives its defaults back, and has help on every field."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel

from uniem.gui.forms.form import Form
from uniem.operations.operation import Operation
from uniem.operations.parameters import fields_of
from uniem.operations.registry import operations


@pytest.mark.parametrize("operation", operations().values(), ids=lambda operation: str(operation.id))
def test_a_form_gives_the_defaults_back(operation: Operation, qtbot: Any) -> None:
    form = Form(operation.parameters)
    qtbot.addWidget(form)
    assert operation.parameters.model_validate(form.values()) == operation.parameters()


@pytest.mark.parametrize("operation", operations().values(), ids=lambda operation: str(operation.id))
def test_every_field_has_help(operation: Operation) -> None:
    def check(model: type[BaseModel]) -> None:
        for field in fields_of(model):
            assert field.help
            for inner in field.models.values():
                check(inner)

    check(operation.parameters)
