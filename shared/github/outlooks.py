"""What a pull request would meet: rules for its branches, who has the branch, how it may be merged. Decides nothing.

Points of a request for 100 (docs.github.com, "Rate limits and query limits for the GraphQL API"): about 13.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .branches import BranchCommit, commit_from
from .client import GitHubClient
from .graphql import RATE_LIMIT, nodes_of
from .paging import PageSize
from .pull_requests import BranchView, pull_request_from

_PULL_REQUEST = "id number url state isDraft body baseRefName isCrossRepository headRefOid updatedAt"
_COMMITS = (
    "compare(headRef: $h{n}) {{ commits(last: 50) {{ totalCount nodes {{ oid message author {{ name email }}"
    " committer {{ name email }} }} }} }}"
)
_RULE = "refUpdateRule {{ requiredApprovingReviewCount requiredStatusCheckContexts requiresCodeOwnerReviews }}"
_RULESETS = (
    "rulesets(first: 10, includeParents: true) {{ nodes {{ name enforcement target"
    " conditions {{ refName {{ include exclude }} }} rules(first: 50) {{ nodes {{ type }} }} }} }}"
)
_FIELDS = (
    "r{n}: node(id: $r{n}) {{ ... on Repository {{ nameWithOwner isArchived defaultBranchRef {{ name }}"
    " autoMergeAllowed mergeCommitAllowed squashMergeAllowed rebaseMergeAllowed"
    f" base: ref(qualifiedName: $b{{n}}) {{{{ {_RULE} {_COMMITS} }}}}"
    " head: ref(qualifiedName: $q{n}) {{ target {{ oid }} }}"
    " pullRequests(headRefName: $h{n}, first: 10, orderBy: {{ field: CREATED_AT, direction: DESC }})"
    f" {{{{ nodes {{{{ {_PULL_REQUEST} }}}} }}}} {_RULESETS} }}}} }}}}"
)


@dataclass(frozen=True, kw_only=True)
class WantedOutlook:
    """A branch that would be asked to be merged into a base branch."""

    repository_node_id: str
    base_branch: str
    branch: str


@dataclass(frozen=True, kw_only=True)
class BaseRule:
    """What GitHub demands before anything is merged into a base branch."""

    reviews: int
    from_owners: bool
    checks: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Ruleset:
    """An active set of rules for branches. `include` and `exclude` are patterns of `refs/heads/…`, `~ALL` or
    `~DEFAULT_BRANCH`; `rules` are GitHub's types, such as `CREATION`."""

    name: str
    include: tuple[str, ...]
    exclude: tuple[str, ...]
    rules: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """What stands on GitHub where a pull request would be. `commits` are the last 50 of `ahead` that its base lacks."""

    view: BranchView
    default_branch: str | None
    ahead: int
    commits: tuple[BranchCommit, ...]
    base_rule: BaseRule | None
    rulesets: tuple[Ruleset, ...]
    allows_auto_merge: bool
    merge_methods: frozenset[str]


async def fetch_outlooks(
    github: GitHubClient, wanted: Sequence[WantedOutlook], *, token: str, size: PageSize
) -> list[Outlook | None]:
    """The outlooks in the same order, up to 100 in a request; None where the App may not see the repository."""
    found: list[Outlook | None] = []

    async def ask(batch: Sequence[WantedOutlook]) -> None:
        document, variables = outlooks_query(batch)
        data = (await github.graphql(document, variables, token=token)).but_for_missing_fields()
        viewer = data["viewer"]["login"]
        found.extend(_outlook_from(data.get(f"r{number}"), viewer) for number in range(len(batch)))

    await size.ask_for_all(wanted, ask)
    return found


def outlooks_query(wanted: Sequence[WantedOutlook]) -> tuple[str, dict[str, Any]]:
    """The document that asks for all of it, and its variables."""
    variables: dict[str, Any] = {}
    for number, each in enumerate(wanted):
        variables |= {
            f"r{number}": each.repository_node_id,
            f"b{number}": f"refs/heads/{each.base_branch}",
            f"h{number}": each.branch,
            f"q{number}": f"refs/heads/{each.branch}",
        }
    declared = ", ".join(f"$r{n}: ID!, $b{n}: String!, $h{n}: String!, $q{n}: String!" for n in range(len(wanted)))
    fields = " ".join(_FIELDS.format(n=number) for number in range(len(wanted)))
    return f"query Outlooks({declared}) {{ {RATE_LIMIT} viewer {{ login }} {fields} }}", variables


def _outlook_from(node: Mapping[str, Any] | None, viewer: str) -> Outlook | None:
    if not node:
        return None
    base: Mapping[str, Any] = node["base"] or {}
    comparison: Mapping[str, Any] = base.get("compare") or {}
    commits: Mapping[str, Any] = comparison.get("commits") or {}
    methods = {"merge": "mergeCommitAllowed", "squash": "squashMergeAllowed", "rebase": "rebaseMergeAllowed"}
    return Outlook(
        view=BranchView(
            viewer=viewer,
            repository=node["nameWithOwner"],
            is_archived=node["isArchived"],
            head_oid=node["head"]["target"]["oid"] if node["head"] else None,
            pull_requests=tuple(map(pull_request_from, node["pullRequests"]["nodes"])),
        ),
        default_branch=node["defaultBranchRef"]["name"] if node["defaultBranchRef"] else None,
        ahead=commits.get("totalCount", 0),
        commits=tuple(map(commit_from, nodes_of(commits))),
        base_rule=_base_rule_from(base.get("refUpdateRule")),
        rulesets=tuple(_rulesets_from(node["rulesets"])),
        allows_auto_merge=node["autoMergeAllowed"],
        merge_methods=frozenset(method for method, field in methods.items() if node[field]),
    )


def _base_rule_from(node: Mapping[str, Any] | None) -> BaseRule | None:
    if not node:
        return None
    return BaseRule(
        reviews=node["requiredApprovingReviewCount"] or 0,
        from_owners=node["requiresCodeOwnerReviews"],
        checks=tuple(filter(None, node["requiredStatusCheckContexts"] or ())),
    )


def _rulesets_from(connection: Mapping[str, Any] | None) -> list[Ruleset]:
    return [
        Ruleset(
            name=node["name"],
            include=tuple(node["conditions"]["refName"]["include"]),
            exclude=tuple(node["conditions"]["refName"]["exclude"]),
            rules=frozenset(rule["type"] for rule in nodes_of(node["rules"])),
        )
        for node in nodes_of(connection)
        if node["enforcement"] == "ACTIVE" and node["target"] == "BRANCH" and node["conditions"]["refName"]
    ]
