"""Teams of organisations, many a request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .client import GitHubClient
from .graphql import RATE_LIMIT

TEAMS_A_REQUEST = 20


@dataclass(frozen=True, kw_only=True)
class FoundTeam:
    """A team, with the logins of its first hundred members."""

    name: str
    members: tuple[str, ...]


async def fetch_teams(
    github: GitHubClient, organization: str, slugs: Sequence[str], *, token: str
) -> dict[str, FoundTeam]:
    """Those of the teams that there are and that the token may see (`members: read`), by slug."""
    found: dict[str, FoundTeam] = {}
    for start in range(0, len(slugs), TEAMS_A_REQUEST):
        batch = slugs[start : start + TEAMS_A_REQUEST]
        variables = {"organization": organization, **{f"t{number}": slug for number, slug in enumerate(batch)}}
        answer = await github.graphql(teams_document(len(batch)), variables, token=token)
        teams: dict[str, Any] = answer.complete()["organization"] or {}
        for number, slug in enumerate(batch):
            if team := teams.get(f"t{number}"):
                members = tuple(node["login"] for node in team["members"]["nodes"] if node)
                found[slug] = FoundTeam(name=team["name"], members=members)
    return found


def teams_document(count: int) -> str:
    """One document that asks for so many teams of an organisation."""
    declarations = "".join(f", $t{number}: String!" for number in range(count))
    fields = "\n    ".join(
        f"t{number}: team(slug: $t{number}) {{ name members(first: 100) {{ nodes {{ login }} }} }}"
        for number in range(count)
    )
    return (
        f"query Teams($organization: String!{declarations}) {{\n  {RATE_LIMIT}\n"
        f"  organization(login: $organization) {{\n    {fields}\n  }}\n}}\n"
    )
