"""No secret leaves its room: a whole campaign with everything going wrong, and then a search of all that was written.

Every token of the sandbox holds a known text, and the App's key, the webhook secret and the API key are known. The only
place where a token may stand is the answer to the request for it.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import io
import json
import re
import time
from collections.abc import Iterator
from typing import Any

import asyncpg
import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from redis import Redis

from sandbox.embedded.servers import free_port
from sandbox.folder import StackFolder
from sandbox.stack import Stack
from tests.acceptance.conftest import RunningStack
from tests.acceptance.leaks import Search, forms

CANARY = "SungByACanaryInTheMine"
OWN_FILES = frozenset(
    (
        *("github", "api-key", "api-key-pepper", "client.json", "processes.env", "token-cache-key", "webhook-secret"),
        "webhooks-signing-key",
    )
)
"""What the stack keeps its secrets in, and GitHub's own folder."""

THROUGH_API = """version: 1
name: through-the-api
description: Edits, published through GitHub's API
on: [{org: acme}]
steps:
  - edit: {write: {path: POLICY.md, content: "of ${{ repository.name }}\\n"}}
changesetTemplate:
  title: Add a policy
  body: For ${{ repository.name }}
  branch: octobatch/through-the-api
  commit: {message: Add a policy}
  published: true
"""
THROUGH_GIT = """version: 1
name: through-git
description: Steps that tell all they can see, pushed by git
on: [{org: acme}]
steps:
  - run: |
      { env; cat .git/config; git remote -v; cat "$HOME/.gitconfig" "$HOME/.git-credentials"; } > seen.txt 2>&1
      cat seen.txt
      if [ -e FAILS ]; then cat seen.txt >&2; exit 3; fi
changesetTemplate:
  title: Add what a step sees
  body: For ${{ repository.name }}
  branch: octobatch/through-git
  commit: {message: Add what a step sees, signing: none}
  published: true
"""
IN_A_SUSPENDED_ORGANIZATION = THROUGH_API.replace("acme", "beta").replace("through-the-api", "suspended")

POLICIES = """version: 1
policies:
  - name: everybody
    principals: [{apiKey: ".*"}]
    installations: [".*"]
    permissions: {contents: write, pull_requests: write}
  - name: greedy
    principals: [{apiKey: ".*"}]
    installations: [".*"]
    permissions: {secrets: write}
"""
"""The first allows what the installation grants, the second what it does not."""

ECHO = f"upstream refused 'Authorization: Bearer ghs_{CANARY}0123456789abcd'"
"""What a proxy between us and GitHub says in an error's body."""

FAULTS: list[dict[str, Any]] = [
    {"kind": "replication_lag", "seconds": 1},
    {"kind": "status", "surface": "rest", "match": "access_tokens", "status": 500, "message": ECHO},
    {"kind": "drop", "surface": "rest", "match": "access_tokens"},
    {"kind": "secondary_limit", "surface": "graphql", "retry_after": 1, "skip": 2},
    {"kind": "status", "surface": "graphql", "status": 401, "message": f"Bad credentials: {ECHO}", "skip": 3},
    {"kind": "status", "surface": "graphql", "status": 502, "message": ECHO, "skip": 4},
    {"kind": "drop", "surface": "graphql", "skip": 5},
    {"kind": "graphql_error", "surface": "graphql", "message": ECHO, "skip": 6},
]
TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
TRACE = {
    "traceparent": f"00-{TRACE_ID}-b7ad6b7169203331-01",
    "baggage": f"upstream-authorization=ghs_{CANARY}0123456789abcd",
}
"""What a careless caller tells of the trace that its requests belong to."""

GIT_FAULTS: list[dict[str, Any]] = [
    {"kind": "replication_lag", "seconds": 1},
    {"kind": "status", "surface": "git", "status": 401, "message": ECHO},
    {"kind": "status", "surface": "git", "status": 500, "message": ECHO, "skip": 1},
    {"kind": "drop", "surface": "git", "skip": 2},
    {"kind": "secondary_limit", "surface": "graphql", "retry_after": 1},
]


class Watched(RunningStack):
    """A running stack that remembers every answer of the gateway but those that are tokens."""

    def __init__(self, stack: Stack, folder: StackFolder) -> None:
        super().__init__(stack, folder)
        self.said: list[tuple[str, bytes]] = []
        self.tokens: list[str] = []
        headers = {"Authorization": f"Bearer {folder.api_key()}", **TRACE}
        self.http = httpx.Client(base_url=stack.url, headers=headers, timeout=60)

    def ask(self, method: str, path: str, **given: Any) -> httpx.Response:
        """An answer of the gateway, whatever its status."""
        answer = self.http.request(method, path, **given)
        if answer.is_success and re.fullmatch(r"/v1/tokens/installations/\d+", path):
            self.tokens.append(answer.json()["token"])
        else:
            self.said.append((f"answer of {method} {path}", str(answer.headers).encode() + answer.content))
        return answer

    def command(self, *arguments: str) -> None:
        """Runs the command line and remembers what it says."""
        done = self.octobatch(*arguments)
        self.said.append((f"octobatch {' '.join(arguments)}", (done.stdout + done.stderr).encode()))

    def github(self, method: str, path: str, body: Any = None) -> Any:
        """Asks the sandbox's control API."""
        answer = httpx.request(method, f"{self.stack.github_url}/_sandbox/{path}", json=body, timeout=60)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def run(self, name: str, document: str) -> str:
        """A campaign to its end; the run's id."""
        self.ask("PUT", f"/v1/campaigns/{name}", json={"document": document}).raise_for_status()
        run = str(self.ask("POST", f"/v1/campaigns/{name}/runs", json={}).raise_for_status().json()["run"]["id"])
        self.ask("GET", f"/v1/runs/{run}/events").raise_for_status()  # ends with the run
        return run

    def finish(self, operation: str) -> None:
        """Returns when the operation has succeeded."""
        deadline = time.monotonic() + 30
        while self.ask("GET", f"/v1/operations/{operation}").json()["state"] != "succeeded":
            assert time.monotonic() < deadline
            time.sleep(0.1)

    def targets(self, run: str) -> dict[str, dict[str, Any]]:
        """The run's targets by repository, with what each has to tell read too."""
        found = self.ask("GET", f"/v1/runs/{run}/targets", params={"limit": 500}).json()["items"]
        for target in found:
            for kind in ("", "/artifacts", "/events", "/log", "/diff", "/patch"):
                self.ask("GET", f"/v1/targets/{target['id']}{kind}")
        return {target["repository"]: target for target in found}


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """A stack that logs all it can, and whose stores keep what they are given as it is."""
    folder = StackFolder(tmp_path_factory.mktemp("canary") / "octobatch")
    folder.prepare()
    environment = {"OCTOBATCH_LOG_LEVEL": "DEBUG"}
    stack = Stack(
        folder, gateway_port=free_port(), github_port=free_port(), say=lambda _: None, environment=environment
    )
    with folder.held():
        try:
            stack.start()
            watched = Watched(stack, folder)
            with Redis.from_url(stack.valkey.url) as redis:
                redis.config_set("rdbcompression", "no")
            watched.github("PATCH", "settings", {"token_canary": CANARY})
            with watched.http:
                yield watched
        finally:
            stack.stop()


@pytest.fixture(scope="module")
def search(watched: Watched) -> Search:
    """The search for all that this stack holds secret."""
    pem = (watched.folder.path / "github" / "app.pem").read_bytes()
    key = load_pem_private_key(pem, password=None)
    assert isinstance(key, rsa.RSAPrivateKey)
    prime = key.private_numbers().p
    return Search(
        {
            "token": CANARY.encode(),
            "App key": pem,
            "App key's prime": prime.to_bytes(128, "big"),
            "App JWT": base64.b64encode(b'{"alg": "RS256", "typ": "JWT"}'),  # how all that Octobatch makes begin
            "token cache key": (watched.folder.path / "token-cache-key").read_bytes(),
            "API key pepper": (watched.folder.path / "api-key-pepper").read_bytes(),
            "webhooks signing key": (watched.folder.path / "webhooks-signing-key").read_bytes(),
            "webhook secret": (watched.folder.path / "github" / "webhook-secret").read_bytes(),
            "API key": watched.folder.api_key().encode(),
        }
    )


@pytest.fixture(scope="module")
def lived(watched: Watched) -> Watched:
    """The stack after a life in which everything went wrong."""
    repositories = [{"name": f"service-{number}"} for number in range(6)]
    failing = {"name": "failing", "files": {"FAILS": "yes\n"}}
    watched.github("POST", "repositories", {"owner": "acme", "repositories": [*repositories, failing]})
    beta = watched.github("POST", "accounts", {"login": "beta"})["installation_id"]
    watched.github("POST", "repositories", {"owner": "beta", "repositories": repositories})

    watched.github("PUT", "faults", FAULTS)
    targets = watched.targets(watched.run("through-the-api", THROUGH_API))
    assert [target["state"] for target in targets.values()].count("open") >= 4, targets
    assert_all_happened(watched)

    watched.github("PUT", "faults", GIT_FAULTS)
    run = watched.run("through-git", THROUGH_GIT)
    targets = watched.targets(run)
    assert [target["state"] for target in targets.values()].count("open") >= 4, targets
    assert targets["acme/failing"]["state"] == "failed"
    assert_all_happened(watched)
    watched.github("DELETE", "faults")

    watched.github("PATCH", f"installations/{beta}", {"suspended": True})
    watched.run("suspended", IN_A_SUSPENDED_ORGANIZATION)
    acme = next(
        each["id"] for each in watched.ask("GET", "/v1/installations").json()["items"] if each["account"] == "acme"
    )
    ask_for_tokens(watched, acme, beta)
    ask_about_tokens(watched, acme, run)
    send_webhooks(watched)
    for arguments in (("runs",), ("targets", "-o", "json"), ("tokens", "audit"), ("github-app", "check")):
        watched.command(*arguments)
    return watched


def assert_all_happened(watched: Watched) -> None:
    never = [fault for fault in watched.github("GET", "faults") if not fault["fired"]]
    assert [fault for fault in never if fault["kind"] != "replication_lag"] == []


def ask_for_tokens(watched: Watched, acme: int, suspended: int) -> None:
    """With success, for too much, of a suspended installation, of none, and with the wrong keys."""
    assert watched.ask("GET", f"/v1/tokens/installations/{acme}").status_code == 403  # there are no policies yet
    watched.ask("PUT", "/v1/policies", json={"document": POLICIES}).raise_for_status()
    for body in ({}, {"permissions": {"contents": "read"}, "purpose": "to be searched for"}):
        watched.ask("POST", f"/v1/tokens/installations/{acme}", json=body).raise_for_status()
    watched.ask("GET", f"/v1/tokens/installations/{acme}").raise_for_status()
    for path, body in (
        (f"/v1/tokens/installations/{acme}", {"permissions": {"administration": "write"}}),
        (f"/v1/tokens/installations/{acme}", {"permissions": {"secrets": "write"}}),
        (f"/v1/tokens/installations/{acme}", {"permissions": {"contents": "everything"}}),
        (f"/v1/tokens/installations/{suspended}", {}),
        ("/v1/tokens/installations/1", {}),
    ):
        assert watched.ask("POST", path, json=body).is_client_error
    token = watched.tokens[-1]
    for credential in (watched.folder.api_key() + "x", token, f"{watched.folder.api_key()[:-3]}AAA"):
        for path in ("/v1/runs", f"/v1/tokens/installations/{acme}"):
            refused = watched.ask("GET", path, headers={"Authorization": f"Bearer {credential}"})
            assert refused.status_code == 401


def ask_about_tokens(watched: Watched, acme: int, run: str) -> None:
    """What they would give, which there are, what was done with them; and then they are revoked."""
    dry_run = f"/v1/tokens/installations/{acme}/dry-run"
    probe = watched.ask("POST", dry_run, json={"probe": True}).raise_for_status().json()["probe"]
    assert probe["minted"], probe
    watched.ask("POST", dry_run, json={"permissions": {"secrets": "write"}, "probe": True}).raise_for_status()
    for path in (
        "/v1/tokens",
        "/v1/tokens/audit",
        "/v1/github-app/check",
        "/v1/policies",
        f"/v1/installations/{acme}/events",
        "/v1/audit",
    ):
        watched.ask("GET", path).raise_for_status()
    for service in ("campaigns", "selection", "tokens"):
        for path in ("dead-letters", "entries", "pending"):
            watched.ask("GET", f"/v1/streams/{service}/{path}").raise_for_status()
    for chosen in ({"run_id": run}, {"installation_id": acme}):
        answer = watched.ask("POST", "/v1/tokens/revoke", json=chosen).raise_for_status()
        if operation := answer.json()["operation_id"]:
            watched.finish(operation)
    with httpx.Client(headers={"authorization": f"Bearer {watched.tokens[-1]}"}) as holder:
        assert holder.get(f"{watched.stack.github_url}/api/v3/installation/repositories").status_code == 401


def send_webhooks(watched: Watched) -> None:
    """Deliveries that are not GitHub's, and one that is and makes no sense."""
    secret = (watched.folder.path / "github" / "webhook-secret").read_bytes()
    signature = "sha256=" + hmac.new(secret, b"no JSON", hashlib.sha256).hexdigest()
    for number, (content, signed) in enumerate(
        ((b"{}", None), (b"{}", "sha256=" + "0" * 64), (b"no JSON", signature), (secret, secret.decode()))
    ):
        headers = {"X-GitHub-Event": "push", "X-GitHub-Delivery": f"delivery-{number}"}
        headers |= {"X-Hub-Signature-256": signed} if signed else {}
        assert watched.ask("POST", "/webhooks/github", content=content, headers=headers).is_client_error


def found(watched: Watched, search: Search) -> list[str]:
    """Every place in which a secret stands."""
    leaks = [leak for place, content in watched.said for leak in search.in_text(place, content)]
    workers = {worker: f"http://127.0.0.1:{port}" for worker, port in watched.stack.health_ports.items()}
    for process, url in {"gateway": watched.stack.url, **workers}.items():
        metrics, health = httpx.get(f"{url}/metrics"), httpx.get(f"{url}/healthz")
        assert (b"octobatch_" if process in workers else b"python_info") in metrics.raise_for_status().content
        assert health.json()["checks"]
        leaks += search.in_text(f"metrics of {process}", metrics.content)
        leaks += search.in_text(f"health of {process}", health.content)
    with Redis.from_url(watched.stack.valkey.url) as redis:
        redis.save()  # dump.rdb, beside the append-only files that have all that was ever written
    assert (watched.folder.path / "valkey" / "dump.rdb").stat().st_size > 1000
    for table, content in asyncio.run(dumped(watched.stack.postgres.dsn())):
        leaks += search.in_text(f"table {table}", content)
    return leaks + search.in_folder(watched.folder.path, without=OWN_FILES)


async def dumped(dsn: str) -> list[tuple[str, bytes]]:
    """Every table of Octobatch as text; afterwards its files hold all of it too."""
    conn = await asyncpg.connect(dsn)
    try:
        tables = await conn.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
        found: list[tuple[str, bytes]] = []
        for (table,) in tables:
            content = io.BytesIO()
            await conn.copy_from_table(table, output=content)
            found.append((table, content.getvalue()))
        await conn.execute("CHECKPOINT")
        return found
    finally:
        await conn.close()


PLANTS = {
    "logs/gateway.log": "plain",
    "logs/campaigns.log": "base64 behind 0 bytes",
    "logs/selection.log": "URL-encoded throughout",
    "logs/tokens.log": "hex",
    "artifacts/planted": "hex in capitals",
    "workspace/planted": "reversed",
    "an error's body": "UTF-16",
    "valkey/dump.rdb": "base64 behind 1 bytes",
    "valkey/appendonlydir": "base64 behind 1 bytes",
    "table operations": "base64 behind 2 bytes",
    "postgres/": "hex in capitals",  # of a transaction that was rolled back: in the files alone
}
"""In which form the canary is put where, for the search to find."""


def plant(watched: Watched) -> None:
    """Puts the canary where a careless line of code would."""
    folder = watched.folder.path
    (folder / "workspace").mkdir(exist_ok=True)
    texts = {place: b"planted " + forms(CANARY.encode())[form] + b" here" for place, form in PLANTS.items()}
    for place in PLANTS:
        if place.startswith(("logs/", "artifacts/", "workspace/")):
            with (folder / place).open("ab") as file:
                file.write(texts[place])
    watched.said.append(("an error's body", texts["an error's body"]))
    with Redis.from_url(watched.stack.valkey.url) as redis:
        redis.xadd("octobatch:planted", {"command": texts["valkey/dump.rdb"]})
    asyncio.run(
        plant_rows(watched.stack.postgres.dsn(), kept=texts["table operations"], rolled_back=texts["postgres/"])
    )


async def plant_rows(dsn: str, *, kept: bytes, rolled_back: bytes) -> None:
    conn = await asyncpg.connect(dsn)
    try:
        transaction = conn.transaction()
        await transaction.start()
        await conn.execute("UPDATE operations SET error = $1", rolled_back.decode())
        await transaction.rollback()
        await conn.execute("UPDATE operations SET payload = $1", json.dumps({"planted": kept.decode()}))
    finally:
        await conn.close()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_no_secret_is_found_anywhere_but_in_the_answers_that_are_tokens(lived: Watched, search: Search) -> None:
    assert len(lived.tokens) == 3
    assert all(CANARY in token for token in lived.tokens)
    logged = b"".join(log.read_bytes() for log in lived.folder.logs.glob("*.log"))
    assert b'"level": "debug"' in logged
    assert b"token_granted" in logged
    assert f'"trace_id": "{TRACE_ID}"'.encode() in (lived.folder.logs / "campaigns.log").read_bytes()
    assert found(lived, search) == []

    plant(lived)
    leaks = found(lived, search)
    missed = [
        place
        for place, form in PLANTS.items()
        if not any(leak.startswith(place) and leak.endswith(f"token, {form}") for leak in leaks)
    ]
    assert missed == []


@pytest.mark.parametrize("form", forms(b""))
def test_a_secret_is_found_in_every_form(form: str) -> None:
    search = Search({"token": CANARY.encode()})
    needle = forms(CANARY.encode())[form]
    assert search.in_text("here", b"before " + needle + b" after")
    assert not search.in_text("here", b"before " + needle[:-1] + b" after")


@pytest.mark.parametrize("before", [b"", b"x", b"x-", b"x-access-token:"])
def test_a_secret_is_found_in_the_base64_of_what_holds_it(before: bytes) -> None:
    search = Search({"token": CANARY.encode()})
    assert search.in_text("here", base64.b64encode(before + CANARY.encode() + b"0123"))


def test_every_line_of_a_key_is_found() -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    search = Search({"key": pem})
    for line in pem.splitlines()[1:-2]:
        assert search.in_text("here", line[:40])
    assert not search.in_text("here", pem.splitlines()[0])
