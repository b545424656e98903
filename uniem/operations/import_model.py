"""Take networks that other programs made."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from uniem.data.formats import open_volume
from uniem.data.model_folder import ModelFolder
from uniem.data.volume import Kind
from uniem.operations.operation import Role, operation
from uniem.operations.outputs import PathOutput
from uniem.operations.parameters import Parameters
from uniem.progress import Context


class ImportBioimageIoParameters(Parameters):
    """What the network is adapted to."""

    image: str = Field(
        "",
        description="Image that it shall be applied to: where the network normalises images by their own "
        "gray values, these are measured in it, once.",
    )


@operation(
    "import-bioimage-io",
    menu="Segment/2D CNN",
    inputs={"package": Role.PACKAGE},
    outputs={"model": Role.MODEL},
)
def import_bioimage_io(
    package: Path, model: PathOutput, params: ImportBioimageIoParameters, context: Context
) -> None:
    """Make a model folder of a bioimage.io package, to be applied as if it were trained here.

    The package is a zip file or a folder, in format 0.5, with ONNX weights of a network for gray sections;
    pickled weights are refused. onnxruntime runs it, at once in the package's own example.
    """
    from uniem.networks.exchange.package_import import import_package

    image = open_volume(params.image, Kind.IMAGE) if params.image else None
    folder = ModelFolder.create(model.path)
    context.message(import_package(package, folder, image, context))
