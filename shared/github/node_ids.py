"""The node ids of labels, people and teams: what GitHub's mutations want where people write names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .client import GitHubClient
from .graphql import RATE_LIMIT, GraphQLAnswer

LABEL_COLOR = "ededed"
"""The colour of labels that Octobatch makes: GitHub's own grey of labels without a colour."""

_NOT_THERE = frozenset({"NOT_FOUND", "FORBIDDEN"})


@dataclass(frozen=True, kw_only=True)
class NodeIds:
    """The ids of those that there are, by the names that were asked for; others are missing."""

    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    users: Mapping[str, str] = field(default_factory=dict[str, str])
    teams: Mapping[str, str] = field(default_factory=dict[str, str])


async def find_node_ids(
    github: GitHubClient,
    *,
    repository_node_id: str,
    owner: str,
    labels: Sequence[str] = (),
    users: Sequence[str] = (),
    teams: Sequence[str] = (),
    token: str,
) -> NodeIds:
    """The ids of a repository's labels, of logins, and of teams of its owner, `core` or `acme/core`; one request."""
    if not (labels or users or teams):
        return NodeIds()
    slugs = [team.rpartition("/")[2] for team in teams]
    variables: dict[str, Any] = {"repository": repository_node_id} if labels else {}
    variables |= {f"l{number}": name for number, name in enumerate(labels)}
    variables |= {f"u{number}": login for number, login in enumerate(users)}
    variables |= {"owner": owner} if teams else {}
    variables |= {f"t{number}": slug for number, slug in enumerate(slugs)}
    answer = await github.graphql(node_ids_document(len(labels), len(users), len(teams)), variables, token=token)
    data = _but_for_strangers(answer)
    repository: Mapping[str, Any] = data.get("node") or {}
    organization: Mapping[str, Any] = data.get("organization") or {}
    return NodeIds(
        labels=_ids("l", labels, repository), users=_ids("u", users, data), teams=_ids("t", teams, organization)
    )


async def ensure_labels(
    github: GitHubClient, *, repository_node_id: str, owner: str, names: Sequence[str], token: str
) -> dict[str, str]:
    """The ids of all these labels; those that the repository has not are made. One request, or three.

    Raises the error with which GitHub refuses to make one that is still not there then.
    """
    found = await find_node_ids(github, repository_node_id=repository_node_id, owner=owner, labels=names, token=token)
    missing = [name for name in names if name not in found.labels]
    if not missing:
        return dict(found.labels)
    new = [{"repositoryId": repository_node_id, "name": name, "color": LABEL_COLOR} for name in missing]
    variables = {f"c{number}": each for number, each in enumerate(new)}
    answer = await github.graphql(create_labels_document(len(new)), variables, token=token)
    made = {name: part["label"]["id"] for number, name in enumerate(missing) if (part := answer.data.get(f"c{number}"))}
    if len(made) < len(missing):  # somebody else made one meanwhile, or GitHub takes none of that name
        again = await find_node_ids(
            github, repository_node_id=repository_node_id, owner=owner, labels=missing, token=token
        )
        made |= again.labels
    if len(made) < len(missing):
        answer.complete()
    return {**found.labels, **made}


def node_ids_document(labels: int, users: int, teams: int) -> str:
    """One document that asks for so many labels, users and teams."""
    declared = [*(["$repository: ID!"] if labels else []), *(["$owner: String!"] if teams else [])]
    names = [
        f"{kind}{number}" for kind, count in (("l", labels), ("u", users), ("t", teams)) for number in range(count)
    ]
    declared += [f"${name}: String!" for name in names]
    parts = [RATE_LIMIT]
    if labels:
        fields = " ".join(f"l{number}: label(name: $l{number}) {{ id }}" for number in range(labels))
        parts.append(f"node(id: $repository) {{ ... on Repository {{ {fields} }} }}")
    parts += [f"u{number}: user(login: $u{number}) {{ id }}" for number in range(users)]
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
        if error.type not in _NOT_THERE or error.path[:1] == ("node",):
            raise error.as_exception()
    return answer.data


def _ids(kind: str, names: Sequence[str], nodes: Mapping[str, Any]) -> dict[str, str]:
    return {name: node["id"] for number, name in enumerate(names) if (node := nodes.get(f"{kind}{number}"))}
