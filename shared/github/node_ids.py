"""The node ids of labels, people and teams: what GitHub's mutations want where people write names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .client import GitHubClient
from .graphql import RATE_LIMIT, GraphQLAnswer, GraphQLError

LABEL_COLOR = "ededed"
"""The colour of labels that Octobatch makes: GitHub's own grey of labels without a colour."""

MUTATIONS_A_REQUEST = 10
"""GitHub works them off one after the other, and ends a request after 10 s."""

_NOT_THERE = frozenset({"NOT_FOUND", "FORBIDDEN"})


Label = tuple[str, str]
"""A label of a repository: the repository's node id, and the label's name."""


@dataclass(frozen=True, kw_only=True)
class NodeIds:
    """The ids of those that there are, by the names that were asked for; others are missing."""

    users: Mapping[str, str] = field(default_factory=dict[str, str])
    teams: Mapping[str, str] = field(default_factory=dict[str, str])


async def find_node_ids(
    github: GitHubClient, *, owner: str, users: Sequence[str] = (), teams: Sequence[str] = (), token: str
) -> NodeIds:
    """The ids of logins, and of teams of an owner, `core` or `acme/core`; one request."""
    if not (users or teams):
        return NodeIds()
    slugs = [team.rpartition("/")[2] for team in teams]
    variables: dict[str, Any] = {f"u{number}": login for number, login in enumerate(users)}
    variables |= {"owner": owner} if teams else {}
    variables |= {f"t{number}": slug for number, slug in enumerate(slugs)}
    data = _but_for_strangers(await github.graphql(node_ids_document(len(users), len(teams)), variables, token=token))
    organization: Mapping[str, Any] = data.get("organization") or {}
    return NodeIds(users=_ids("u", users, data), teams=_ids("t", teams, organization))


async def ensure_labels(
    github: GitHubClient, wanted: Sequence[Label], *, token: str
) -> tuple[dict[Label, str], dict[Label, GraphQLError]]:
    """The ids of these labels of repositories, and why those are refused that cannot be made.

    Those that a repository has not are made: one request, or three and more.
    """
    found = await _find_labels(github, wanted, token=token)
    missing = [label for label in wanted if label not in found]
    refused: dict[Label, GraphQLError] = {}
    for start in range(0, len(missing), MUTATIONS_A_REQUEST):
        batch = missing[start : start + MUTATIONS_A_REQUEST]
        new = [{"repositoryId": repository, "name": name, "color": LABEL_COLOR} for repository, name in batch]
        variables = {f"c{number}": each for number, each in enumerate(new)}
        answer = await github.graphql(create_labels_document(len(new)), variables, token=token)
        for number, label in enumerate(batch):
            if part := answer.data.get(f"c{number}"):
                found[label] = part["label"]["id"]
            elif error := answer.error_at(f"c{number}"):
                refused[label] = error
    if refused:  # somebody else made one meanwhile, or GitHub takes none of that name
        found |= await _find_labels(github, list(refused), token=token)
    return found, {label: error for label, error in refused.items() if label not in found}


async def _find_labels(github: GitHubClient, wanted: Sequence[Label], *, token: str) -> dict[Label, str]:
    if not wanted:
        return {}
    document, variables = labels_query(wanted)
    data = (await github.graphql(document, variables, token=token)).but_for_missing_fields()
    return {
        label: node["l"]["id"]
        for number, label in enumerate(wanted)
        if (node := data.get(f"r{number}")) and node.get("l")
    }


def labels_query(wanted: Sequence[Label]) -> tuple[str, dict[str, Any]]:
    """The document that asks for labels, and its variables."""
    variables: dict[str, Any] = {}
    for number, (repository, name) in enumerate(wanted):
        variables |= {f"r{number}": repository, f"n{number}": name}
    declared = ", ".join(f"$r{number}: ID!, $n{number}: String!" for number in range(len(wanted)))
    fields = " ".join(
        f"r{number}: node(id: $r{number}) {{ ... on Repository {{ l: label(name: $n{number}) {{ id }} }} }}"
        for number in range(len(wanted))
    )
    return f"query Labels({declared}) {{ {RATE_LIMIT} {fields} }}", variables


def node_ids_document(users: int, teams: int) -> str:
    """One document that asks for so many users and teams."""
    declared = ["$owner: String!"] if teams else []
    declared += [f"${kind}{number}: String!" for kind, count in (("u", users), ("t", teams)) for number in range(count)]
    parts = [RATE_LIMIT, *(f"u{number}: user(login: $u{number}) {{ id }}" for number in range(users))]
    if teams:
        fields = " ".join(f"t{number}: team(slug: $t{number}) {{ id }}" for number in range(teams))
        parts.append(f"organization(login: $owner) {{ {fields} }}")
    lines = "\n  ".join(parts)
    return f"query NodeIds({', '.join(declared)}) {{\n  {lines}\n}}\n"


def create_labels_document(count: int) -> str:
    """One document that makes so many labels."""
    declared = ", ".join(f"$c{number}: CreateLabelInput!" for number in range(count))
    fields = "\n  ".join(f"c{number}: createLabel(input: $c{number}) {{ label {{ id }} }}" for number in range(count))
    return f"mutation CreateLabels({declared}) {{\n  {fields}\n}}\n"


def _but_for_strangers(answer: GraphQLAnswer) -> dict[str, Any]:
    """The data, where what is missing of it is only people and teams that do not exist or may not be seen."""
    for error in answer.errors:
        if error.type not in _NOT_THERE:
            raise error.as_exception()
    return answer.data


def _ids(kind: str, names: Sequence[str], nodes: Mapping[str, Any]) -> dict[str, str]:
    return {name: node["id"] for number, name in enumerate(names) if (node := nodes.get(f"{kind}{number}"))}
