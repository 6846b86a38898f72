"""The frame of all pages: keys, the menu of a phone, and what somebody sees who goes astray."""

from __future__ import annotations

from playwright.sync_api import Page, expect


def test_pages_are_walked_by_keyboard_and_on_a_phone(page: Page, errors: list[str]) -> None:
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("g")
    page.keyboard.press("k")
    expect(page.get_by_role("heading", name="Tokens")).to_be_visible()
    page.keyboard.press("/")
    expect(page.get_by_label("Held by run")).to_be_focused()
    page.keyboard.press("g")  # written, and no shortcut
    expect(page.get_by_label("Held by run")).to_have_value("g")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_contain_text("goes to Streams")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)

    operate = page.get_by_text("Operate", exact=True)
    health = page.get_by_role("navigation", name="Main").get_by_role("link", name="Health")
    expect(health).to_be_hidden()
    operate.click()
    expect(health).to_be_visible()
    page.keyboard.press("Escape")
    expect(health).to_be_hidden()

    page.set_viewport_size({"width": 390, "height": 844})
    menu = page.get_by_role("button", name="Menu")
    streams = page.get_by_role("navigation", name="Main").get_by_role("link", name="Streams")
    expect(streams).to_be_hidden()
    menu.click()
    expect(streams).to_be_visible()
    page.keyboard.press("Escape")
    expect(menu).to_be_focused()
    menu.click()
    streams.click()
    expect(page.get_by_role("heading", name="Streams")).to_be_visible()
    assert errors == []

    answer = page.goto("/ui/nothing")
    assert answer is not None
    assert answer.status == 404
    expect(page.get_by_role("heading", name="There is no such page")).to_be_visible()
    errors.clear()  # the browser tells of the 404
