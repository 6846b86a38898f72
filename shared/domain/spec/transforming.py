"""The `transformChanges` part: one repository's change becomes several pull requests."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field, model_validator

from ..globs import matches_name
from .fields import AsTuple, BranchName, Glob, RepositoryPath, SpecModel, Template, as_tuple_of_one, wrong


class ChangeGroup(SpecModel):
    """What is changed below a folder goes into a pull request of its own."""

    directory: RepositoryPath = Field(description="The folder", examples=["web"])
    branch: BranchName = Field(description="Head branch of its pull request", examples=["octobatch/bump-go-web"])
    title: Template | None = Field(None, min_length=1, description="Title of its pull request, a template")
    body: Template | None = Field(None, description="Text of its pull request, a template")
    repositories: Annotated[tuple[Glob, ...], as_tuple_of_one] = Field(
        ("*",), alias="in", description="In which repositories: globs of owner/name", examples=["acme/mono"]
    )

    def holds_for(self, repository: str) -> bool:
        """Whether the change of the repository (owner/name) is divided by this entry."""
        return any(matches_name(repository, pattern) for pattern in self.repositories)


class SplitBy(StrEnum):
    """How a change is divided: a pull request for each set of owners."""

    CODEOWNERS = "codeowners"


class TransformChanges(SpecModel):
    """How a repository's change becomes several pull requests. What no group takes stays together."""

    group: Annotated[tuple[ChangeGroup, ...], AsTuple] = Field(
        (), description="Folders whose changes are pull requests of their own; the first that holds a file takes it"
    )
    split_by: Annotated[SplitBy | None, Field(strict=False)] = Field(
        None, description="codeowners: a pull request for each set of owners of what no group took"
    )

    @model_validator(mode="after")
    def _branches_differ(self) -> TransformChanges:
        branches = [group.branch for group in self.group]
        if repeated := next((branch for branch in branches if branches.count(branch) > 1), None):
            raise wrong(f"two groups have the branch {repeated}; each needs one of its own")
        return self
