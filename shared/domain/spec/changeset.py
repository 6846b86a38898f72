"""The `changesetTemplate` part: what each pull request looks like, and how far it is published."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, cast

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from ..globs import InvalidGlob, check_glob, matches_name
from .fields import LabelName, Login, SpecModel, TeamName, Template, as_tuple_of_one, wrong


class Published(StrEnum):
    """How far a prepared change goes: not at all, a draft pull request, or an open one."""

    NO = "false"
    DRAFT = "draft"
    OPEN = "true"


class PublishRule(SpecModel):
    """One line of `published`: repositories by a glob of owner/name, and how far they go."""

    repositories: str
    published: Published


def _published(value: Any) -> tuple[PublishRule, ...]:
    if isinstance(value, tuple):  # rules already
        return cast("tuple[PublishRule, ...]", value)
    if not isinstance(value, list):
        return (PublishRule.model_construct(repositories="*", published=_policy(value)),)
    return tuple(_rule(entry) for entry in cast("list[Any]", value))


def _rule(entry: Any) -> PublishRule:
    if not isinstance(entry, dict) or len(cast("dict[Any, Any]", entry)) != 1:
        raise wrong('each entry of the list must be one pair, such as {"acme/*": draft}')
    ((pattern, value),) = cast("dict[Any, Any]", entry).items()
    try:
        check_glob(str(pattern))
    except InvalidGlob as error:
        raise wrong(str(error)) from None
    return PublishRule.model_construct(repositories=str(pattern), published=_policy(value))


def _policy(value: Any) -> Published:
    if value is True:
        return Published.OPEN
    if value is False:
        return Published.NO
    if value == "draft":
        return Published.DRAFT
    raise wrong("must be true, false, draft, or a list of pairs such as {acme/*: draft}")


_POLICY_SCHEMA: dict[str, Any] = {"enum": [True, False, "draft"]}
_PUBLISHED_SCHEMA: dict[str, Any] = {
    "anyOf": [
        _POLICY_SCHEMA,
        {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": _POLICY_SCHEMA,
                "minProperties": 1,
                "maxProperties": 1,
            },
        },
    ]
}


class Signing(StrEnum):
    """Who signs commits: GitHub, which then shows them as Verified, or nobody."""

    API = "api"
    NONE = "none"


class CommitTemplate(SpecModel):
    """The commit of each pull request."""

    message: Template = Field(min_length=1, description="The commit's message, a template", examples=["Bump Go"])
    signing: Annotated[Signing, Field(strict=False)] = Field(
        Signing.API,
        description="api: made and signed by GitHub, unless too large or with file modes; none: pushed by git",
    )


class Reviewers(SpecModel):
    """Who is asked for a review."""

    users: Annotated[tuple[Login, ...], as_tuple_of_one] = Field((), description="Users", examples=[["mona"]])
    teams: Annotated[tuple[TeamName, ...], as_tuple_of_one] = Field(
        (), description="Teams, as organisation/slug", examples=[["acme/platform"]]
    )
    from_codeowners: bool = Field(False, description="Those too who own what is changed, by CODEOWNERS")
    max: int = Field(15, ge=1, le=15, description="Most to ask in all; GitHub takes 15")

    @property
    def is_empty(self) -> bool:
        """Whether nobody is asked."""
        return not (self.users or self.teams or self.from_codeowners)


class ConflictStrategy(StrEnum):
    """What is done where the branch is there already, or conflicts with its base. Each does what the one before does.

    `skip` leaves both as they are, `replace` puts the new change on a branch of an earlier run, and `rebase` also runs
    the steps again on the new base where the pull request conflicts with it.
    """

    SKIP = "skip"
    REPLACE = "replace"
    REBASE = "rebase"


class OnForeignCommits(StrEnum):
    """What is done where a person has put commits on our branch."""

    STOP = "stop"
    OVERWRITE = "overwrite"


class MergeMethod(StrEnum):
    """How a pull request is merged; `none` leaves that to people."""

    NONE = "none"
    MERGE = "merge"
    SQUASH = "squash"
    REBASE = "rebase"


class ChangesetTemplate(SpecModel):
    """What each pull request looks like."""

    title: Template = Field(min_length=1, description="Title of the pull request, a template", examples=["Bump Go"])
    body: Template = Field("", description="Text of the pull request, a template", examples=["${{ campaign.link }}"])
    branch: Template = Field(
        min_length=1,
        description="Head branch, a template of repository and campaign; Octobatch owns it",
        examples=["octobatch/bump-go"],
    )
    commit: CommitTemplate = Field(description="The commit of each pull request")
    published: Annotated[tuple[PublishRule, ...], BeforeValidator(_published), WithJsonSchema(_PUBLISHED_SCHEMA)] = (
        Field(
            default_factory=lambda: _published(True),
            description="true opens pull requests, draft opens drafts, false only prepares; the last match wins",
            examples=[True, "draft", [{"acme/*": "draft"}, {"acme/api": True}]],
        )
    )

    labels: Annotated[tuple[LabelName, ...], as_tuple_of_one] = Field(
        (), max_length=50, description="Labels; those that a repository has not are made", examples=[["dependencies"]]
    )
    assignees: Annotated[tuple[Login, ...], as_tuple_of_one] = Field(
        (), max_length=10, description="Users to assign; GitHub takes 10", examples=[["mona"]]
    )
    reviewers: Reviewers = Field(
        default_factory=lambda: Reviewers.model_validate({}), description="Who is asked for a review"
    )
    conflict_strategy: Annotated[ConflictStrategy, Field(strict=False)] = Field(
        ConflictStrategy.REBASE,
        description="skip: leave existing branches and conflicts alone; replace: put the new change on a branch of an"
        " earlier run; rebase: that, and run the steps again where the base has moved into conflict",
    )
    on_foreign_commits: Annotated[OnForeignCommits, Field(strict=False)] = Field(
        OnForeignCommits.STOP, description="stop: leave a branch with a person's commits alone; overwrite: replace them"
    )
    auto_merge: Annotated[MergeMethod, Field(strict=False)] = Field(
        MergeMethod.NONE, description="Have GitHub merge once its requirements are met: none, merge, squash or rebase"
    )

    @model_validator(mode="after")
    def _reviewers_fit(self) -> ChangesetTemplate:
        named = len(self.reviewers.users) + len(self.reviewers.teams)
        if named > self.reviewers.max:
            raise wrong(f"reviewers names {named} users and teams, more than its max of {self.reviewers.max}")
        return self

    @property
    def decorates(self) -> bool:
        """Whether anything is put on a pull request after it is opened."""
        return bool(
            self.labels or self.assignees or not self.reviewers.is_empty or self.auto_merge is not MergeMethod.NONE
        )

    def published_for(self, repository: str) -> Published:
        """How far the change of a repository (owner/name) goes; what no rule matches is not published."""
        matching = [rule.published for rule in self.published if matches_name(repository, rule.repositories)]
        return matching[-1] if matching else Published.NO
