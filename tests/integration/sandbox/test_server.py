"""The sandbox tells what kind of GitHub it is, as a GitHub Enterprise Server does."""

from __future__ import annotations

import httpx
import pytest

from tests.github_sandbox import RunningSandbox


def _ask(github: RunningSandbox, path: str, version: str | None = None) -> httpx.Response:
    return httpx.get(f"{github.api_base}{path}", headers={"x-github-api-version": version} if version else {})


@pytest.mark.parametrize("path", ["/", "/versions", "/user", "/nothing"])
def test_every_answer_names_the_servers_version(github: RunningSandbox, path: str) -> None:
    answer = _ask(github, path)
    assert answer.headers["x-github-enterprise-version"] == _ask(github, "/meta").json()["installed_version"]


def test_a_version_of_rest_that_is_not_spoken_is_refused_with_those_that_are(github: RunningSandbox) -> None:
    github.ask("PATCH", "settings", {"api_versions": ["2026-03-10", "2025-01-01"]})
    assert _ask(github, "/versions").json() == ["2025-01-01", "2026-03-10"]
    assert _ask(github, "/meta", "2025-01-01").status_code == 200
    assert _ask(github, "/meta").status_code == 200
    refused = _ask(github, "/meta", "2022-11-28")
    assert refused.status_code == 400
    assert refused.json()["message"] == (
        'The version you specified in the "X-GitHub-API-Version" request header, "2022-11-28", is not a supported'
        ' version. The following versions are currently supported: "2025-01-01", "2026-03-10" (most recent).'
    )


def test_an_old_server_knows_no_versions(github: RunningSandbox) -> None:
    github.ask("PATCH", "settings", {"api_versions": []})
    assert _ask(github, "/versions").status_code == 404
    assert _ask(github, "/meta", "2022-11-28").status_code == 200


def test_in_private_mode_nothing_is_shown_to_who_does_not_sign_in(github: RunningSandbox) -> None:
    github.ask("PATCH", "settings", {"private_mode": True})
    for path in ("/", "/meta", "/versions"):
        answer = _ask(github, path)
        assert answer.status_code == 401
        assert "x-github-media-type" in answer.headers
    with github.client(github.jwt()) as app:
        assert app.get("meta").status_code == 200
