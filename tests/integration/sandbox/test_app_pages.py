"""What a person does in the browser to register an App from a manifest and to install it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html import unescape
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx
import pytest

from tests.github_sandbox import RunningSandbox
from tests.integration.sandbox.conftest import Organization

CALLBACK = "http://127.0.0.1:1/callback?from=page"


@pytest.fixture
def browser(github: RunningSandbox) -> Iterator[httpx.Client]:
    """A client of the pages, which follows no redirect."""
    with httpx.Client(base_url=github.url) as browser:
        yield browser
    github.ask("PATCH", "settings", {"manifest_lifetime_seconds": 3600})


def test_a_confirmed_manifest_leads_back_with_a_code_and_the_state(
    github: RunningSandbox, org: Organization, browser: httpx.Client
) -> None:
    code = _confirm(browser, f"/organizations/{org.login}/settings/apps/new", state="s&<é")
    made = httpx.post(f"{github.api_base}/app-manifests/{code}/conversions").json()
    assert made["owner"]["login"] == org.login
    assert made["name"] == "Renamed"


def test_without_an_organisation_the_app_is_the_persons(github: RunningSandbox, browser: httpx.Client) -> None:
    code = _confirm(browser, "/settings/apps/new", state="state")
    made = httpx.post(f"{github.api_base}/app-manifests/{code}/conversions").json()
    assert made["owner"]["type"] == "User"


def test_an_expired_code_is_not_found(github: RunningSandbox, org: Organization, browser: httpx.Client) -> None:
    github.ask("PATCH", "settings", {"manifest_lifetime_seconds": 0})
    code = _confirm(browser, f"/organizations/{org.login}/settings/apps/new", state="state")
    assert httpx.post(f"{github.api_base}/app-manifests/{code}/conversions").status_code == 404


def test_the_install_page_installs_the_app_on_its_owner_once(
    github: RunningSandbox, org: Organization, browser: httpx.Client
) -> None:
    code = _confirm(browser, f"/organizations/{org.login}/settings/apps/new", state="state")
    made = httpx.post(f"{github.api_base}/app-manifests/{code}/conversions").json()
    address = f"{urlsplit(made['html_url']).path}/installations/new"
    assert "Install" in browser.get(address).text
    for _ in range(2):
        assert "is installed" in browser.post(address, follow_redirects=True).text
    with github.client(github.jwt(key=made["pem"], iss=str(made["id"]))) as rest:
        assert [each["account"]["login"] for each in rest.get("app/installations").json()] == [org.login]


@pytest.mark.parametrize("manifest", ["", "no json", "[]", '{"name": "no address"}'])
def test_a_manifest_that_cannot_be_used_is_refused(org: Organization, browser: httpx.Client, manifest: str) -> None:
    answer = browser.post(f"/organizations/{org.login}/settings/apps/new", data={"manifest": manifest})
    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("event", "why"), [("installation", "unsupported: installation"), ("push", "not supported by permissions: push")]
)
def test_events_that_an_app_cannot_subscribe_to_are_refused(
    org: Organization, browser: httpx.Client, event: str, why: str
) -> None:
    manifest = {
        "url": "https://example.org",
        "redirect_url": CALLBACK,
        "default_permissions": {"checks": "read"},
        "default_events": ["check_suite", event],
    }
    address = f"/organizations/{org.login}/settings/apps/new"
    answer = browser.post(address, data={"manifest": json.dumps(manifest)})
    assert answer.status_code == 422
    assert why in answer.text


def test_an_unknown_organisation_has_no_such_page(browser: httpx.Client) -> None:
    assert browser.get("/organizations/nobody-is-called-so/settings/apps/new").status_code == 404


def _confirm(browser: httpx.Client, address: str, *, state: str) -> str:
    """Posts a manifest, presses the button, and returns the code that comes back."""
    manifest = {"name": f"App {uuid4().hex}", "url": "https://example.org", "redirect_url": CALLBACK}
    page = browser.post(address, params={"state": state}, data={"manifest": json.dumps(manifest)})
    assert page.status_code == 200, page.text
    (action,) = re.findall(r'action="([^"]*)"', page.text)
    fields = {name: unescape(value) for name, value in re.findall(r'name="(\w+)" value="([^"]*)"', page.text)}
    answer = browser.post(action, data={**fields, "name": "Renamed"})
    assert answer.status_code == 302
    led_to = urlsplit(answer.headers["location"])
    query = parse_qs(led_to.query)
    assert (led_to.path, query["from"], query["state"]) == ("/callback", ["page"], [state])
    return query["code"][0]
