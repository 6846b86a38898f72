"""Selections over HTTP: made once a key, looked into by page, facet and name, compared by node ids, and watched."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI

from gateway.schemas import EXAMPLE_SPEC
from gateway.selections.events import watch_selection
from shared.clock import utcnow
from shared.domain.ids import InstallationId, SelectionId, new_id
from shared.domain.repository import Repository, Visibility
from shared.domain.repository_index import RepositoryIndex
from shared.domain.selection import SelectedRepository
from shared.postgres import selections
from shared.postgres.owners import Team, record_files, record_places, record_teams
from shared.postgres.pool import Pool
from shared.postgres.repositories import note_index_error, record_index, upsert_repositories

SPEC = {"document": EXAMPLE_SPEC}


def make_selected(number: int, **values: Any) -> SelectedRepository:
    """A repository of acme that is in, unless told."""
    selected = {name: values.pop(name) for name in list(values) if name in SelectedRepository.__dataclass_fields__}
    repository = Repository(
        node_id=f"R_{number}",
        database_id=number,
        name_with_owner=values.pop("name", f"acme/repo-{number}"),
        head_oid="a" * 40,
        installation_id=InstallationId(7),
        **{"default_branch": "main", **values},
    )
    branch = repository.default_branch or ""
    defaults = {"branch": branch, "head_oid": "a" * 40, "included": True, "entry": 0, "reason": "acme has it"}
    return SelectedRepository(repository=repository, **{**defaults, **selected})


async def store(pool: Pool, selected: list[SelectedRepository], *, document: str = EXAMPLE_SPEC) -> str:
    """A complete selection of these; its id."""
    selection_id = SelectionId(new_id())
    async with pool.acquire() as conn, conn.transaction():
        await selections.insert_selection(conn, selection_id=selection_id, document=document, created_by="test")
        await selections.complete_selection(conn, selection_id, selected)
    return str(selection_id)


async def every(client: httpx.AsyncClient, path: str, **query: Any) -> list[dict[str, Any]]:
    """All items of a list, two a page."""
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        answer = await client.get(path, params={**query, "limit": 2} | ({"cursor": cursor} if cursor else {}))
        assert answer.status_code == 200, answer.text
        found += answer.json()["items"]
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            return found


async def test_an_idempotency_key_makes_one_selection(client: httpx.AsyncClient, pool: Pool) -> None:
    headers = {"Idempotency-Key": "one"}
    first = await client.post("/v1/selections", json=SPEC, headers=headers)
    again = await client.post("/v1/selections", json=SPEC, headers=headers)
    assert (first.status_code, first.json()) == (202, again.json())
    other = await client.post("/v1/selections", json={**SPEC, "fresh": True}, headers=headers)
    assert (other.status_code, other.json()["type"]) == (409, "/problems/conflict")
    assert await pool.fetchval("SELECT count(*) FROM selections") == 1
    operation = (await client.get(first.headers["location"])).json()
    assert (operation["type"], operation["state"]) == ("select_repositories", "accepted")


async def test_selections_are_listed_newest_first_and_filtered(client: httpx.AsyncClient) -> None:
    made = [(await client.post("/v1/selections", json=SPEC)).json()["selection"]["id"] for _ in range(3)]
    await client.post(f"/v1/selections/{made[0]}/cancel")
    assert [each["id"] for each in await every(client, "/v1/selections")] == made[::-1]
    assert [each["id"] for each in await every(client, "/v1/selections", state="pending")] == made[:0:-1]
    assert len(await every(client, "/v1/selections", name="add-security-policy")) == 3
    assert await every(client, "/v1/selections", campaign="add-security-policy") == []
    assert (await client.get(f"/v1/selections/{made[0]}")).json()["document"] == EXAMPLE_SPEC


async def test_a_selection_is_cancelled_once_and_a_runs_with_its_run(client: httpx.AsyncClient, pool: Pool) -> None:
    selection_id = (await client.post("/v1/selections", json=SPEC)).json()["selection"]["id"]
    await pool.execute(
        "INSERT INTO selection_shards (selection_id, entry, path, request) VALUES ($1, 0, '0', '{}')",
        UUID(selection_id),
    )
    for _ in range(2):
        answer = await client.post(f"/v1/selections/{selection_id}/cancel")
        assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")
    assert await pool.fetchval("SELECT count(*) FROM selection_shards") == 0  # what it had found is forgotten
    complete = await store(pool, [])
    answer = await client.post(f"/v1/selections/{complete}/cancel")
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/invalid-transition")
    await client.post("/v1/campaigns", json=SPEC)
    run = (await client.post("/v1/campaigns/add-security-policy/runs", json={})).json()["run"]
    answer = await client.post(f"/v1/selections/{run['selection_id']}/cancel")
    assert (answer.status_code, run["id"] in answer.json()["detail"]) == (409, True)


async def test_a_selection_is_repeated_by_the_same_document(client: httpx.AsyncClient, pool: Pool) -> None:
    before = await store(pool, [])
    repeated = (await client.post(f"/v1/selections/{before}/repeat", json={"fresh": True})).json()["selection"]
    assert (repeated["previous_id"], repeated["is_fresh"], repeated["state"]) == (before, True, "pending")
    assert (await client.get(f"/v1/selections/{repeated['id']}")).json()["document"] == EXAMPLE_SPEC


async def test_repositories_are_paged_filtered_and_counted(client: httpx.AsyncClient, pool: Pool) -> None:
    selected = [
        make_selected(1, language="Go", topics=("backend", "api"), properties={"tier": ("gold",)}, entries=(0, 2)),
        make_selected(2, included=False, reason="it is archived", is_archived=True),
        make_selected(3, name="Other/thing", visibility=Visibility.PUBLIC, language="Rust"),
        make_selected(4, included=False, reason="go.mod does not match", condition=1, is_fork=True, is_template=True),
    ]
    selection_id = await store(pool, selected)

    async def names(**query: Any) -> list[str]:
        found = await every(client, f"/v1/selections/{selection_id}/repositories", **query)
        facets = (await client.get(f"/v1/selections/{selection_id}/facets", params=query)).json()
        assert facets["total"] == len(found)
        return [each["node_id"] for each in found]

    assert await names() == ["R_1", "R_2", "R_3", "R_4"]
    for query, expected in (
        ({"included": "false"}, ["R_2", "R_4"]), ({"entry": 2}, ["R_1"]), ({"condition": 1}, ["R_4"]),
        ({"q": "HER/th"}, ["R_3"]), ({"owner": "ACME", "included": "true"}, ["R_1"]), ({"language": "go"}, ["R_1"]),
        ({"language": ""}, ["R_2", "R_4"]), ({"topic": "api"}, ["R_1"]), ({"visibility": "public"}, ["R_3"]),
        ({"archived": "true"}, ["R_2"]), ({"fork": "true"}, ["R_4"]), ({"template": "true"}, ["R_4"]),
        ({"property": "tier"}, ["R_1"]), ({"property": "tier=gold"}, ["R_1"]), ({"property": "tier=silver"}, []),
        ({"reason": "it is archived"}, ["R_2"]), ({"q": "%"}, []),
    ):  # fmt: skip
        assert await names(**query) == expected, query
    facets = (await client.get(f"/v1/selections/{selection_id}/facets")).json()["facets"]
    assert facets["owner"] == [{"value": "acme", "count": 3}, {"value": "other", "count": 1}]
    assert facets["included"] == [{"value": "false", "count": 2}, {"value": "true", "count": 2}]
    assert facets["entry"] == [{"value": "0", "count": 4}, {"value": "2", "count": 1}]
    assert facets["condition"] == [{"value": "1", "count": 1}]
    assert {each["value"] for each in facets["topic"]} == {"api", "backend"}


async def test_a_repository_is_explained_by_any_of_its_names(client: httpx.AsyncClient, pool: Pool) -> None:
    excluded = make_selected(2, included=False, reason="go.mod does not match", condition=0)
    selection_id = await store(pool, [make_selected(1), excluded, replace(excluded, branch="next", included=True)])
    created = "INSERT INTO repositories (node_id, database_id, installation_id, name_with_owner, visibility,"
    for node_id, name, days in (("R_1", "acme/renamed", -9), ("R_8", "acme/new", 1), ("R_9", "beta/api", -9)):
        await pool.execute(
            f"{created} is_archived, is_fork, is_template, topics, created_at) VALUES"
            " ($1, 1, 7, $2, 'private', false, false, false, '{}', now() + $3 * interval '1 day')",
            node_id, name, days,
        )  # fmt: skip

    async def verdict(repository: str) -> str:
        answer = await client.get(f"/v1/selections/{selection_id}/explain", params={"repository": repository})
        return answer.json()["verdict"]

    assert await verdict("ACME/repo-1") == "branch main is in: acme has it"
    assert (
        await verdict("acme/renamed")
        == "it was called acme/repo-1 when it was selected; branch main is in: acme has it"
    )
    assert await verdict("R_1") == "branch main is in: acme has it"
    assert await verdict("R_2") == (
        "branch main is out: go.mod does not match; branch next is in: go.mod does not match"
    )
    assert "after the selection" in await verdict("acme/new")
    assert await verdict("beta/api") == "no entry found it: none is about beta"
    assert "does not exist, or the App was not given it" in await verdict("acme/nothing")
    await pool.execute("INSERT INTO repository_indexes VALUES (7, 'acme', now())")
    assert "all that the App was given of acme" in await verdict("acme/nothing")
    later = await store(pool, [make_selected(1, name="acme/renamed")])
    await pool.execute("UPDATE selections SET previous_id = $1 WHERE id = $2", UUID(selection_id), UUID(later))
    answer = await client.get(f"/v1/selections/{later}/explain", params={"repository": "acme/repo-1"})
    assert answer.json()["verdict"].startswith("it was called acme/renamed when it was selected; branch main is in")


async def test_a_diff_tells_renames_from_news(client: httpx.AsyncClient, pool: Pool) -> None:
    out = {"included": False, "reason": "it is archived"}
    before = await store(
        pool,
        [make_selected(1), make_selected(2), make_selected(3), make_selected(4, **out), make_selected(5),
         make_selected(6), make_selected(7, **out)],
    )  # fmt: skip
    after = await store(
        pool,
        [make_selected(1), make_selected(2, name="beta/two", **out), make_selected(4), make_selected(5, **out),
         make_selected(6, default_branch="trunk"), make_selected(7, **out), make_selected(8)],
    )  # fmt: skip
    found = {each["node_id"]: each for each in await every(client, f"/v1/selections/{before}/diff/{after}")}
    assert {node: each["changes"] for node, each in found.items()} == {
        "R_2": ["excluded", "renamed"], "R_3": ["gone"], "R_4": ["included"], "R_5": ["excluded"],
        "R_6": ["default_branch"], "R_8": ["added"],
    }  # fmt: skip
    assert found["R_2"]["before"]["name_with_owner"] == "acme/repo-2"
    assert found["R_2"]["after"] == {"name_with_owner": "beta/two", "branch": "main", **out}
    assert (found["R_3"]["after"], found["R_8"]["before"]) == (None, None)
    renamed = (await client.get(f"/v1/selections/{before}/diff/{after}", params={"change": "renamed"})).json()
    assert [each["node_id"] for each in renamed["items"]] == ["R_2"]
    assert renamed["counts"] == {
        "added": 1, "gone": 1, "included": 1, "excluded": 2, "renamed": 1, "default_branch": 1
    }  # fmt: skip
    assert (await client.get(f"/v1/selections/{before}/diff/{before}")).json()["items"] == []


async def test_only_a_complete_selection_shows_repositories(client: httpx.AsyncClient, pool: Pool) -> None:
    complete = await store(pool, [])
    pending = (await client.post("/v1/selections", json=SPEC)).json()["selection"]["id"]
    for path in (
        f"{pending}/repositories", f"{pending}/facets", f"{pending}/export", f"{pending}/explain?repository=acme/api",
        f"{complete}/diff/{pending}",
    ):  # fmt: skip
        answer = await client.get(f"/v1/selections/{path}")
        assert (answer.status_code, "is pending" in answer.json()["detail"]) == (409, True), path


async def test_exports_are_whole_in_every_format_and_calculate_nothing(client: httpx.AsyncClient, pool: Pool) -> None:
    selected = [make_selected(number, reason="=1+1", topics=("b", "a")) for number in range(2300)]
    selection_id = await store(pool, selected)
    path = f"/v1/selections/{selection_id}/export"
    as_json = (await client.get(path)).json()
    lines = (await client.get(path, params={"format": "jsonl"})).text.splitlines()
    rows = list(csv.DictReader(io.StringIO((await client.get(path, params={"format": "csv"})).text)))
    assert [each["node_id"] for each in as_json] == [f"R_{number}" for number in range(2300)]
    assert [json.loads(line) for line in lines] == as_json
    assert [row["node_id"] for row in rows] == [each["node_id"] for each in as_json]
    assert (rows[0]["reason"], rows[0]["topics"], rows[0]["included"]) == ("'=1+1", "b a", "true")
    assert (await client.get(path, params={"included": "false"})).json() == []


async def test_a_watcher_hears_each_change_once_until_the_end(
    client: httpx.AsyncClient, app: FastAPI, pool: Pool
) -> None:
    selection_id = SelectionId(UUID((await client.post("/v1/selections", json=SPEC)).json()["selection"]["id"]))
    heard = _events(watch_selection(app.state.resources, selection_id, last_event_id=None))
    name, position, content = await anext(heard)
    assert (name, content["selection"]["state"]) == ("snapshot", "pending")
    await pool.execute("UPDATE selections SET state = 'selecting', found = 100, expected = 900")
    name, last_position, content = await anext(heard)
    assert (name, content["selection"]["found"]) == ("progress", 100)
    again = _events(watch_selection(app.state.resources, selection_id, last_event_id=last_position))
    async with pool.acquire() as conn, conn.transaction():
        await selections.complete_selection(conn, selection_id, [make_selected(1)])
    assert [name async for name, _, _ in heard] == ["progress", "end"]
    assert [name async for name, _, _ in again] == ["snapshot", "end"]
    assert position != last_position
    assert (await client.get(f"/v1/selections/{new_id()}/events")).status_code == 404


async def _events(stream: AsyncIterator[str]) -> AsyncIterator[tuple[str, str, dict[str, Any]]]:
    async for message in stream:
        fields = dict(line.split(": ", 1) for line in message.splitlines() if line and not line.startswith(":"))
        yield fields["event"], fields.get("id", ""), json.loads(fields["data"])


@pytest.mark.parametrize("cursor", ["!", "bm90IGFuIGlk", "AA==", "OTk5OTk5OTk5OTk5OTk="])
async def test_a_made_up_cursor_of_repositories_is_refused(client: httpx.AsyncClient, pool: Pool, cursor: str) -> None:
    selection_id = await store(pool, [])
    answer = await client.get(f"/v1/selections/{selection_id}/repositories", params={"cursor": cursor})
    assert answer.status_code == 422


async def test_an_index_is_shown_and_listed_anew_on_demand(client: httpx.AsyncClient, pool: Pool) -> None:
    await pool.execute(
        "INSERT INTO installations (id, account, account_type, repository_selection, permissions)"
        " VALUES (7, 'acme', 'Organization', 'all', '{}')"
    )
    assert (await client.get("/v1/installations/7/index")).json()["completed_at"] is None
    async with pool.acquire() as conn:
        await upsert_repositories(conn, [make_selected(1).repository], seen_at=utcnow())
        await note_index_error(conn, RepositoryIndex(installation_id=InstallationId(7), account="acme"), error="why")
    found = (await client.get("/v1/installations/7/index")).json()
    assert (found["repositories"], found["error"]) == (1, "why")
    assert (found["swept_at"], found["age_seconds"]) == (None, None)
    answer = await client.post("/v1/installations/7/index")
    assert (answer.status_code, answer.json()["type"]) == (202, "sweep_repositories")
    assert (await client.get("/v1/installations/8/index")).status_code == 404


async def test_the_list_of_indexes_has_installations_without_one(client: httpx.AsyncClient, pool: Pool) -> None:
    await pool.execute(
        "INSERT INTO installations (id, account, account_type, repository_selection, permissions)"
        " VALUES (7, 'acme', 'Organization', 'all', '{}'), (9, 'bold', 'Organization', 'all', '{}')"
    )
    swept_at = utcnow() - timedelta(minutes=5)
    index = RepositoryIndex(installation_id=InstallationId(7), account="acme", completed_at=swept_at, swept_at=swept_at)
    async with pool.acquire() as conn:
        await upsert_repositories(conn, [make_selected(1).repository], seen_at=swept_at)
        await record_index(conn, index)
    listed = (await client.get("/v1/installations/indexes")).json()["items"]
    assert [(each["account"], each["repositories"]) for each in listed] == [("acme", 1), ("bold", 0)]
    assert listed[0]["age_seconds"] == pytest.approx(300, abs=30)
    assert listed[1]["age_seconds"] is None


async def test_owners_are_shown_by_repository_by_file_and_by_owner(client: httpx.AsyncClient, pool: Pool) -> None:
    selection_id = await store(pool, [make_selected(1), make_selected(2), make_selected(3, included=False)])
    assert (await client.get(f"/v1/selections/{selection_id}/owners")).json()["items"] == []
    async with pool.acquire() as conn:
        places = [("R_1", "main", "CODEOWNERS", "f" * 40), ("R_2", "main", None, None)]
        await record_places(conn, SelectionId(UUID(selection_id)), places)
        await record_files(conn, {"f" * 40: ("* @acme/core\n*.go @mona\n", None)})
        await record_teams(conn, [Team(slug="acme/core", name="Core", members=("ada",), is_missing=False)])
    [first, second] = (await client.get(f"/v1/selections/{selection_id}/owners", params={"file": "a.go"})).json()[
        "items"
    ]
    assert (first["owners"], second["owners"]) == ([{"kind": "user", "name": "mona"}], [])
    summary = (await client.get(f"/v1/selections/{selection_id}/owners/summary")).json()
    assert (summary["resolved"], summary["unowned"]) == (2, 1)
    assert summary["owners"] == [{"owner": {"kind": "team", "name": "acme/core"}, "repositories": 1}]
    assert summary["teams"][0]["members"] == ["ada"]
    assert (await client.post(f"/v1/selections/{selection_id}/owners")).json()["type"] == "resolve_owners"
