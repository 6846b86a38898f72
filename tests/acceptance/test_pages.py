"""The pages in a real browser: somebody signs in and watches a run to its end."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.acceptance.conftest import REPOSITORIES, RunningStack

CHROMIUM = shutil.which("chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]

pytestmark = pytest.mark.skipif(
    CHROMIUM is None and not os.environ.get("CI"), reason="there is no chromium; install Debian's package of that name"
)


@pytest.fixture
def page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        yield page
        browser.close()
    assert errors == []


def test_a_run_is_watched_from_signing_in_to_its_end(stack: RunningStack, spec: Path, page: Page) -> None:
    page.goto(stack.stack.url)
    page.get_by_label("API key").fill(stack.folder.api_key())
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Campaigns")).to_be_visible()
    stack.octobatch("apply", "--file", str(spec), "--no-watch")
    run = stack.api("GET", "/v1/runs", params={"campaign": spec.stem})["items"][0]["id"]
    page.goto(f"{stack.stack.url}/ui/runs/{run}")
    expect(page.locator("#run-state")).to_have_text("completed", timeout=60_000)
    expect(page.locator("[data-state=open] output")).to_have_text(str(REPOSITORIES))
    expect(page.locator("td .state.open")).to_have_count(REPOSITORIES)
    page.get_by_role("link", name="acme/service-0", exact=True).click()
    expect(page.locator(".diff .added").last).to_contain_text("ran")
    page.set_viewport_size({"width": 1100, "height": 900})
    if folder := os.environ.get("OCTOBATCH_SCREENSHOTS"):
        page.screenshot(path=f"{folder}/target.png")
        page.goto(f"{stack.stack.url}/ui/runs/{run}")
        page.screenshot(path=f"{folder}/run.png")
