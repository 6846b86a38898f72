"""Every page, whichever there are: nobody is shut out of it, and nothing goes wrong in it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page
from pydantic import SecretStr

from gateway.app import create_app
from shared.settings import GatewaySettings
from tests.acceptance.pages.accessibility import faults_of
from tests.acceptance.pages.browser import screenshot
from tests.acceptance.pages.visits import VISITS, pages_of

SETTINGS = GatewaySettings(
    postgres_dsn=SecretStr("postgresql://nobody@127.0.0.1/none"),
    redis_url=SecretStr("redis://127.0.0.1"),
    blobstore_url="file:///nowhere",
    api_key_pepper=SecretStr("p" * 32),
    webhook_secret=SecretStr("of an app that is only looked at"),
)


def test_every_page_is_visited() -> None:
    assert sorted(pages_of(create_app(SETTINGS))) == sorted(VISITS), "add the page to tests/acceptance/pages/visits.py"


@pytest.mark.timeout(400)  # it looks at forty pages, and is not alone on its machine
def test_no_page_shuts_anybody_out(
    page: Page, known: dict[str, str], endpoint: dict[str, str], errors: list[str]
) -> None:
    found: list[str] = []
    for address in (each.format(**known, **endpoint) for visits in VISITS.values() for each in visits):
        answer = page.goto(address)
        assert answer is not None
        wrong = [] if answer.ok else [f"it answers {answer.status}"]
        wrong += faults_of(page)
        if (headings := page.locator("h1").count()) != 1:
            wrong.append(f"it has {headings} headings of the first level")
        found += [f"{address}: {each}" for each in [*wrong, *errors]]
        errors.clear()
        screenshot(page, address.strip("/").replace("/", "-").replace("?", "-") or "campaigns")
    assert not found, "\n".join(found)
