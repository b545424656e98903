"""The networks one can choose from: each a frozen parameter model that builds a Keras model."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from uniem.errors import UniemError
from uniem.networks.architectures.architecture import Architecture
from uniem.networks.architectures.resnet import ResNet
from uniem.networks.architectures.unet import Unet

Network = Annotated[Unet | ResNet, Field(discriminator="kind")]

_NETWORK: TypeAdapter[Unet | ResNet] = TypeAdapter(Network)


def read_network(record: dict[str, Any]) -> Architecture:
    """Return the network that a model's record describes; raise if this version does not know it."""
    try:
        return _NETWORK.validate_python(record)
    except ValidationError as error:
        raise UniemError(
            f"The model's network '{record.get('kind', 'unnamed')}' is not one that this version builds.",
            "Update the program, or train the model again.",
        ) from error


__all__ = ["Architecture", "Network", "ResNet", "Unet", "read_network"]
