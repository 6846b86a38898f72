"""The `changesetTemplate` part: what each pull request looks like, and how far it is published."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, cast

from pydantic import BeforeValidator, Field, WithJsonSchema

from ..globs import InvalidGlob, check_glob, matches_name
from .fields import SpecModel, Template, wrong


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

    def published_for(self, repository: str) -> Published:
        """How far the change of a repository (owner/name) goes; what no rule matches is not published."""
        matching = [rule.published for rule in self.published if matches_name(repository, rule.repositories)]
        return matching[-1] if matching else Published.NO
