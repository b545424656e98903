from __future__ import annotations

from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from uniem.data.geometry import VoxelSize
from uniem.errors import UniemError
from uniem.operations.parameters import Parameters, Shape, VoxelSizeNm, fields_of, validated


class Small(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: Literal["small"] = "small"
    depth: int = Field(2, ge=1, le=8, description="How deep.")


class Large(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: Literal["large"] = "large"
    width: float = Field(1e-4, gt=0, description="How wide.")


class Everything(Parameters):
    """All shapes a parameter can have."""

    number: int = Field(3, ge=0, le=2**40, description="A number.")
    rate: float = Field(
        1e-4, gt=0, lt=1, description="A rate.", json_schema_extra={"advanced": True, "unit": "px"}
    )
    maybe: float | None = Field(None, description="Perhaps a number.")
    flag: bool = Field(True, description="A switch.")
    word: str = Field("a b", description="A word.")
    choice: Literal["one", "two"] = Field("one", description="A choice.")
    voxel_size: VoxelSizeNm | None = Field(None, description="A size.")
    group: Small = Field(Small(), description="A group.")
    variant: Annotated[Small | Large, Field(discriminator="kind")] = Field(Large(), description="A variant.")


def test_every_shape_is_recognised() -> None:
    fields = {field.name: field for field in fields_of(Everything)}
    shapes = {name: field.shape for name, field in fields.items()}
    assert shapes == {
        "number": Shape.INT, "rate": Shape.FLOAT, "maybe": Shape.FLOAT, "flag": Shape.BOOL, "word": Shape.TEXT,
        "choice": Shape.CHOICE, "voxel_size": Shape.VOXEL_SIZE, "group": Shape.GROUP, "variant": Shape.VARIANT,
    }  # fmt: skip
    assert (fields["number"].minimum, fields["number"].maximum) == (0, 2**40)
    assert fields["rate"].open_minimum and fields["rate"].advanced and fields["rate"].unit == "px"
    assert fields["maybe"].optional and not fields["rate"].optional
    assert fields["variant"].choices == ("small", "large") and fields["variant"].discriminator == "kind"
    assert fields["voxel_size"].flag == "--voxel-size"
    inner = fields_of(fields["variant"].models["large"], ("variant",))
    assert [field.flag for field in inner] == ["--variant.width"]


def test_values_are_read_and_wrong_ones_all_named() -> None:
    made = validated(Everything, {"voxel_size": "50,4,4", "variant": {"kind": "small", "depth": 4}})
    assert made.voxel_size == VoxelSize(50, 4, 4)  # type: ignore[attr-defined]
    with pytest.raises(UniemError) as caught:
        validated(Everything, {"number": -1, "rates": 1, "variant": {"kind": "small", "depth": 99}})
    for words in ("number: ", "rates: there is no such parameter", "depth: "):
        assert words in caught.value.message


def test_a_parameter_without_help_or_of_unknown_type_is_refused() -> None:
    class Silent(Parameters):
        number: int = 3

    class Strange(Parameters):
        number: complex = Field(3j, description="A complex number.")

    with pytest.raises(TypeError, match="no description"):
        fields_of(Silent)
    with pytest.raises(TypeError, match="no form and no flag"):
        fields_of(Strange)
