"""The `on` and `skip` parts: which repositories a campaign is for."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag

from .fields import AsTuple, BranchName, Glob, Login, Regex, RepositoryName, SpecModel


class SearchEntry(SpecModel):
    """All repositories that a GitHub search finds."""

    repositories_matching_query: str = Field(
        min_length=1,
        max_length=256,
        description="A search for repositories, in GitHub's words",
        examples=["org:acme language:go archived:false"],
    )


class OrganizationEntry(SpecModel):
    """The repositories of an organisation or user."""

    org: Login = Field(description="Login of the organisation or user", examples=["acme"])
    topic: Annotated[tuple[str, ...], AsTuple] = Field(
        (), description="Only repositories that have all of these topics", examples=[["backend"]]
    )
    repo_include: Regex | None = Field(
        None,
        alias="repo-include",
        description="Only repositories whose name (without the owner) this regular expression finds",
        examples=["^svc-"],
    )
    repo_exclude: Regex | None = Field(
        None,
        alias="repo-exclude",
        description="No repository whose name (without the owner) this regular expression finds",
        examples=["-legacy$"],
    )


class RepositoryEntry(SpecModel):
    """One repository by name."""

    repository: RepositoryName = Field(description="owner/name", examples=["acme/api"])
    branches: Annotated[tuple[BranchName, ...], AsTuple] = Field(
        (), description="Base branches; none means the default branch", examples=[["main", "release-1"]]
    )


_KINDS = {"repositoriesMatchingQuery": "<search>", "org": "<org>", "repository": "<repository>"}


def _kind(entry: Any) -> str | None:
    if isinstance(entry, dict):
        return next((tag for key, tag in _KINDS.items() if key in entry), None)
    return None


OnEntry = Annotated[
    Annotated[SearchEntry, Tag("<search>")]
    | Annotated[OrganizationEntry, Tag("<org>")]
    | Annotated[RepositoryEntry, Tag("<repository>")],
    Discriminator(
        _kind,
        custom_error_type="spec",
        custom_error_message="must have one of the keys repositoriesMatchingQuery, org or repository",
    ),
]
"""An entry of `on`; a campaign is for the union of its entries."""


class Skip(SpecModel):
    """What is left out, whichever entry found it."""

    archived: bool = Field(True, description="Leave out archived repositories, which cannot be changed")
    forks: bool = Field(True, description="Leave out forks")
    repos: Annotated[tuple[Glob, ...], AsTuple] = Field(
        (), description="Leave out these: globs of owner/name", examples=[["acme/legacy-*"]]
    )
    opt_out_file: str | None = Field(
        None, description="Leave out repositories that have this file", examples=[".batchignore"]
    )
