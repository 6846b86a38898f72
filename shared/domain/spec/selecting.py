"""The `on`, `skip` and `where` parts: which repositories a campaign is for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, WithJsonSchema, model_validator

from ..repository import Visibility
from ..search_query import CODE_QUALIFIERS, REPOSITORY_QUALIFIERS, problem_of
from ..target import TargetState
from .fields import (
    AsTuple,
    BranchName,
    CampaignName,
    Glob,
    Login,
    Regex,
    RepositoryName,
    RepositoryPath,
    SpecModel,
    TeamName,
    as_enums,
    as_tuple_of_one,
    check_branch,
    moment_or_age,
    wrong,
)

Since = Annotated[
    datetime | timedelta,
    BeforeValidator(moment_or_age),
    WithJsonSchema({"type": "string", "examples": ["2026-01-31", "90d"]}),
]
"""A moment, or how long before the selection."""


def _search(qualifiers: frozenset[str]) -> AfterValidator:
    def check(query: str) -> str:
        if problem := problem_of(query, qualifiers):
            raise wrong(problem)
        return query

    return AfterValidator(check)


class SearchEntry(SpecModel):
    """All repositories that a GitHub search finds."""

    repositories_matching_query: Annotated[str, _search(REPOSITORY_QUALIFIERS)] = Field(
        min_length=1,
        description="A search for repositories, in GitHub's words",
        examples=["org:acme language:go archived:false"],
    )


class CodeSearchEntry(SpecModel):
    """All repositories in which a GitHub search for code finds a file, on default branches."""

    code_search: Annotated[str, _search(CODE_QUALIFIERS)] = Field(
        min_length=1,
        description="A search for code, in GitHub's words",
        examples=["org:acme filename:go.mod"],
    )


class Filters(SpecModel):
    """What a repository of a listing must be like; all that is given must hold."""

    topic: Annotated[tuple[str, ...], as_tuple_of_one] = Field(
        (), description="Only repositories that have all of these topics", examples=[["backend"]]
    )
    language: Annotated[tuple[str, ...], as_tuple_of_one] = Field(
        (), description="Only repositories mostly written in one of these languages", examples=[["Go", "Rust"]]
    )
    visibility: Annotated[tuple[Visibility, ...], as_enums(Visibility)] = Field(
        (), description="Only repositories that are one of these", examples=[["private", "internal"]]
    )
    properties: dict[str, Annotated[tuple[str, ...], as_tuple_of_one]] = Field(
        default_factory=dict[str, tuple[str, ...]],
        description="Only repositories whose custom properties have one of these values",
        examples=[{"tier": ["gold", "silver"]}],
    )
    pushed_since: Since | None = Field(
        None, description="Only repositories pushed to since then: a day, a time, or how long ago (90d, 12h)"
    )
    archived: bool | None = Field(None, description="Only archived repositories, or none that is")
    fork: bool | None = Field(None, description="Only forks, or none that is")
    template: bool | None = Field(None, description="Only templates, or none that is")
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


class OrganizationEntry(Filters):
    """The repositories of an organisation."""

    org: Login = Field(description="Login of the organisation (a user's is taken too)", examples=["acme"])


class UserEntry(Filters):
    """The repositories of a user."""

    user: Login = Field(description="Login of the user", examples=["octocat"])


class TeamEntry(Filters):
    """The repositories that a team of an organisation has access to."""

    team: TeamName = Field(description="organisation/slug of the team", examples=["acme/platform"])


class InstallationEntry(Filters):
    """The repositories that the App was given."""

    installation: Login | Literal["*"] = Field(
        description='The account that the App is installed on, or "*" for all of them', examples=["acme", "*"]
    )


class RepositoryEntry(SpecModel):
    """One repository by name."""

    repository: RepositoryName = Field(description="owner/name", examples=["acme/api"])
    branches: Annotated[tuple[BranchName, ...], AsTuple] = Field(
        (), description="Base branches; none means the default branch", examples=[["main", "release-1"]]
    )


def _check_named(value: str) -> str:
    _, at, branch = value.partition("@")
    if at:
        check_branch(branch)
    return value


class RepositoriesEntry(SpecModel):
    """Repositories by name, one a line of a list."""

    repositories: Annotated[
        tuple[Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+(@.+)?$")], ...], AsTuple
    ] = Field(
        min_length=1,
        description="owner/name each, or owner/name@branch",
        examples=[["acme/api", "acme/web@release-1"]],
    )

    @model_validator(mode="after")
    def _branches_are_named_well(self) -> Self:
        for each in self.repositories:
            _check_named(each)
        return self


class NamesFileEntry(SpecModel):
    """Repositories by name, from a file beside the spec; the command line puts its names into the spec."""

    file: str = Field(
        min_length=1,
        description="A file of owner/name or owner/name@branch, one a line; # begins a comment",
        examples=["repos.txt"],
    )


class CampaignEntry(SpecModel):
    """What another campaign selected last."""

    campaign: CampaignName = Field(description="Name of the campaign", examples=["bump-go"])


def _uuid(value: Any) -> Any:
    try:
        return UUID(value) if isinstance(value, str) else value
    except ValueError:
        raise wrong("must be the id of a run, such as octobatch runs list shows it") from None


class RunEntry(SpecModel):
    """The repositories of a run whose targets ended in certain states."""

    run: Annotated[UUID, BeforeValidator(_uuid)] = Field(description="Id of the run")
    states: Annotated[tuple[TargetState, ...], as_enums(TargetState)] = Field(
        (TargetState.FAILED,), min_length=1, description="Targets in one of these states", examples=[["failed"]]
    )


_KINDS = {
    "exclude": "<exclude>",
    "repositoriesMatchingQuery": "<search>",
    "codeSearch": "<code>",
    "org": "<org>",
    "user": "<user>",
    "team": "<team>",
    "installation": "<installation>",
    "repository": "<repository>",
    "repositories": "<repositories>",
    "file": "<file>",
    "campaign": "<campaign>",
    "run": "<run>",
}


def _kind(entry: Any) -> str | None:
    if isinstance(entry, dict):
        return next((tag for key, tag in _KINDS.items() if key in entry), None)
    return None


_Including = (
    Annotated[SearchEntry, Tag("<search>")]
    | Annotated[CodeSearchEntry, Tag("<code>")]
    | Annotated[OrganizationEntry, Tag("<org>")]
    | Annotated[UserEntry, Tag("<user>")]
    | Annotated[TeamEntry, Tag("<team>")]
    | Annotated[InstallationEntry, Tag("<installation>")]
    | Annotated[RepositoryEntry, Tag("<repository>")]
    | Annotated[RepositoriesEntry, Tag("<repositories>")]
    | Annotated[NamesFileEntry, Tag("<file>")]
    | Annotated[CampaignEntry, Tag("<campaign>")]
    | Annotated[RunEntry, Tag("<run>")]
)
_WHAT = "must have one of the keys " + ", ".join(key for key in _KINDS if key != "exclude")


IncludingEntry = Annotated[_Including, Discriminator(_kind, custom_error_type="spec", custom_error_message=_WHAT)]
"""An entry that finds repositories."""


class ExcludeEntry(SpecModel):
    """Leaves out whatever the entry within finds, whichever other entry found it too."""

    exclude: IncludingEntry = Field(description="An entry like the others; what it finds is left out")


OnEntry = Annotated[
    _Including | Annotated[ExcludeEntry, Tag("<exclude>")],
    Discriminator(_kind, custom_error_type="spec", custom_error_message=f"{_WHAT} or exclude"),
]
"""An entry of `on`; a campaign is for the union of its entries, without what `exclude` entries find."""


class Skip(SpecModel):
    """What is left out, whichever entry found it."""

    archived: bool = Field(True, description="Leave out archived repositories, which cannot be changed")
    forks: bool = Field(True, description="Leave out forks")
    templates: bool = Field(False, description="Leave out templates")
    repos: Annotated[tuple[Glob, ...], AsTuple] = Field(
        (), description="Leave out these: globs of owner/name", examples=[["acme/legacy-*"]]
    )
    opt_out_file: RepositoryPath | None = Field(
        None, description="Leave out repositories that have this file", examples=[".batchignore"]
    )


class FileCondition(SpecModel):
    """What a file on the base branch must be like, read without a clone."""

    file: RepositoryPath = Field(description="Path of the file", examples=["go.mod"])
    exists: bool | None = Field(None, description="true: it must be there; false: it must not")
    matches: Regex | None = Field(
        None,
        description="It must be there, and this regular expression must find something in it",
        examples=["^go 1\\.2[0-2]$"],
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.exists is None) == (self.matches is None):
            raise wrong("must have either exists or matches")
        return self


def since_moment(since: datetime | timedelta, *, now: datetime) -> datetime:
    """The moment that `pushedSince` speaks of, for a selection that is made at `now`."""
    return now - since if isinstance(since, timedelta) else since.astimezone(UTC)
