"""Owners of selected repositories: every CODEOWNERS file is read once, whoever has it."""

from __future__ import annotations

from itertools import count

from shared.domain.codeowners import OwnersFile
from shared.domain.commands import resolve_owners as command_for
from shared.domain.ids import OperationId
from shared.domain.selection import Selection
from shared.postgres import owners
from tests.github_sandbox import RunningSandbox
from workers.runtime import Command
from workers.selection.owners import resolve_owners

from .selecting import Selecting

_numbers = count(1)
FILES = [
    {".github/CODEOWNERS": "* @{org}/platform\n", "CODEOWNERS": "* @wrong\n"},
    {"CODEOWNERS": "* @{org}/platform\n"},
    {"docs/CODEOWNERS": "* @mona @{org}/gone\n"},
    {"README.md": "x"},
]


async def resolve(selecting: Selecting, selection: Selection) -> dict[str, int]:
    """What it asked of GitHub."""
    selecting.sandbox.ask("DELETE", "counters")
    operation = command_for(selection.id, actor="test")
    await resolve_owners(
        selecting.ctx,
        Command(
            operation_id=OperationId(selection.id), type=operation.type, payload=operation.payload, actor="test",
            attempt=1,
        ),
    )  # fmt: skip
    return selecting.requests()


async def test_each_file_is_read_once_and_teams_are_resolved(selecting: Selecting, github: RunningSandbox) -> None:
    org = f"own-{next(_numbers)}"
    github.add_organization(org)
    made = [
        {"name": f"r{number:03}", "files": {path: text.format(org=org) for path, text in FILES[number % 4].items()}}
        for number in range(120)
    ]
    github.ask("POST", "repositories", {"owner": org, "repositories": made})
    github.ask("PUT", "teams", {"organization": org, "slug": "platform", "members": ["mona", "ada"]})
    selection, _ = await selecting.select(f"on: [{{org: {org}}}]")

    # two pages of places, one of texts, one of teams
    assert (await resolve(selecting, selection))["graphql"] == 4
    async with selecting.ctx.pool.acquire() as conn:
        found = await owners.list_owned(conn, selection.id, limit=200)
        teams = await owners.list_teams(conn, [f"{org}/platform", f"{org}/gone"])
    assert len(found) == 120
    names = [[owner.name for owner in OwnersFile(each.document or "").default_owners] for each in found[:4]]
    assert names == [[f"{org}/platform"], [f"{org}/platform"], ["mona", f"{org}/gone"], []]
    assert [each.path for each in found[:4]] == [".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", None]
    assert [(each.slug, each.members, each.is_missing) for each in teams] == [
        (f"{org}/gone", (), True),
        (f"{org}/platform", ("ada", "mona"), False),
    ]

    again, _ = await selecting.select(f"on: [{{org: {org}}}]")
    assert (await resolve(selecting, again))["graphql"] == 2  # places alone: the files and teams are known
    assert "graphql" not in await resolve(selecting, again)
