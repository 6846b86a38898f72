"""What stands between a page and somebody who cannot see it well, has no mouse, or looks at it on a phone.

axe-core looks for faults by the rules of WCAG 2.2, A and AA. It is run through the debugging protocol, which the policy
of content does not hold back, so that pages are looked at under the policy that they are served with.
"""

from __future__ import annotations

import json
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}

_GRAVE = ("serious", "critical")
_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_COLOURS = ["color-contrast", "link-in-text-block"]
_LAYOUT = ["scrollable-region-focusable", "target-size", "aria-hidden-focus", "link-name", "button-name", "label"]
"""What may be otherwise on a phone, where parts are hidden or laid out anew."""


def faults_of(page: Page) -> list[str]:
    """Serious and critical faults of the page that is shown, in light, in dark, and at the width of a phone."""
    page.evaluate(AXE_SCRIPT)
    found: list[str] = []
    for look, size, scheme, only in (
        ("light", DESK, "light", {"type": "tag", "values": _TAGS}),
        ("dark", DESK, "dark", {"type": "rule", "values": _COLOURS}),
        ("phone", PHONE, "light", {"type": "rule", "values": _LAYOUT}),
    ):
        page.set_viewport_size(size)  # pyright: ignore[reportArgumentType]
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # pyright: ignore[reportArgumentType]
        found += [f"{look}: {fault}" for fault in _judged(page, only)]
    wide: int = page.evaluate("document.documentElement.scrollWidth")
    if wide > PHONE["width"]:
        found.append(f"phone: the page is {wide} pixels wide, and has to be moved sideways")
    page.set_viewport_size(DESK)  # pyright: ignore[reportArgumentType]
    return found


def _judged(page: Page, only: dict[str, Any]) -> list[str]:
    options = json.dumps({"runOnly": only, "resultTypes": ["violations"]})
    results: dict[str, Any] = page.evaluate(f"axe.run(document, {options})")
    return [
        f"{each['id']} ({each['help']}): {node['html'][:200]} {node['failureSummary']}"
        for each in results["violations"]
        if each["impact"] in _GRAVE
        for node in each["nodes"][:3]
    ]
