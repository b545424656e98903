"""Write trained networks in the forms that other programs take."""

from __future__ import annotations

from pydantic import Field

from uniem.data.formats import open_volume
from uniem.data.formats.files import write_bytes
from uniem.data.model_folder import ModelFolder
from uniem.data.volume import Kind
from uniem.errors import UniemError
from uniem.networks.exchange.package_description import Publication
from uniem.operations.operation import Role, operation
from uniem.operations.outputs import PathOutput
from uniem.operations.parameters import Parameters
from uniem.progress import Context

MENU = "Segment/2D CNN"


class ExportOnnxParameters(Parameters):
    """What an ONNX file takes."""

    takes_gray_values: bool = Field(
        True,
        description="Let the file normalise by itself: it takes gray values as they are in the images. "
        "Otherwise who runs it must normalise first, as the file's metadata say.",
    )


class ExportBioimageIoParameters(Publication, Parameters):
    """What a bioimage.io package says of a network."""

    sample: str = Field(
        "",
        description="Image whose middle becomes the example that the package is tested by; empty: a picture "
        "of spots that is made up.",
    )


@operation("export-onnx", menu=MENU, inputs={"model": Role.MODEL}, outputs={"onnx": Role.ONNX}, device="cpu")
def export_onnx(model: ModelFolder, onnx: PathOutput, params: ExportOnnxParameters, context: Context) -> None:
    """Write a trained 2D network as an ONNX file, which other programs run without this one.

    It takes (batch, sections, y, x) float32 of any size divisible by the network's stride, gives
    probabilities, (batch, classes, y, x), and needs operators of version 17. What onnxruntime makes of it is
    compared with Keras.
    """
    from uniem.networks.backend import prepare_backend
    from uniem.networks.exchange import onnx_runtime
    from uniem.networks.exchange.example import gray_example, probabilities_of
    from uniem.networks.exchange.onnx_export import onnx_of
    from uniem.networks.normalisation import normalised

    prepare_backend("cpu")
    content = onnx_of(model, takes_gray_values=params.takes_gray_values)
    write_bytes(onnx.path, content)
    context.result(megabytes=len(content) / 1e6)
    context.check_cancelled()
    gray = gray_example(model.record)
    image = gray if params.takes_gray_values else normalised(gray, model.record.normalisation)
    difference = onnx_runtime.largest_difference(content, image, probabilities_of(model, gray))
    context.result(largest_difference=difference)
    context.message(f"onnxruntime and Keras give the same to within {difference:.1g}.")


@operation("export-bioimage-io", menu=MENU, inputs={"model": Role.MODEL}, outputs={"package": Role.PACKAGE})
def export_bioimage_io(
    model: ModelFolder, package: PathOutput, params: ExportBioimageIoParameters, context: Context
) -> None:
    """Write a trained 2D network as a bioimage.io package, which ilastik, Fiji and others open.

    The zip file holds the network as ONNX, its description (format 0.5) with axes, pixel size, normalisation
    and tiling, an example of input and output, a picture and a text. Where bioimage.io's own libraries are
    installed, they judge it.
    """
    from uniem.networks.backend import prepare_backend
    from uniem.networks.exchange.package_check import judge_package
    from uniem.networks.exchange.package_export import write_package

    if package.path.suffix.lower() != ".zip":
        raise UniemError(f"{package.final.name} is no name of a package.", "Choose a name that ends in .zip.")
    prepare_backend("cpu")
    sample = open_volume(params.sample, Kind.IMAGE) if params.sample else None
    publication = Publication.model_validate(params.model_dump(exclude={"sample"}))
    write_package(model, package.path, publication, sample)
    context.result(megabytes=package.path.stat().st_size / 1e6)
    context.check_cancelled()
    context.message(judge_package(package.path).words)
