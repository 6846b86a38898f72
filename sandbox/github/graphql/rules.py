"""Rules for branches, as whoever may read a repository sees them."""

from __future__ import annotations

from typing import Any

from graphql import GraphQLResolveInfo

from ..state import Repository
from ..state.rules import Protection, Ruleset
from .nodes import Ref, request
from .pages import Page, list_page
from .resolvers import Resolvers


def rule_of(ref: Ref, info: GraphQLResolveInfo) -> Protection | None:
    """What protects a branch."""
    kind, name = ref.short
    if kind != "refs/heads/":
        return None
    return request(info).world.state.rules.of(ref.repository.id).protected.get(name)


def rulesets_of(
    repository: Repository, info: GraphQLResolveInfo, *, include_parents: bool = True, **arguments: Any
) -> Page[Ruleset]:
    """The rulesets of a repository; organisations have none here, so that `include_parents` adds none."""
    del include_parents
    return list_page(info, arguments, request(info).world.state.rules.of(repository.id).rulesets)


def _rules(ruleset: Ruleset, info: GraphQLResolveInfo, **arguments: Any) -> Page[str]:
    return list_page(info, arguments, ruleset.rules)


REF_UPDATE_RULE: Resolvers = {
    "requiredApprovingReviewCount": lambda protection, _: protection.reviews,
    "requiredStatusCheckContexts": lambda protection, _: list(protection.checks),
    "requiresCodeOwnerReviews": lambda protection, _: protection.from_owners,
}
RULESET: Resolvers = {
    "conditions": lambda ruleset, _: ruleset,
    "enforcement": lambda _, __: "ACTIVE",
    "name": lambda ruleset, _: ruleset.name,
    "rules": _rules,
    "target": lambda _, __: "BRANCH",
}
CONDITIONS: Resolvers = {"refName": lambda ruleset, _: ruleset}
REF_NAMES: Resolvers = {
    "exclude": lambda ruleset, _: list(ruleset.exclude),
    "include": lambda ruleset, _: list(ruleset.include),
}
RULE: Resolvers = {"type": lambda rule, _: rule}
