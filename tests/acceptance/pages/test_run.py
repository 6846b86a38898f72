"""Somebody signs in and watches a run to its end."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.acceptance.conftest import REPOSITORIES, RunningStack
from tests.acceptance.pages.browser import screenshot, watch


def test_a_run_is_watched_from_signing_in_to_its_end(
    stack: RunningStack, spec: Path, browser: Browser, errors: list[str]
) -> None:
    page = browser.new_page(base_url=stack.stack.url)
    watch(page, errors)
    page.goto("/")
    page.get_by_label("API key").fill(stack.folder.api_key())
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Campaigns")).to_be_visible()
    stack.octobatch("apply", "--file", str(spec), "--no-watch")
    run = stack.api("GET", "/v1/runs", params={"campaign": spec.stem})["items"][0]["id"]
    page.goto(f"/ui/runs/{run}")
    expect(page.locator("#run-state")).to_have_text("completed", timeout=60_000)
    expect(page.locator("[data-state=open] output")).to_have_text(str(REPOSITORIES))
    expect(page.locator("td .state.open")).to_have_count(REPOSITORIES)
    screenshot(page, "run")
    page.get_by_role("link", name="acme/service-0", exact=True).click()
    expect(page.locator(".diff .added").last).to_contain_text("ran")
    screenshot(page, "target")
    page.context.close()
    assert errors == []
