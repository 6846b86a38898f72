"""Operators at the pages: what they see of what runs, and what they do about it, each act asking first."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect
from redis import Redis

from shared.domain.ids import OperationId, new_id
from shared.domain.operation import Service
from shared.streams.envelope import Envelope
from shared.streams.keys import ServiceKeys
from tests.acceptance.conftest import RunningStack

KEYS = ServiceKeys(Service.TOKENS)


@pytest.fixture
def dead_letter(stack: RunningStack) -> Iterator[str]:
    """A command of the tokens worker that was given up; gives the id of its entry."""
    envelope = Envelope(
        id=OperationId(new_id()), service=Service.TOKENS, type="revoke_tokens", dedupe_key="given-up", actor="key:ci"
    )
    with Redis.from_url(stack.part("gateway").environment["OCTOBATCH_REDIS_URL"]) as redis:
        fields = {"command": envelope.to_json(), "error": "GitHub refused it", "deliveries": "3"}
        entry_id = redis.xadd(KEYS.dead_letters, fields)  # pyright: ignore[reportArgumentType]
        yield entry_id.decode()  # pyright: ignore[reportAttributeAccessIssue]
        redis.delete(KEYS.dead_letters)


def test_a_stream_is_watched_and_its_dead_letters_are_given_up(
    page: Page, stack: RunningStack, dead_letter: str
) -> None:
    page.goto("/ui/streams")
    tokens = page.locator("[data-stream=tokens]")
    expect(tokens.get_by_text("1 given up")).to_be_visible()
    before = tokens.locator("polyline").get_attribute("points")
    expect(tokens.locator("[data-of=rate]")).to_have_text(re.compile(r"^\d+$"))  # it was asked for twice by now
    assert tokens.locator("polyline").get_attribute("points") != before

    page.get_by_role("link", name="1 dead letter: look at them").click()
    letter = page.get_by_role("article")
    expect(letter).to_contain_text("GitHub refused it")
    expect(letter).to_contain_text("after 3 deliveries")
    page.get_by_role("button", name="Give up …").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("1 command will be cancelled (1 revoke_tokens)")
    dialog.get_by_role("button", name="Cancel").click()
    expect(letter).to_be_visible()
    page.get_by_role("button", name="Give up …").click()
    dialog.get_by_role("button", name="Give up").click()
    expect(page.get_by_text("No dead letters.")).to_be_visible()
    page.get_by_role("link", name="Streams", exact=True).first.click()
    expect(page.get_by_role("row", name="streams.purge").first).to_contain_text("tokens")
    assert stack.api("GET", "/v1/streams/tokens")["dead_letters"] == 0


def test_a_policy_is_asked_about_and_applied_and_a_token_asked_about(
    page: Page, known: dict[str, str], errors: list[str]
) -> None:
    page.goto("/ui/policies?api_key=ci-release&account=acme&permissions=contents:read")
    expect(page.get_by_role("status", name="Decision")).to_contain_text("Refused")
    document = page.get_by_label("All policies")
    document.fill("version: 1\npolicies:\n  - name: bad name\n")
    page.get_by_role("button", name="See what would change …").click()
    expect(page.locator("[data-problems]")).to_contain_text("line 3")
    errors.clear()  # the browser tells of the 422
    document.fill(
        "version: 1\npolicies:\n  - name: releases\n    principals: [{apiKey: ci-.*}]\n    installations: [acme]\n"
        "    permissions: {contents: read}\n"
    )
    page.get_by_role("button", name="See what would change …").click()
    expect(page.get_by_role("dialog")).to_contain_text("added: releases")
    page.get_by_role("dialog").get_by_role("button", name="Apply").click()
    expect(page.get_by_role("heading", name="releases")).to_be_visible()
    expect(page.get_by_role("status", name="Decision")).to_contain_text("Allowed by releases")
    page.get_by_label("All policies").fill("version: 1\npolicies: []\n")
    page.get_by_role("button", name="See what would change …").click()
    expect(page.get_by_role("dialog")).to_contain_text("removed: releases")
    page.get_by_role("dialog").get_by_role("button", name="Apply").click()
    expect(page.get_by_text("No policy yet")).to_be_visible()

    page.goto("/ui/tokens")
    page.get_by_role("row", name="service:selection").get_by_role("button", name="Revoke …").first.click()
    expect(page.get_by_role("dialog")).to_contain_text("1 token will be revoked. Held by")
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    page.get_by_role("link", name="Audit").click()
    page.get_by_label("What").select_option("grant")
    page.get_by_label("Requested by").fill("service:selection")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator("tbody tr").first).to_contain_text("service:selection")
    assert "requested_by=service" in page.url


def test_an_endpoint_is_added_pinged_and_deleted(page: Page, stack: RunningStack, errors: list[str]) -> None:
    page.goto("/ui/webhooks")
    page.get_by_label("Address").fill("https://127.0.0.1:9/hook")
    page.get_by_label("Told of").fill("run.nonsense")
    page.get_by_role("button", name="Add").click()
    expect(page.locator("[data-problems]")).to_contain_text("run.nonsense")
    errors.clear()  # the browser tells of the 422
    page.get_by_label("Told of").fill("run.completed, target.merged")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_label("The secret of the endpoint").last).to_have_value(re.compile("^whsec_"))
    page.get_by_role("button", name="I have it").click()
    page.get_by_role("button", name="Send a ping").click()
    page.get_by_role("link", name="webhook.ping").click()
    expect(page.get_by_role("heading", name="webhook.ping")).to_be_visible()
    page.get_by_role("link", name="https://127.0.0.1:9/hook").click()
    page.get_by_role("button", name="Delete …").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("No endpoint yet.")).to_be_visible()
    assert stack.api("GET", "/v1/webhook-endpoints")["items"] == []


def test_installations_are_looked_at_and_github_is_asked(page: Page, known: dict[str, str]) -> None:
    page.goto("/ui/installations")
    page.get_by_role("button", name="Ask GitHub now").click()
    expect(page.locator(".toast")).to_have_text(re.compile("1 installation, nothing new"))
    page.get_by_role("link", name="acme").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("well")
    page.get_by_role("button", name="List anew").click()
    expect(page.get_by_role("dialog")).to_contain_text("12 repositories")
    page.get_by_role("dialog").get_by_role("button", name="List anew").click()
    expect(page.locator(".toast")).to_contain_text("under way")


def test_a_key_is_made_rotated_and_revoked_and_the_audit_tells_by_whom(
    page: Page, stack: RunningStack, errors: list[str]
) -> None:
    page.goto("/")
    page.get_by_text("Operate").click()
    page.get_by_role("link", name="API keys").click()
    page.get_by_role("button", name="New key …").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name", exact=True).fill("ci-walk")
    dialog.get_by_label("Role").select_option("author")
    dialog.get_by_label("In the namespace").fill("payments")
    dialog.get_by_role("button", name="Another role").click()
    dialog.get_by_label("Role").last.select_option("viewer")
    for each in ("read", "change", "get installation tokens"):
        dialog.get_by_label(each).uncheck()
    dialog.get_by_role("button", name="Make the key").click()
    expect(dialog.locator("[data-problems]")).to_contain_text("body.scopes")  # none at all is not each
    errors.clear()  # the browser tells of the 422
    dialog.get_by_label("read").check()
    dialog.get_by_role("button", name="Make the key").click()
    expect(page.get_by_label("The new key").last).to_have_value(re.compile("^obk_"))
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    page.get_by_role("button", name="I have it").click()

    rows = page.get_by_role("row").filter(has_text="ci-walk")
    expect(rows).to_contain_text("author of payments, viewer of everything")
    expect(rows).to_contain_text("in 90 days")
    page.get_by_role("button", name="Rotate ci-walk").click()
    expect(page.get_by_role("dialog")).to_contain_text("is valid for an hour more")
    page.get_by_role("dialog").get_by_role("button", name="Rotate").click()
    page.get_by_role("button", name="I have it").click()
    expect(rows).to_have_count(2)
    for left in (1, 0):
        page.get_by_role("button", name="Revoke ci-walk").first.click()
        page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
        expect(page.get_by_role("button", name="Revoke ci-walk")).to_have_count(left)
    keys = [each for each in stack.api("GET", "/v1/api-keys")["items"] if each["name"] == "ci-walk"]
    assert [(each["scopes"], each["revoked_at"] is not None) for each in keys] == [(["read"], True)] * 2

    page.goto("/ui/audit?resource=api-keys&hours=1")
    revoked = page.get_by_role("row").filter(has_text="DELETE /v1/api-keys/{key_id}").first
    expect(revoked).to_contain_text("key:bootstrap")
    revoked.get_by_role("link", name="api-keys/").click()
    expect(page.get_by_label("Resource")).to_have_value(re.compile("^api-keys/"))
    expect(page.locator("tbody tr").first).to_contain_text("204")
