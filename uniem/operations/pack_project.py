"""A project as one file for a colleague, or as another folder, and back again."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from uniem.data.packing import pack_project as pack
from uniem.data.packing import unpack_project as unpack
from uniem.operations.operation import Role, operation
from uniem.operations.outputs import PathOutput
from uniem.operations.parameters import Parameters
from uniem.progress import Context

SEPARATOR = "|"


class PackProjectParameters(Parameters):
    """What goes along."""

    leave_out: str = Field(
        "",
        description="Names of parts that are left out, as `uniem project` lists them, separated by |.",
    )


class UnpackProjectParameters(Parameters):
    """How to unpack a project."""


@operation("pack-project", menu="File", inputs={"project": Role.PROJECT}, outputs={"packed": Role.PROJECT})
def pack_project(project: Path, packed: PathOutput, params: PackProjectParameters, context: Context) -> None:
    """Pack a project and its data into one file, or copy it into another folder.

    A name that ends in `.uniem.zip` makes one file. Data outside of the project's folder come along; edits
    that are not saved yet do too. What is left out is still listed, and asked for when the copy is opened.
    """
    left_out = [name.strip() for name in params.leave_out.split(SEPARATOR) if name.strip()]
    pack(project, packed.path, left_out, context)


@operation("unpack-project", menu="File", inputs={"packed": Role.PROJECT}, outputs={"project": Role.PROJECT})
def unpack_project(
    packed: Path, project: PathOutput, params: UnpackProjectParameters, context: Context
) -> None:
    """Unpack a project into a new folder."""
    unpack(packed, project.path, context)
