"""The `workspaces` part: monorepos, in which the steps run once for each root."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ..globs import matches_name
from .fields import FileName, Glob, SpecModel, as_tuple_of_one


class Workspace(SpecModel):
    """Roots in repositories: each folder with a file of that name."""

    root_at_location_of: FileName = Field(
        description="Name of a file; each folder that has one is a root", examples=["go.mod"]
    )
    repositories: Annotated[tuple[Glob, ...], as_tuple_of_one] = Field(
        ("*",), alias="in", description="In which repositories: globs of owner/name", examples=["acme/mono"]
    )

    def holds_for(self, repository: str) -> bool:
        """Whether the repository (owner/name) is divided by this entry."""
        return any(matches_name(repository, pattern) for pattern in self.repositories)
