"""Every entry of `on` finds what it names, in GitHub's own order, each repository once, with the reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import count

import pytest

from shared.clock import utcnow
from shared.domain.repository_index import RepositoryIndex
from shared.domain.selection import SelectionState
from shared.postgres.repositories import record_index, upsert_repositories
from tests.github_sandbox import RunningSandbox

from .selecting import Selecting, names, why

_numbers = count(1)
PROPERTIES = {"metadata": "read", "contents": "read", "organization_custom_properties": "read"}


@pytest.fixture
def org(github: RunningSandbox) -> Iterator[str]:
    """An organisation of the test's own, with a handful of repositories."""
    login = f"sel-{next(_numbers)}"
    github.add_organization(login)
    github.ask(
        "POST",
        "repositories",
        {
            "owner": login,
            "repositories": [
                {"name": "api", "language": "Go", "topics": ["backend", "go"], "files": {"go.mod": "go 1.21\n"}},
                {"name": "web", "language": "TypeScript", "topics": ["frontend"], "visibility": "public"},
                {"name": "old", "language": "Go", "archived": True},
                {"name": "copy", "language": "Go", "fork": True},
                {"name": "empty", "empty": True},
                {"name": "stale", "language": "Rust", "pushed_at": "2020-01-01T00:00:00Z"},
            ],
        },
    )
    return login


async def test_a_listing_has_each_repository_with_the_reason_for_in_or_out(selecting: Selecting, org: str) -> None:
    selecting.sandbox.ask("PUT", "limits", {})
    selection, found = await selecting.select(f"on: [{{org: {org}}}]")
    assert names(found) == ["api", "web", "stale"]
    assert why(found, "old") == "it is archived"
    assert why(found, "copy") == "it is a fork"
    assert why(found, "empty") == "the repository is empty: it has no default branch"
    assert (selection.state, selection.included, selection.excluded) == (SelectionState.COMPLETE, 3, 3)
    assert (selection.found, selection.expected, selection.points) == (6, 6, 1)
    [api] = [each for each in found if each.repository.name == "api"]
    assert (api.repository.language, api.repository.topics) == ("Go", ("backend", "go"))
    assert (api.entries, api.reason) == ((0,), f"{org} owns it")


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ("language: [go, rust]", ["api", "stale"]),
        ("topic: [backend]", ["api"]),
        ("visibility: public", ["web"]),
        ("pushedSince: 365d", ["api", "web"]),
        ("pushedSince: 2019-12-31", ["api", "web", "stale"]),
        ("template: true", []),
        ('repo-include: "^(api|web)$", repo-exclude: "b$"', ["api"]),
    ],
)
async def test_filters_leave_out_what_is_otherwise(
    selecting: Selecting, org: str, filters: str, expected: list[str]
) -> None:
    _, found = await selecting.select(f"on: [{{org: {org}, {filters}}}]")
    assert names(found) == expected


async def test_a_team_has_the_repositories_that_it_has_access_to(selecting: Selecting, org: str) -> None:
    team = {"organization": org, "slug": "platform", "repositories": ["web", "old", "stale"], "members": ["mona"]}
    selecting.sandbox.ask("PUT", "teams", team)
    _, found = await selecting.select(f"on: [{{team: {org}/platform, visibility: private}}]")
    assert names(found) == ["stale"]
    assert why(found, "stale") == f"the team {org}/platform has access to it"
    assert why(found, "web") == "it is public, not private"


async def test_custom_properties_filter(selecting: Selecting, github: RunningSandbox, org: str) -> None:
    github.ask("PATCH", f"installations/{github.installation_id(org)}", {"permissions": PROPERTIES})
    github.ask("PUT", f"repositories/{org}/api/properties", {"values": {"tier": "gold", "areas": ["a", "b"]}})
    github.ask("PUT", f"repositories/{org}/web/properties", {"values": {"tier": "silver"}})
    _, found = await selecting.select(f"on: [{{org: {org}, properties: {{tier: [gold, bronze], areas: b}}}}]")
    assert names(found) == ["api"]
    assert why(found, "web") == "its property tier is silver, not gold or bronze"
    assert dict(found[0].repository.properties) == {"tier": ("gold",), "areas": ("a", "b")}


async def test_an_installation_has_what_it_was_given(selecting: Selecting, github: RunningSandbox, org: str) -> None:
    github.ask("PATCH", f"installations/{github.installation_id(org)}", {"repositories": ["api", "stale"]})
    _, given = await selecting.select(f"on: [{{installation: {org}}}]")
    assert names(given) == ["api", "stale"]
    assert names(given, included=False) == []
    _, listed = await selecting.select(f"on: [{{org: {org}}}]")
    assert why(listed, "web") == "the App's installation was not given this repository"


async def test_the_union_of_entries_has_each_once_and_excludes_win(selecting: Selecting, org: str) -> None:
    _, found = await selecting.select(
        f"""on:
  - repositoriesMatchingQuery: "org:{org} language:go"
  - org: {org}
  - exclude: {{org: {org}, language: rust}}
  - repositories: [{org}/web, {org}/api@main]
skip: {{forks: false}}"""
    )
    assert sorted(names(found)) == ["api", "copy", "web"]
    assert why(found, "stale") == f"on.2 excludes it (org {org})"
    by_name = {each.repository.name: each for each in found}
    assert (by_name["api"].entries, by_name["web"].entries) == ((0, 1, 3), (1, 3))
    assert len(found) == 6


async def test_names_of_one_owner_are_asked_for_together(selecting: Selecting, org: str) -> None:
    lines = "\n".join(f"  - repository: {org}/{name}" for name in ("web", "api", "stale"))
    _, found = await selecting.select(f"on:\n{lines}")
    assert (names(found), selecting.requests()["graphql"]) == (["web", "api", "stale"], 1)
    assert "on.1 (repository" in await selecting.refusal(f"on: [{{repository: {org}/api}}, {{repository: {org}/no}}]")
    text = await selecting.refusal(f"on: [{{repository: {org}/api, branches: [main, gone]}}]")
    assert text == f"on.0 (repository {org}/api): {org}/api has no branch gone"


async def test_code_search_finds_the_repositories_of_files(selecting: Selecting, org: str) -> None:
    _, found = await selecting.select(f'on: [{{codeSearch: "org:{org} filename:go.mod"}}]')
    assert names(found) == ["api"]


async def test_what_a_campaign_selected_is_found_under_its_new_names(selecting: Selecting, org: str) -> None:
    first, _ = await selecting.select(f"on: [{{org: {org}}}]")
    campaign = "0193d0a0-0000-7000-8000-000000000001"
    await selecting.ctx.pool.execute(
        "INSERT INTO campaigns (id, name, description, state, current_version, created_by)"
        " VALUES ($1, 'earlier', '', 'active', 1, 'x')",
        campaign,
    )
    await selecting.ctx.pool.execute(
        "UPDATE selections SET campaign_id = $2, run_id = $2 WHERE id = $1", first.id, campaign
    )
    selecting.sandbox.ask("PATCH", f"repositories/{org}/web", {"name": "site"})
    selecting.sandbox.ask("DELETE", f"repositories/{org}/stale")
    _, found = await selecting.select("on: [{campaign: earlier}]")
    assert names(found) == ["api", "site"]
    assert why(found, "stale") == "it does not exist any more, or the App may not see it"
    assert "there is no campaign never" in await selecting.refusal("on: [{campaign: never}]")


async def test_the_limit_takes_the_first_repositories_with_all_their_branches(selecting: Selecting, org: str) -> None:
    _, found = await selecting.select(f"on: [{{org: {org}}}]\nlimit: 2")
    assert names(found) == ["api", "web"]
    assert why(found, "stale") == "it is beyond the limit of 2"


async def test_files_decide_without_a_clone_one_request_for_all(selecting: Selecting, org: str) -> None:
    selecting.sandbox.ask("DELETE", "counters")
    selection, found = await selecting.select(
        f"on: [{{org: {org}}}]\nwhere: {{file: go.mod, matches: '^go 1\\.2[0-2]$'}}\nskip: {{optOutFile: .batchignore}}"
    )
    assert names(found) == ["api"]
    assert why(found, "web") == "it has no file go.mod"
    assert (selection.to_examine, selection.examined, selecting.requests()["graphql"]) == (3, 3, 2)
    commit = {"branch": "main", "files": {".batchignore": "", "go.mod": "go 1.23\n"}}
    selecting.sandbox.ask("POST", f"repositories/{org}/stale/commits", commit)
    _, found = await selecting.select(f"on: [{{org: {org}}}]\nskip: {{optOutFile: .batchignore}}")
    assert why(found, "stale") == "it opted out: it has the file .batchignore"
    where = "where: [{file: README.md, exists: true}, {file: go.mod, exists: false}]"
    _, found = await selecting.select(f"on: [{{org: {org}}}]\n{where}")
    [api] = [each for each in found if each.repository.name == "api"]
    assert (names(found), api.condition, api.reason) == (["web"], 0, "it has no file README.md")


async def test_a_limit_ends_the_reading_of_files(selecting: Selecting, org: str) -> None:
    selecting.sandbox.ask("POST", "repositories", {"owner": org, "count": 250})
    selecting.sandbox.ask("DELETE", "counters")
    where = "where: {file: README.md, exists: true}\nlimit: 5"
    selection, found = await selecting.select(f"on: [{{org: {org}}}]\n{where}")
    assert len(names(found)) == 5
    assert (selection.to_examine, selection.examined, selecting.requests()["graphql"]) == (253, 100, 3 + 1)


async def test_an_index_answers_for_github_and_says_how_old_it_is(selecting: Selecting, org: str) -> None:
    _, listed = await selecting.select(f"on: [{{org: {org}}}]")
    installation_id = listed[0].repository.installation_id
    as_of = utcnow() - timedelta(minutes=10)
    async with selecting.ctx.pool.acquire() as conn:
        await upsert_repositories(conn, [each.repository for each in listed], seen_at=as_of)
        index = RepositoryIndex(installation_id=installation_id, account=org, completed_at=as_of, swept_at=as_of)
        await record_index(conn, index)
    selecting.sandbox.ask("DELETE", "counters")
    selecting.ctx = replace(selecting.ctx, index_max_age=timedelta(hours=1))
    selection, found = await selecting.select(f"on: [{{org: {org}}}]")
    assert (found, selection.index_as_of) == (listed, as_of)
    assert "graphql" not in selecting.requests()
    selection, found = await selecting.select(f"on: [{{org: {org}}}]", fresh=True)
    assert (found, selection.index_as_of, selecting.requests()["graphql"]) == (listed, None, 1)


async def test_a_complete_selection_does_not_change(selecting: Selecting, org: str) -> None:
    selection, _ = await selecting.select(f"on: [{{org: {org}}}]")
    with pytest.raises(Exception, match="immutable"):
        await selecting.ctx.pool.execute(
            "UPDATE selection_repositories SET included = false WHERE selection_id = $1", selection.id
        )


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ("org: nobody-here", "on.0 (org nobody-here): "),
        ("team: {org}/none", "on.0 (team {org}/none): {org} has no team none"),
        ("repositoriesMatchingQuery: org:nobody-here", "on.0 (repositoriesMatchingQuery org:nobody-here): "),
        ("run: 0193d0a0-0000-7000-8000-000000000009", "on.0 (run 0193d0a0-0000-7000-8000-000000000009): there is no"),
    ],
)
async def test_what_cannot_be_had_names_the_entry(selecting: Selecting, org: str, entry: str, says: str) -> None:
    text = await selecting.refusal(f"on: [{{{entry.format(org=org)}}}]")
    assert text.startswith(says.format(org=org))
