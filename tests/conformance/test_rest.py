"""Every REST exchange is as GitHub's OpenAPI description has it, and one that is otherwise is caught."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox.github.app import create_app
from sandbox.github.first_start import OWNER, prepare
from sandbox.github.rest.serving import ENDPOINTS
from sandbox.github.world import World
from tests.conformance.exchanges import Description, Exchange
from tests.conformance.session import Session, converse
from tests.conformance.transport import JudgingTransport, NotConforming, exchange_of

ALL = {
    "administration": "write",
    "checks": "write",
    "contents": "write",
    "issues": "write",
    "members": "read",
    "metadata": "read",
    "pull_requests": "write",
    "statuses": "write",
    "workflows": "write",
}


@pytest.fixture
async def session(description: Description, tmp_path: Path) -> AsyncIterator[Session]:
    """A client whose every exchange is judged as it happens."""
    world = World.open(tmp_path / "github", base_url="http://github.test")
    prepare(world, webhook_url="http://127.0.0.1:9/nobody-listens")
    installation = world.state.installations.of_app(world.state.apps.all()[0].id)[0]
    world.state.installations.set_permissions(installation.id, ALL, now=world.clock.stamp())
    transport = JudgingTransport(description, httpx.ASGITransport(create_app(world)))
    async with httpx.AsyncClient(transport=transport, base_url=world.base_url) as http:
        app = world.state.apps.all()[0]
        yield Session(http=http, app_id=app.id, private_key=(tmp_path / "github" / "app.pem").read_text())
    await world.close()


async def test_all_endpoints_are_githubs_and_a_session_that_uses_all_of_them_conforms(
    session: Session, description: Description
) -> None:
    installation_id = (await session.as_app("GET", "/app/installations"))[0]["id"]
    await converse(session, OWNER, installation_id)
    used = {
        (operation.method.upper(), operation.template)
        for answer in session.answers
        if (operation := _operation(description, answer)) is not None
    }
    offered = {(endpoint.method, _githubs(description, endpoint.method, endpoint.path)) for endpoint in ENDPOINTS}
    assert offered - used == set()


def _operation(description: Description, answer: httpx.Response) -> Any:
    exchange = exchange_of(answer.request, answer)
    return description.operation(exchange.method, exchange.path)


def _githubs(description: Description, method: str, path: str) -> str:
    """The template that GitHub's description has for a path of the sandbox's."""
    sample = path.replace(":path}", "}").replace(":int}", "}").replace("{basehead}", "{base...head}")
    operation = description.operation(method, sample.replace("{", "").replace("}", ""))
    assert operation is not None, f"GitHub has no {method} {path}"
    return operation.template


GET_ONE = Exchange(method="GET", path="/repos/acme/api/git/ref/heads/main", status=200, media_type="application/json")
OBJECT = {"type": "commit", "sha": "a" * 40, "url": "https://github.test/c"}
REF = {"ref": "refs/heads/main", "node_id": "REF_x", "url": "https://github.test/r", "object": OBJECT}


def _with(**changed: Any) -> Exchange:
    return replace(GET_ONE, response=json.dumps({**REF, **changed}).encode())


def test_an_exchange_that_conforms_has_no_problems(description: Description) -> None:
    assert description.problems(_with()) == []


@pytest.mark.parametrize(
    ("exchange", "problem"),
    [
        (_with(rfe="refs/heads/main"), "rfe: unknown property"),
        (_with(object={**OBJECT, "shaa": "a" * 40}), "object.shaa: unknown property"),
        (_with(object={"type": "commit", "url": "https://github.test/c", "sah": "a" * 40}), "'sha' is a required"),
        (_with(node_id=5), "5 is not of type 'string'"),
        (replace(_with(), path="/repos/acme/api/git/reff/heads/main"), "GitHub has no such endpoint"),
        (replace(_with(), query=["pre_page"]), "the parameter 'pre_page' is unknown"),
        (replace(_with(), status=201), "the status is not described"),
        (replace(_with(), media_type="text/html"), "not JSON"),
        (
            Exchange(
                method="POST",
                path="/repos/acme/api/git/refs",
                request=b'{"ref": "refs/heads/x", "shaa": "1"}',
                status=201,
                media_type="application/json",
                response=_with().response,
            ),
            "'sha' is a required",
        ),
        (
            Exchange(
                method="GET",
                path="/repos/acme/api",
                status=404,
                media_type="application/json",
                response=b'{"mesage": "Not Found"}',
            ),
            "mesage: unknown property",
        ),
    ],
)
def test_what_is_misspelt_or_missing_is_caught(description: Description, exchange: Exchange, problem: str) -> None:
    assert any(problem in each for each in description.problems(exchange)), description.problems(exchange)


@pytest.mark.parametrize("misspell", [lambda text: text.replace('"full_name"', '"fullname"')])
async def test_the_transport_catches_a_misspelt_field_of_a_real_answer(
    session: Session, description: Description, misspell: Callable[[str], str]
) -> None:
    class Misspelling(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            answer = next(each for each in session.answers if each.request.url == request.url)
            return httpx.Response(answer.status_code, headers={"content-type": "application/json"},
                                  content=misspell(answer.text))  # fmt: skip

    installation_id = (await session.as_app("GET", "/app/installations"))[0]["id"]
    session.token = (await session.as_app("POST", f"/app/installations/{installation_id}/access_tokens", status=201))[
        "token"
    ]
    await session.control("POST", "/repositories", {"owner": OWNER, "repositories": [{"name": "api"}]})
    await session.ask("GET", f"/repos/{OWNER}/api")
    async with httpx.AsyncClient(transport=JudgingTransport(description, Misspelling())) as http:
        with pytest.raises(NotConforming, match="full_name"):
            await http.get(f"http://github.test/api/v3/repos/{OWNER}/api")
