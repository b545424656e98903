"""Forms keep every value exactly, variants keep what was typed, messages stand under their fields."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel

from uniem.data.geometry import VoxelSize
from uniem.gui.forms.editors import NumberBox
from uniem.gui.forms.form import Form
from uniem.networks.architectures import Network, ResNet, Unet
from uniem.operations.parameters import Parameters, VoxelSizeNm, messages_of


class Small(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: Literal["small"] = "small"
    depth: int = Field(4, ge=1, le=6, description="How deep.")


class Large(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: Literal["large"] = "large"
    blocks: int = Field(9, description="How many.")
    rate: float = Field(1e-4, gt=0, description="How fast.")


class Inner(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    flip: bool = Field(True, description="Flip.")
    jitter: float = Field(0.1, description="Jitter.")


class Everything(Parameters):
    yes: bool = Field(False, description="Yes or no.")
    count: int = Field(3, ge=0, description="A count.")
    label: int = Field(2**40, description="A large id.")
    rate: float = Field(1e-4, gt=0, le=1, description="A rate.")
    tiny: float = Field(1.23456789012345e-17, description="A tiny number.")
    name: str = Field("näme", description="A name.")
    mode: Literal["xy", "3d"] = Field("3d", description="A mode.")
    low: float | None = Field(None, description="A low value.")
    most: int | None = Field(7, description="A most value.", json_schema_extra={"unit": "voxels"})
    size: VoxelSizeNm | None = Field(VoxelSize(50, 4.6, 4.6), description="Voxel size.")
    unknown: VoxelSizeNm | None = Field(None, description="Voxel size.")
    inner: Inner = Field(Inner(), description="A group.")
    network: Annotated[Small | Large, Field(discriminator="kind")] = Field(Small(), description="A network.")
    seed: int = Field(0, description="A seed.", json_schema_extra={"advanced": True})


@pytest.fixture
def form(qtbot: Any) -> Form:
    form = Form(Everything)
    qtbot.addWidget(form)
    form.show()
    return form


def errors_of(form: Form) -> dict[str, str]:
    with pytest.raises(ValidationError) as caught:
        Everything.model_validate(form.values())
    return messages_of(caught.value)


def test_a_form_gives_back_the_defaults_exactly(form: Form) -> None:
    assert Everything.model_validate(form.values()) == Everything()


def test_a_form_gives_back_other_values_exactly(form: Form) -> None:
    other = Everything(
        yes=True,
        label=2**63,
        rate=3e-7,
        low=-0.1,
        most=None,
        size=None,
        unknown=VoxelSize(0.1, 0.2, 0.30000000000000004),
        inner=Inner(flip=False),
        network=Large(rate=1e-5),
        mode="xy",
    )
    form.set_values(other.model_dump(mode="json"))
    assert Everything.model_validate(form.values()) == other
    form.reset()
    assert Everything.model_validate(form.values()) == Everything()


def test_typed_numbers_are_neither_rounded_nor_cut(form: Form, qtbot: Any) -> None:
    box = form.editor("rate").findChild(NumberBox)
    box.lineEdit().selectAll()
    with qtbot.waitSignal(form.changed):
        qtbot.keyClicks(box, "2.5e-9")
    assert form.values()["rate"] == 2.5e-9
    qtbot.keyClick(box, Qt.Key_Up)
    assert form.values()["rate"] == 2.6e-9


def test_steps_stop_at_the_bounds(form: Form, qtbot: Any) -> None:
    box = form.editor("count").findChild(NumberBox)
    box.stepBy(-10)
    assert form.values()["count"] == 0


def test_switching_a_variant_keeps_what_was_typed(form: Form) -> None:
    form.editor("network.depth").set_value(6)
    form.set_values({"network": {"kind": "large", "blocks": 3}})
    assert form.values()["network"] == {"kind": "large", "blocks": 3, "rate": 1e-4}
    form.set_values({"network": {"kind": "small"}})
    assert form.values()["network"] == {"kind": "small", "depth": 6}


def test_messages_stand_under_their_fields(form: Form) -> None:
    form.set_values({"rate": "fast", "count": -1, "seed": "x", "network": {"kind": "small", "depth": 99}})
    form.show_errors(errors_of(form))
    shown = {label.text() for label in form.findChildren(QLabel) if label.property("role") == "error"}
    shown.discard("")
    assert len(shown) == 4
    visible = [label for label in form.findChildren(QLabel) if label.property("role") == "error"]
    assert sum(label.isVisible() for label in visible) == 4  # the advanced part opened for its message
    form.show_errors({})
    assert not any(label.isVisible() for label in visible)


def test_a_message_about_no_field_is_shown_at_the_top(form: Form) -> None:
    form.show_errors({"": "low lies above high", "gone": "there is no such parameter"})
    assert any("ow lies above high" in label.text() for label in form.findChildren(QLabel))


@pytest.fixture
def folded(qtbot: Any) -> Form:
    form = Form(Everything, sections={"Numbers": ["count", "rate", "seed"], "Parts": ["inner", "network"]})
    qtbot.addWidget(form)
    form.show()
    return form


def visible(form: Form) -> set[str]:
    names = (*Everything.model_fields, "inner.flip", "inner.jitter", "network.depth")
    return {name for name in names if form.editor(name).isVisible()}


def test_sections_hold_their_fields_and_the_rest_comes_last(folded: Form) -> None:
    assert folded.values() == Form(Everything).values()
    assert {"count", "rate", "seed", "name"} <= visible(folded)
    assert not {"inner", "network"} & visible(folded), "only the first section is open"
    folded.show_errors({"network.depth": "too deep"})
    assert {"network", "network.depth"} <= visible(folded)


def test_a_search_shows_what_it_means_and_leaves_everything_as_it_was(folded: Form) -> None:
    before, seen = folded.values(), visible(folded)
    assert folded.search("JITTER") == 1
    assert visible(folded) == {"inner", "inner.jitter"}
    assert folded.search("how deep") == 1
    assert visible(folded) == {"network", "network.depth"}
    assert folded.search("nothing like this") == 0
    assert not visible(folded)
    folded.search("")
    assert visible(folded) == seen and folded.values() == before


def test_a_kind_says_what_it_is(qtbot: Any) -> None:
    class Networks(BaseModel):
        network: Network = Field(Unet(), description="The network.")

    form = Form(Networks)
    qtbot.addWidget(form)
    form.set_values({"network": {"kind": "resnet"}})
    assert any(label.text() == ResNet.advice for label in form.findChildren(QLabel))
