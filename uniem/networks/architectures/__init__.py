"""The networks one can choose from: each a frozen parameter model that builds a Keras model."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, get_args

from pydantic import Field, TypeAdapter, ValidationError

from uniem.errors import UniemError
from uniem.networks.architectures.architecture import Architecture
from uniem.networks.architectures.densenet import DenseNet
from uniem.networks.architectures.em_net_v1 import EmNetV1BN, EmNetV1x2, EmNetV1x4
from uniem.networks.architectures.em_net_v1_bn_2x import EmNetV1BNx2
from uniem.networks.architectures.em_net_v2 import EmNetV2, EmNetV2x2, EmNetV2x4
from uniem.networks.architectures.em_stellar_resnet import EmStellarResNet
from uniem.networks.architectures.em_stellar_unet import EmStellarUnet, EmStellarUnetBN
from uniem.networks.architectures.foreign import ForeignNetwork
from uniem.networks.architectures.highwaynet import HighwayNet
from uniem.networks.architectures.inception_resnet import InceptionResNet
from uniem.networks.architectures.prelu_net import PReLUNet
from uniem.networks.architectures.resnet import ResNet
from uniem.networks.architectures.segnet import ReducedSegNet, SegNet
from uniem.networks.architectures.unet import Unet
from uniem.networks.architectures.unet_resnet50 import UnetResNet50
from uniem.networks.architectures.uni_em_unet import UniEmUnet
from uniem.networks.architectures.vgg import VGG

AnyNetwork = (
    Unet
    | ResNet
    | HighwayNet
    | DenseNet
    | UniEmUnet
    | EmNetV1x2
    | EmNetV1BN
    | EmNetV1BNx2
    | EmNetV1x4
    | EmNetV2
    | EmNetV2x2
    | EmNetV2x4
    | EmStellarUnet
    | EmStellarUnetBN
    | EmStellarResNet
    | VGG
    | PReLUNet
    | ReducedSegNet
    | SegNet
    | UnetResNet50
    | InceptionResNet
)
Network = Annotated[AnyNetwork, Field(discriminator="kind")]


def networks() -> dict[str, Architecture]:
    """Return every network with its default parameters, by kind."""
    return {network.model_dump()["kind"]: network for network in (kind() for kind in get_args(AnyNetwork))}


def read_network(record: dict[str, Any]) -> Architecture:
    """Return the network that a model's record describes; raise if this version does not know it."""
    try:
        return _adapter().validate_python(record)
    except ValidationError as error:
        raise UniemError(
            f"The model's network '{record.get('kind', 'unnamed')}' is not one that this version builds.",
            "Update the program, or train the model again.",
        ) from error


@cache
def _adapter() -> TypeAdapter[Architecture]:
    # A foreign network can be applied, but is none to choose for a training.
    return TypeAdapter(Annotated[AnyNetwork | ForeignNetwork, Field(discriminator="kind")])


__all__ = [
    "VGG",
    "Architecture",
    "DenseNet",
    "EmNetV1BN",
    "EmNetV1BNx2",
    "EmNetV1x2",
    "EmNetV1x4",
    "EmNetV2",
    "EmNetV2x2",
    "EmNetV2x4",
    "EmStellarResNet",
    "EmStellarUnet",
    "EmStellarUnetBN",
    "ForeignNetwork",
    "HighwayNet",
    "InceptionResNet",
    "Network",
    "PReLUNet",
    "ReducedSegNet",
    "ResNet",
    "SegNet",
    "Unet",
    "UnetResNet50",
    "UniEmUnet",
    "networks",
    "read_network",
]
