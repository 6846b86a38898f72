"""Chromium as the tests start it, what they watch a page for, and pictures of it for a person to look at."""

from __future__ import annotations

import os
import shutil

from playwright.sync_api import Page

CHROMIUM = shutil.which("chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]


def watch(page: Page, errors: list[str]) -> None:
    """Collects what goes wrong in a page."""
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)


def screenshot(page: Page, name: str) -> None:
    """Pictures of the page in light, in dark and at the width of a phone, in the folder of `OCTOBATCH_SCREENSHOTS`."""
    if not (folder := os.environ.get("OCTOBATCH_SCREENSHOTS")):
        return
    size = page.viewport_size
    for width, scheme in ((1280, "light"), (1280, "dark"), (390, "light")):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)  # pyright: ignore[reportArgumentType]
        look = scheme if width > 390 else "phone"
        page.screenshot(path=f"{folder}/{name}-{look}.png", full_page=True)
    page.emulate_media(color_scheme="null")
    if size:
        page.set_viewport_size(size)
