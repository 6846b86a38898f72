"""Somebody writes a campaign in the browser, sees what it selects, previews it, publishes it, and closes it."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.acceptance.conftest import REPOSITORIES, RunningStack
from tests.acceptance.pages.browser import screenshot

NAME = "written-in-a-browser"
SPEC = f"""version: 1
name: {NAME}
on:
  - org: acme
steps:
  - edit: {{write: {{path: {NAME}.md, content: "hello\\n"}}}}
changesetTemplate:
  title: Say hello
  branch: octobatch/{NAME}
  commit: {{message: Say hello}}
  published: true
"""


_PASTE = """(editor, text) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", text);
    editor.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
}"""


def _write(page: Page, text: str) -> None:
    page.locator(".cm-content").click()
    page.keyboard.press("Control+a")
    page.locator(".cm-content").evaluate(_PASTE, text)


def test_a_spec_is_checked_and_completed_as_one_writes_and_never_lost(page: Page, stack: RunningStack) -> None:
    page.goto("/ui/new-campaign")
    expect(page.locator("#no-problems")).to_have_text("None: this is a valid spec.")
    _write(page, SPEC.replace("published", "publisched"))
    problem = page.get_by_role("button", name=re.compile("publisched"))
    expect(problem).to_contain_text("did you mean published?")
    expect(page.locator(".cm-lintRange-error")).to_have_text("publisched")
    expect(page.get_by_role("button", name="Apply")).to_be_disabled()
    problem.click()
    _write(page, SPEC)
    page.keyboard.press("Control+End")
    page.keyboard.type("roll")
    page.locator(".cm-tooltip-autocomplete li", has_text="rollout").click()
    expect(page.locator(".cm-tooltip-autocomplete li", has_text="maxOpenPerRepo")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.type("maxOpen: 100")
    page.get_by_text("maxOpen", exact=True).hover()
    expect(page.locator(".cm-tooltip-hover")).to_contain_text("open at once")
    expect(page.locator("#no-problems")).to_be_visible()
    screenshot(page, "editor")
    page.reload()
    expect(page.locator("#restored")).to_be_visible()
    expect(page.locator(".cm-content")).to_contain_text("maxOpen: 100")


def test_a_campaign_is_written_previewed_published_and_closed(
    page: Page, stack: RunningStack, errors: list[str]
) -> None:
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto("/")
    page.get_by_role("link", name="New campaign").click()
    _write(page, SPEC)
    page.get_by_role("button", name="Select now").click()
    expect(page.locator("#count-in")).to_have_text(str(REPOSITORIES))
    expect(page.locator("#repositories")).to_contain_text("acme/service-0")
    page.get_by_label("Why is this one in").fill("acme/nothing")
    page.get_by_role("button", name="Explain").click()
    expect(page.locator("#explanation")).to_contain_text("no entry found it")

    page.get_by_role("button", name="Save").click()
    expect(page.locator("#saved")).to_have_text("Version 1")
    page.goto(f"/ui/campaigns/{NAME}")
    expect(page.get_by_role("heading", name="It has not run yet")).to_be_visible()
    page.locator(".blank").get_by_role("button", name="Preview").click()
    expect(page.get_by_role("heading", name=f"Preview of {NAME}")).to_be_visible()
    publish = page.get_by_role("button", name="Publish what was prepared")
    publish.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"{REPOSITORIES} prepared changes")
    dialog.get_by_role("button", name="Publish").click()
    expect(page.get_by_role("heading", name=f"Run of {NAME}")).to_be_visible()
    expect(page.locator("#run-state")).to_have_text("completed")
    expect(page.locator("[data-state=open] output")).to_have_text(str(REPOSITORIES))
    expect(page.locator(".chart canvas")).to_be_visible()

    page.get_by_role("navigation", name="Where").get_by_role("link", name=NAME).click()
    expect(page.locator(".facts")).to_contain_text(f"of {REPOSITORIES}")
    page.locator("summary[aria-label=More]").click()
    page.get_by_role("button", name=re.compile("^Close")).click()
    expect(dialog).to_contain_text(f"closes {REPOSITORIES} open pull requests")
    screenshot(page, "closing")
    dialog.get_by_role("button", name="Close the campaign").click()
    page.wait_for_url("**/ui/bulk-operations/*")
    page.goto("/?state=archived&q=written-in")
    expect(page.locator("#rows tr")).to_have_count(1)
    page.get_by_role("link", name=NAME, exact=True).click()
    page.get_by_role("button", name="Take out of the archive").click()
    expect(page.get_by_role("status").filter(has_text="Taken out")).to_be_visible()
