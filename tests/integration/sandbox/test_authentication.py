"""App JWTs and installation tokens are judged as GitHub judges them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.github_sandbox import RunningSandbox, running_sandbox
from tests.integration.sandbox.conftest import Organization

NOT_DECODED = "A JSON web token could not be decoded"


def _ask_as(github: RunningSandbox, credential: str, path: str = "app") -> httpx.Response:
    with github.client(credential) as client:
        return client.get(path)


def _message(response: httpx.Response) -> str:
    return str(response.json()["message"])


@pytest.mark.parametrize("issuer", ["app_id", "client_id"])
def test_the_app_is_known_by_its_id_and_its_client_id(github: RunningSandbox, issuer: str) -> None:
    answer = _ask_as(github, github.jwt(iss=str(getattr(github, issuer))))
    assert answer.status_code == 200
    assert answer.json()["slug"] == "octobatch"


@pytest.mark.parametrize(
    ("claims", "message"),
    [
        ({"exp": -10}, "'Expiration time' claim ('exp') must be a numeric value representing the future time"),
        ({"exp": 700}, "'Expiration time' claim ('exp') is too far in the future"),
        ({"iat": 100}, "'Issued at' claim ('iat') must be an Integer representing the time"),
        ({"exp": None}, "Missing 'expiration time' claim"),
    ],
)
def test_a_jwt_with_wrong_times_is_refused_and_told_why(
    github: RunningSandbox, claims: dict[str, Any], message: str
) -> None:
    now = int(time.time())
    answer = _ask_as(github, github.jwt(**{name: at if at is None else now + at for name, at in claims.items()}))
    assert answer.status_code == 401
    assert _message(answer).startswith(message)


def test_a_jwt_is_judged_by_githubs_clock_which_the_date_header_tells(github: RunningSandbox) -> None:
    github.ask("PATCH", "settings", {"clock_skew_seconds": -3600})
    answer = _ask_as(github, github.jwt())
    assert answer.status_code == 401
    assert "'Issued at'" in _message(answer) or "'Expiration time'" in _message(answer)
    told = time.mktime(time.strptime(answer.headers["date"], "%a, %d %b %Y %H:%M:%S GMT")) - time.timezone
    assert told == pytest.approx(time.time() - 3600, abs=5)


def test_a_jwt_of_another_key_is_refused(github: RunningSandbox) -> None:
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = other.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
    answer = _ask_as(github, github.jwt(key=pem))
    assert (answer.status_code, _message(answer)) == (401, NOT_DECODED)


def test_an_added_key_is_good_beside_the_first(github: RunningSandbox) -> None:
    added = github.ask("POST", "app/keys")["pem"]
    assert _ask_as(github, github.jwt(key=added)).status_code == 200
    assert _ask_as(github, github.jwt()).status_code == 200


def test_a_deleted_key_is_refused_and_those_left_are_good(tmp_path: Path) -> None:
    with running_sandbox(tmp_path) as own:
        pems = [own.private_key, *(own.ask("POST", "app/keys")["pem"] for _ in range(2))]
        fingerprints = own.ask("GET", "app/keys")["fingerprints"]
        own.ask("DELETE", f"app/keys/{fingerprints[1]}")
        assert [_ask_as(own, own.jwt(key=pem)).status_code for pem in pems] == [200, 401, 200]
        own.ask("DELETE", "app/keys")
        assert own.ask("GET", "app/keys")["fingerprints"] == fingerprints[2:]
        assert [_ask_as(own, own.jwt(key=pem)).status_code for pem in pems] == [401, 401, 200]


@pytest.mark.parametrize("credential", ["nonsense", "a.b.c", "ghs_" + "x" * 36])
def test_what_is_no_jwt_is_refused_where_one_is_needed(github: RunningSandbox, credential: str) -> None:
    assert _ask_as(github, credential).status_code == 401


def test_a_jwt_of_no_app_finds_nothing(github: RunningSandbox) -> None:
    answer = _ask_as(github, github.jwt(iss="1"))
    assert (answer.status_code, _message(answer)) == (404, "Integration not found")


def test_a_token_is_no_jwt_and_a_jwt_no_token(github: RunningSandbox, org: Organization) -> None:
    answer = _ask_as(github, github.token(org.installation_id), "app")
    assert (answer.status_code, _message(answer)) == (401, NOT_DECODED)
    assert _ask_as(github, github.jwt(), "installation/repositories").status_code == 401


def test_without_credentials_authentication_is_required(github: RunningSandbox) -> None:
    answer = httpx.get(f"{github.api_base}/installation/repositories")
    assert (answer.status_code, _message(answer)) == (401, "Requires authentication")


def test_a_token_says_what_it_may_and_for_how_long(github: RunningSandbox, org: Organization) -> None:
    with github.client(github.jwt()) as app:
        minted = app.post(f"app/installations/{org.installation_id}/access_tokens").json()
    assert minted["token"].startswith("ghs_")
    assert len(minted["token"]) == 40
    assert minted["permissions"]["contents"] == "write"
    assert minted["repository_selection"] == "all"
    assert "repositories" not in minted


def test_a_canary_is_in_every_token_that_still_looks_like_one(github: RunningSandbox, org: Organization) -> None:
    github.ask("PATCH", "settings", {"token_canary": "SungByACanary"})
    one, other = github.token(org.installation_id), github.token(org.installation_id)
    assert one != other
    for token in (one, other):
        assert token.startswith("ghs_SungByACanary")
        assert len(token) == 40
        assert _ask_as(github, token, "installation/repositories").status_code == 200


def test_an_expired_token_is_bad_credentials(github: RunningSandbox, org: Organization) -> None:
    github.ask("PATCH", "settings", {"token_lifetime_seconds": 0.001})
    answer = _ask_as(github, github.token(org.installation_id), "installation/repositories")
    assert (answer.status_code, _message(answer)) == (401, "Bad credentials")


def test_a_revoked_token_is_bad_credentials(github: RunningSandbox, org: Organization) -> None:
    org.ask("DELETE", "installation/token", 204)
    assert org.ask("GET", "installation/repositories", 401)["message"] == "Bad credentials"


def test_all_tokens_can_be_ended_at_once(github: RunningSandbox, org: Organization) -> None:
    github.ask("DELETE", "tokens")
    assert org.ask("GET", "installation/repositories", 401)["message"] == "Bad credentials"


def test_a_token_for_some_repositories_finds_no_others(github: RunningSandbox, org: Organization) -> None:
    org.repository("one")
    org.repository("two")
    token = github.token(org.installation_id, repositories=["one"])
    with github.client(token) as rest:
        listed = rest.get("installation/repositories").json()
        assert [each["name"] for each in listed["repositories"]] == ["one"]
        assert rest.get(f"repos/{org.login}/one").status_code == 200
        assert rest.get(f"repos/{org.login}/two").status_code == 404


def test_a_token_may_no_more_than_it_was_asked_for(github: RunningSandbox, org: Organization) -> None:
    head = org.repository()["head"]
    token = github.token(org.installation_id, permissions={"contents": "read"})
    with github.client(token) as rest:
        assert rest.get(f"repos/{org.login}/api/git/ref/heads/main").status_code == 200
        refused = rest.post(f"repos/{org.login}/api/git/refs", json={"ref": "refs/heads/x", "sha": head})
    assert (refused.status_code, _message(refused)) == (403, "Resource not accessible by integration")


@pytest.mark.parametrize(
    "asked", [{"permissions": {"secrets": "read"}}, {"permissions": {"checks": "write"}}, {"repositories": ["none"]}]
)
def test_a_token_for_more_than_is_granted_is_not_given(
    github: RunningSandbox, org: Organization, asked: dict[str, Any]
) -> None:
    with github.client(github.jwt()) as app:
        refused = app.post(f"app/installations/{org.installation_id}/access_tokens", json=asked)
    assert refused.status_code == 422


def test_a_suspended_installation_gives_no_token_and_honours_none(github: RunningSandbox, org: Organization) -> None:
    github.ask("PATCH", f"installations/{org.installation_id}", {"suspended": True})
    suspended = "This installation has been suspended"
    assert org.ask("GET", "installation/repositories", 403)["message"] == suspended
    with github.client(github.jwt()) as app:
        refused = app.post(f"app/installations/{org.installation_id}/access_tokens")
        assert (refused.status_code, _message(refused)) == (403, suspended)
        assert app.get(f"app/installations/{org.installation_id}").json()["suspended_at"]
    github.ask("PATCH", f"installations/{org.installation_id}", {"suspended": False})
    org.ask("GET", "installation/repositories")


def test_an_uninstalled_app_has_no_installation_and_its_tokens_end(github: RunningSandbox, org: Organization) -> None:
    github.ask("DELETE", f"installations/{org.installation_id}")
    org.ask("GET", "installation/repositories", 401)
    with github.client(github.jwt()) as app:
        assert app.get(f"orgs/{org.login}/installation").status_code == 404


def test_an_installation_on_some_repositories_has_no_others(github: RunningSandbox, org: Organization) -> None:
    org.repository("one")
    org.repository("two")
    github.ask("PATCH", f"installations/{org.installation_id}", {"repositories": ["two"]})
    listed = org.ask("GET", "installation/repositories")
    assert [each["name"] for each in listed["repositories"]] == ["two"]
    with github.client(github.jwt()) as app:
        assert app.get(f"repos/{org.login}/two/installation").json()["id"] == org.installation_id
        assert app.get(f"repos/{org.login}/one/installation").status_code == 404


def test_a_replica_that_lags_refuses_young_tokens(github: RunningSandbox, org: Organization) -> None:
    org.repository()
    github.ask("POST", "faults", {"kind": "replication_lag", "seconds": 60})
    young = github.token(org.installation_id)
    assert _ask_as(github, young, "installation/repositories").status_code == 401
    narrow = github.token(org.installation_id, permissions={"contents": "read"})
    assert _ask_as(github, narrow, "installation/repositories").status_code == 403
    github.ask("DELETE", "faults")
    assert _ask_as(github, young, "installation/repositories").status_code == 200


def test_a_manifest_is_converted_once_into_an_app_that_works(github: RunningSandbox, org: Organization) -> None:
    manifest = {
        "name": f"App of {org.login}",
        "url": "https://example.org",
        "default_permissions": {"contents": "read"},
    }
    code = github.ask("POST", "manifests", {"owner": org.login, "manifest": manifest})["code"]
    made = httpx.post(f"{github.api_base}/app-manifests/{code}/conversions")
    assert made.status_code == 201
    facts = made.json()
    assert _ask_as(github, github.jwt(key=facts["pem"], iss=facts["client_id"])).json()["id"] == facts["id"]
    assert httpx.post(f"{github.api_base}/app-manifests/{code}/conversions").status_code == 404
