"""Somebody watches targets come, finds some, acts on them, and reads what changes in one and why it was selected."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.acceptance.conftest import REPOSITORIES, RunningStack
from tests.acceptance.pages.browser import screenshot


def test_targets_come_are_found_acted_on_and_read(stack: RunningStack, spec: Path, page: Page) -> None:
    stack.octobatch("apply", "--file", str(spec), "--no-watch")
    run = stack.api("GET", "/v1/runs", params={"campaign": spec.stem})["items"][0]
    page.goto(f"/ui/runs/{run['id']}/targets")
    expect(page.locator("tr[data-target] .state.open")).to_have_count(REPOSITORIES, timeout=60_000)  # without a reload
    _find_and_act(page)
    _read_what_changes(page, f"/ui/runs/{run['id']}/targets")
    page.goto(f"/ui/selections/{run['selection_id']}")
    page.get_by_label("Why is it in or out?").fill("acme/service-3")
    page.get_by_role("button", name="Explain").click()
    expect(page.get_by_label("Why", exact=True)).to_contain_text("branch main is in")
    page.get_by_role("searchbox", name="Find").fill("service-1")
    expect(page.locator("#contents tbody tr")).to_have_count(3)
    assert "q=service-1" in page.url


def _find_and_act(page: Page) -> None:
    """Three rows are found, two of them chosen, and commented on by a bulk operation that is followed to its end."""
    rows = page.locator("tr[data-target]")
    page.get_by_label("Find").fill("service-1")
    expect(rows).to_have_count(3)
    assert page.url.endswith("?text=service-1"), "what is shown can be shared"
    page.reload()
    expect(rows).to_have_count(3)
    page.get_by_role("link", name="Repository", exact=True).click()
    expect(rows.first).to_contain_text("acme/service-11")
    rows.nth(0).get_by_role("checkbox").click()
    rows.nth(1).get_by_role("checkbox").click(modifiers=["Shift"])
    expect(page.locator("[data-chosen]")).to_have_text("2 selected")
    page.get_by_label("What to do").select_option("Comment")
    page.get_by_role("button", name="Go on …").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Comment", exact=True)).to_be_disabled()
    dialog.get_by_label("Comment (Markdown)").fill("Please look by Friday.")
    expect(dialog).to_contain_text("Comment: 2 targets")
    screenshot(page, "bulk-dialog")
    dialog.get_by_role("button", name="Comment", exact=True).click()
    page.wait_for_url("**/ui/bulk-operations/*")
    expect(page.locator("h1 .state")).to_have_text("completed", timeout=30_000)
    expect(page.get_by_text("2 of 2")).to_be_visible()
    expect(page.locator("td .outcome.done")).to_have_count(2)


def _read_what_changes(page: Page, address: str) -> None:
    """The diff by keyboard and side by side, the log by what is in it, and what happened."""
    page.goto(f"{address}?repository=acme/service-0")
    page.get_by_role("link", name="acme/service-0", exact=True).click()
    expect(page.locator(".diff tr.added").last).to_contain_text("ran")
    expect(page.get_by_role("button", name="Fold all")).to_be_visible()  # the script is there
    page.keyboard.press("j")
    expect(page.locator(".diff-file summary").first).to_be_focused()
    page.keyboard.press("v")
    expect(page.locator("table.diff.split td.code.added").last).to_contain_text("ran")
    page.get_by_role("link", name="Log").click()
    page.get_by_label("Find in the log").fill("step")
    expect(page.locator("[data-found]")).to_have_text(re.compile(r"1 of \d+|not found"))
    page.get_by_role("link", name="Timeline").click()
    expect(page.locator(".moves .state.open")).to_be_visible()
