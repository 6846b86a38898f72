"""A real browser on the running stack, signed in. What a page says on its console as an error fails the test.

    def test_something(page: Page, stack: RunningStack) -> None:
        page.goto("/ui/streams")

Where a page is meant to meet an error, a test takes `errors` too, and empties it once it has looked. With
`OCTOBATCH_SCREENSHOTS=/some/folder` there are pictures of every page.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.acceptance.conftest import SPEC, RunningStack
from tests.acceptance.pages.browser import CHROMIUM, FLAGS, watch

SETTLED_SECONDS = 60.0


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without a browser these tests are skipped, except where `CI` is set: there they must run."""
    if CHROMIUM is None and not os.environ.get("CI"):
        here = Path(__file__).parent
        for item in items:
            if here in item.path.parents:
                item.add_marker(pytest.mark.skip(reason="there is no chromium; install Debian's package of that name"))


@pytest.fixture(scope="module")
def browser(stack: RunningStack) -> Iterator[Browser]:
    """One browser for the tests of a file.

    Not for all: while Playwright runs, no other test of this process could run an event loop. For the same reason the
    stack is started first.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def session(browser: Browser, stack: RunningStack) -> Any:
    """The cookies of somebody who signed in with the first API key."""
    context = browser.new_context(base_url=stack.stack.url)
    page = context.new_page()
    page.goto("/ui/sign-in")
    page.get_by_label("API key").fill(stack.folder.api_key())
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(f"{stack.stack.url}/")
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def errors() -> list[str]:
    """What went wrong in the page: what it threw, and errors on its console, of its policy of content too."""
    return []


@pytest.fixture
def page(browser: Browser, session: Any, stack: RunningStack, errors: list[str]) -> Iterator[Page]:
    """A page of somebody who signed in; addresses are the gateway's."""
    context = browser.new_context(base_url=stack.stack.url, storage_state=session)
    context.set_default_timeout(20_000)
    page = context.new_page()
    watch(page, errors)
    yield page
    context.close()
    assert errors == []


@pytest.fixture
def endpoint(stack: RunningStack) -> Iterator[dict[str, str]]:
    """An endpoint of outgoing webhooks and a message to it, as addresses of pages are made with."""
    new = {"url": "https://127.0.0.1:9/looked-at", "events": ["run.failed"]}
    endpoint = stack.api("POST", "/v1/webhook-endpoints", json=new)["endpoint"]["id"]
    message = stack.api("POST", f"/v1/webhook-endpoints/{endpoint}/ping")["id"]
    yield {"endpoint": endpoint, "message": message}
    stack.octobatch("webhooks", "delete", endpoint, "--yes")


@pytest.fixture(scope="session")
def known(stack: RunningStack) -> dict[str, str]:
    """The names and ids of a campaign whose run is done: what addresses of pages are made with."""
    name = "looked-at"
    file = stack.folder.path / f"{name}.yaml"
    file.write_text(SPEC.format(name=name))
    done = stack.octobatch("apply", "--file", str(file), "--no-watch")
    assert done.returncode == 0, done.stderr
    deadline = time.monotonic() + SETTLED_SECONDS
    while (run := stack.api("GET", "/v1/runs", params={"campaign": name})["items"][0])["state"] != "completed":
        assert time.monotonic() < deadline, run
        time.sleep(0.1)
    target = stack.api("GET", f"/v1/runs/{run['id']}/targets", params={"limit": 1})["items"][0]
    installation = stack.api("GET", "/v1/installations")["items"][0]
    bulk = stack.api("POST", f"/v1/runs/{run['id']}/bulk-operations", json={"action": "retry"})["bulk_operation"]
    return {
        "campaign": name,
        "bulk": bulk["id"],
        "run": run["id"],
        "selection": run["selection_id"],
        "target": target["id"],
        "installation": installation["id"],
    }
