"""Who may do what: every route of the running app, for each role, in each namespace."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import product

import httpx
import pytest
from fastapi import FastAPI, HTTPException, Request

from gateway.access import enforcing
from gateway.access.rules import RULES, Of, Rule
from gateway.app import create_app
from gateway.resources import Opened
from gateway.schemas import EXAMPLE_SPEC
from shared.auth.api_keys import digest_of, new_api_key, prefix_of
from shared.domain.ids import new_id
from shared.domain.roles import Grant, KeyScope, Role
from shared.postgres import api_keys, targets
from shared.postgres.api_keys import NewKey
from shared.postgres.pool import Pool
from shared.settings import GatewaySettings
from tests.integration.campaigns.rows import insert_campaign, insert_run, make_target

OURS, THEIRS, ALL = "payments", "search", "*"
REACHED = 418
PUBLIC = {
    "* /assets",
    "GET /docs",
    "GET /healthz",
    "GET /livez",
    "GET /metrics",
    "GET /openapi.json",
    "GET /problems",
    "GET /problems/{name}",
    "GET /readyz",
    "GET /schemas/campaign-spec-v1.json",
    "GET /ui/sign-in",
    "GET /ui/sign-in/oidc",
    "GET /ui/sign-in/oidc/callback",
    "POST /ui/sign-in",
    "POST /webhooks/github",
}
"""What nobody needs a credential for."""

GRANTS = [Grant(role, namespace) for role, namespace in product(Role, (OURS, THEIRS, ALL))]


@dataclass(frozen=True)
class World:
    """A gateway with one thing of each kind in the namespace `payments`, asked by keys with one grant each."""

    client: httpx.AsyncClient
    parameters: dict[str, str]
    headers: dict[Grant, dict[str, str]]
    sessions: dict[Grant, dict[str, str]]

    async def ask(self, line: str, grant: Grant | None) -> httpx.Response:
        """Sends the request of a line of the table, with the grant's key or, for a page, session."""
        method, path = line.split(" ")
        rule = RULES[line]
        headers = (self.sessions if rule.page else self.headers)[grant] if grant else {}
        body = {"document": spec_in(OURS)} if rule.of is Of.SPEC else {}
        address = path.format_map(self.parameters)
        return await self.client.request(method, address, headers=headers, json=body if method != "GET" else None)


def spec_in(namespace: str, *, on: str = "- org: acme") -> str:
    document = EXAMPLE_SPEC.replace("version: 1\n", f"version: 1\nnamespace: {namespace}\n")
    return document.replace("- org: acme", on)


async def make_key(pool: Pool, *grants: Grant, scopes: frozenset[KeyScope] = frozenset(KeyScope)) -> str:
    key = new_api_key()
    prefix = prefix_of(key)
    assert prefix
    digest = digest_of(key, pepper="p" * 32)
    name = "-".join(["key", prefix.lower()])
    async with pool.acquire() as conn, conn.transaction():
        new = NewKey(name=name, prefix=prefix, digest=digest, grants=grants, scopes=scopes, created_by="test")
        await api_keys.insert_api_key(conn, new)
    return key


async def make_things(pool: Pool) -> dict[str, str]:
    """One thing of each kind in `payments`, by the parameters that name them."""
    async with pool.acquire() as conn, conn.transaction():
        campaign_id = await insert_campaign(conn, name="add-security-policy")
        await conn.execute("UPDATE campaigns SET namespace = $1", OURS)
        run_id = await insert_run(conn, campaign_id)
        target = make_target(run_id, campaign_id)
        await targets.insert_targets(conn, [target])
        selection_id, bulk_id, operation_id = new_id(), new_id(), new_id()
        await conn.execute(
            "INSERT INTO selections (id, namespace, document, state, created_by) VALUES ($1, $2, '', 'pending', 'me')",
            selection_id,
            OURS,
        )
        await conn.execute(
            "INSERT INTO selection_schedules (id, name, namespace, document, cron, is_fresh, next_at, created_by)"
            " VALUES ($1, 'add-security-policy', $2, '', '0 6 * * *', false, now(), 'me')",
            new_id(),
            OURS,
        )
        await conn.execute(
            "INSERT INTO bulk_operations (id, campaign_id, action, state, created_by)"
            " VALUES ($1, $2, 'merge', 'running', 'me')",
            bulk_id,
            campaign_id,
        )
        await conn.execute(
            "INSERT INTO operations (id, service, type, payload, dedupe_key, actor)"
            " VALUES ($1, 'selection', 'select_repositories', $2, 'one', 'me')",
            operation_id,
            {"selection_id": str(selection_id)},
        )
    return {
        "name": "add-security-policy", "run_id": str(run_id), "target_id": str(target.id),
        "selection_id": str(selection_id), "later_id": str(selection_id), "bulk_operation_id": str(bulk_id),
        "bulk_id": str(bulk_id), "index": "0", "key_id": str(new_id()),
        "operation_id": str(operation_id), "installation_id": "7", "endpoint_id": str(new_id()),
        "message_id": str(new_id()), "service": "campaigns", "kind": "log", "version": "1", "before": "1", "after": "1",
    }  # fmt: skip


async def _authorize_alone(request: Request, resources: Opened) -> None:
    await enforcing.authorize(request, resources)
    if request.state.rule.of is not Of.ANYONE:
        raise HTTPException(REACHED)


@pytest.fixture
async def world(settings: GatewaySettings, pool: Pool) -> AsyncIterator[World]:
    """Routes end where they would begin: nothing is done by what is let through."""
    app = create_app(settings.model_copy(update={"rate_per_second": 0.0, "rate_anonymous_per_second": 0.0}))
    app.dependency_overrides[enforcing.authorize] = _authorize_alone
    keys = {grant: await make_key(pool, grant) for grant in GRANTS}
    headers = {grant: {"Authorization": f"Bearer {key}"} for grant, key in keys.items()}
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
            sessions = {grant: await sign_in(client, key) for grant, key in keys.items()}
            yield World(client, await make_things(pool), headers, sessions)


async def sign_in(client: httpx.AsyncClient, key: str) -> dict[str, str]:
    """The headers of a session's requests."""
    answer = await client.post("/ui/sign-in", data={"key": key})
    assert answer.status_code == 303
    client.cookies.clear()
    return {"Cookie": answer.headers["set-cookie"].partition(";")[0]}


def expected(rule: Rule, grant: Grant) -> int:
    """What becomes of a request of somebody with that grant, about a thing in `payments`."""
    has_role = list(Role).index(grant.role) >= list(Role).index(rule.role)
    if rule.of in (Of.POLICIES, Of.ITSELF) or (rule.of is Of.SOME and has_role):
        return REACHED
    if rule.of in (Of.ALL, Of.SOME, Of.SPEC):
        is_there = grant.namespace == ALL or (rule.of is Of.SPEC and grant.namespace == OURS)
        return REACHED if has_role and is_there else 403
    if grant.namespace == THEIRS:
        return 404
    return REACHED if has_role else 403


LINES = sorted(line for line, rule in RULES.items() if rule.of is not Of.ANYONE and line != "POST /ui/sign-out")


async def test_every_route_lets_through_who_has_the_role_and_nobody_else(world: World) -> None:
    wrong: list[str] = []
    for line, grant in product(LINES, GRANTS):
        answer = await world.ask(line, grant)
        status = answer.status_code
        if status != expected(RULES[line], grant):
            wrong.append(f"{line} of {grant}: {answer.status_code} {answer.text[:200]}")
        elif status == 403:
            assert answer.json()["type"] == "/problems/not-permitted"
            assert f"needs the role {RULES[line].role} " in answer.json()["detail"]
        elif status == 404:
            assert "there is no" in answer.json()["detail"]
    assert wrong == []


async def test_every_route_but_these_needs_a_credential(world: World) -> None:
    public = {line for line, rule in RULES.items() if rule.of is Of.ANYONE}
    assert public == PUBLIC
    for line in LINES:
        answer = await world.ask(line, None)
        assert answer.status_code == (303 if RULES[line].page else 401), line


async def test_what_is_told_of_a_thing_that_may_not_be_seen_is_that_there_is_none(world: World, pool: Pool) -> None:
    stranger = Grant(Role.ADMIN, THEIRS)
    for path in ("runs", "targets", "selections", "bulk-operations", "operations"):
        line = next(each for each in LINES if each.startswith(f"GET /v1/{path}/") and each.endswith("_id}"))
        hidden = (await world.ask(line, stranger)).json()
        parameter = line.split("{")[1].rstrip("}")
        known = world.parameters[parameter]
        world.parameters[parameter] = missing = str(new_id())
        assert (await world.ask(line, stranger)).json()["detail"] == hidden["detail"].replace(known, missing)


def test_a_route_without_a_rule_stops_the_start() -> None:
    app = FastAPI(openapi_url=None)
    app.add_api_route("/v1/secrets", lambda: None, methods=["POST"])
    with pytest.raises(LookupError, match="no rule says who may POST /v1/secrets"):
        enforcing.install(app)


def test_a_rule_without_a_route_stops_the_start(settings: GatewaySettings) -> None:
    app = create_app(settings)
    with pytest.raises(LookupError, match="GET /v1/gone"):
        enforcing.install(app, {**RULES, "GET /v1/gone": RULES["GET /v1/runs"]})


class Team:
    """Asks the gateway in the name of somebody with some grants."""

    def __init__(self, client: httpx.AsyncClient, pool: Pool) -> None:
        self.client, self.pool = client, pool

    async def member(self, *grants: str, scopes: frozenset[KeyScope] = frozenset(KeyScope)) -> httpx.AsyncClient:
        """A client with a key that has these grants, such as `author payments`."""
        granted = [Grant(Role(role), namespace) for role, namespace in (each.split() for each in grants)]
        transport = self.client._transport  # pyright: ignore[reportPrivateUsage]
        headers = {"Authorization": f"Bearer {await make_key(self.pool, *granted, scopes=scopes)}"}
        return httpx.AsyncClient(transport=transport, base_url="http://gateway", headers=headers)


def test_a_rule_about_what_its_path_does_not_name_stops_the_start(settings: GatewaySettings) -> None:
    app = create_app(settings)
    with pytest.raises(LookupError, match="does not name a run"):
        enforcing.install(app, {**RULES, "GET /v1/me": RULES["GET /v1/runs/{run_id}"]})


@pytest.fixture
async def team(anonymous: httpx.AsyncClient, pool: Pool) -> Team:
    """Clients of a real gateway, by what their keys are granted."""
    return Team(anonymous, pool)


async def test_lists_show_what_one_may_see(team: Team) -> None:
    admin = await team.member("admin *")
    for name, namespace in (("first", OURS), ("second", THEIRS), ("third", "default")):
        document = spec_in(namespace).replace("add-security-policy", name)
        assert (await admin.post("/v1/campaigns", json={"document": document})).status_code == 201
        assert (await admin.post(f"/v1/campaigns/{name}/runs", json={})).status_code == 202
        closing = {"action": "close", "filter": {}}
        assert (await admin.post(f"/v1/campaigns/{name}/bulk-operations", json=closing)).status_code == 202
        schedule = {"name": name, "document": document, "cron": "0 6 * * *"}
        assert (await admin.post("/v1/selection-schedules", json=schedule)).status_code == 201
    seen = {"viewer *": 3, f"viewer {OURS}": 1, f"admin {THEIRS}": 1, "admin elsewhere": 0}
    for grant, count in seen.items():
        member = await team.member(grant)
        for path in ("campaigns", "runs", "selections", "selection-schedules", "bulk-operations"):
            assert len((await member.get(f"/v1/{path}")).json()["items"]) == count, (grant, path)
    both = await team.member(f"viewer {OURS}", f"viewer {THEIRS}")
    assert [each["name"] for each in (await both.get("/v1/campaigns")).json()["items"]] == ["first", "second"]


async def test_a_campaign_changes_its_namespace_by_who_is_an_author_in_both(team: Team) -> None:
    ours, theirs = await team.member(f"author {OURS}"), await team.member(f"admin {THEIRS}")
    both = await team.member(f"author {OURS}", f"author {THEIRS}")
    address = "/v1/campaigns/add-security-policy"
    assert (await ours.put(address, json={"document": spec_in(OURS)})).json()["namespace"] == OURS
    moved = {"document": spec_in(THEIRS)}
    assert (await ours.put(address, json=moved)).status_code == 403
    assert (await theirs.put(address, json=moved)).status_code == 404
    assert (await both.put(address, json=moved)).json()["namespace"] == THEIRS
    assert (await ours.get(address)).status_code == 404
    assert (await theirs.get(address)).status_code == 200


@pytest.mark.parametrize("on", ["- campaign: first", "- exclude: {campaign: first}"])
async def test_a_spec_selects_nothing_from_what_its_author_may_not_see(team: Team, on: str) -> None:
    theirs, ours = await team.member(f"author {THEIRS}"), await team.member(f"author {OURS}")
    document = spec_in(THEIRS).replace("add-security-policy", "first")
    assert (await theirs.post("/v1/campaigns", json={"document": document})).status_code == 201
    on = f"- org: acme\n  {on}"
    refused = await ours.post("/v1/selections", json={"document": spec_in(OURS, on=on)})
    assert (refused.status_code, refused.json()["detail"]) == (404, "there is no campaign first")
    assert (await theirs.post("/v1/selections", json={"document": spec_in(THEIRS, on=on)})).status_code == 202


@pytest.mark.parametrize(
    ("scope", "reads", "writes"), [(KeyScope.READ, 200, 403), (KeyScope.WRITE, 403, 201), (KeyScope.TOKENS, 403, 403)]
)
async def test_a_key_does_nothing_outside_its_scope(team: Team, scope: KeyScope, reads: int, writes: int) -> None:
    member = await team.member("admin *", scopes=frozenset({scope}))
    assert (await member.get("/v1/campaigns")).status_code == reads
    assert (await member.post("/v1/campaigns", json={"document": EXAMPLE_SPEC})).status_code == writes
    if scope is not KeyScope.TOKENS:
        refused = await member.get("/v1/tokens/installations/7")
        assert "needs an API key with the scope tokens" in refused.json()["detail"]
