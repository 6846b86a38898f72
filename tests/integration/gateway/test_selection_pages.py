"""Selections as pages: one that is made, one that is looked into by facet, and two compared."""

from __future__ import annotations

import re

import httpx
import pytest

from gateway.schemas import EXAMPLE_SPEC
from shared.domain.ids import SelectionId, new_id
from shared.postgres import selections
from shared.postgres.pool import Pool
from tests.integration.gateway.test_selections import make_selected, store

PART = {"HX-Request": "true"}


@pytest.fixture
async def page(anonymous: httpx.AsyncClient, api_key: str) -> httpx.AsyncClient:
    """Somebody who has signed in to the pages."""
    assert (await anonymous.post("/ui/sign-in", data={"key": api_key})).status_code == 303
    return anonymous


def _names(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return re.findall(r'<th scope="row">(\S+) <span', answer.text)


async def test_a_complete_selection_is_looked_into_by_facet_name_and_page(page: httpx.AsyncClient, pool: Pool) -> None:
    selected = [
        make_selected(number, language="Go" if number % 2 else "C", included=number < 120, reason=f"r{number % 3}")
        for number in range(150)
    ]
    address = f"/ui/selections/{await store(pool, selected)}"
    first = await page.get(address)
    assert len(_names(first)) == 100
    following = re.search(r'hx-get="([^"]+cursor=[^"]+)"', first.text)
    assert following
    rest = await page.get(following[1].replace("&amp;", "&"), headers=PART)
    assert len({*_names(first), *_names(rest)}) == 150
    assert "<html" not in rest.text
    out = await page.get(f"{address}?included=false&language=Go")
    assert len(_names(out)) == 15
    assert f'href="{address}?included=false"' in out.text, "choosing a value again takes it back"
    assert _names(await page.get(f"{address}?q=REPO-149&included=")) == ["acme/repo-149"]
    assert len(_names(await page.get(f"{address}?included=nonsense&entry=x&visibility=y"))) == 100
    why = (await page.get(f"{address}?explain=acme/repo-149")).text
    assert "branch main is out: r2" in why
    assert "no entry found it" in (await page.get(f"{address}?explain=acme/unknown")).text
    assert address in (await page.get("/ui/selections?state=complete")).text


async def test_one_that_is_made_is_watched_and_two_are_compared(page: httpx.AsyncClient, pool: Pool) -> None:
    selection_id = SelectionId(new_id())
    async with pool.acquire() as conn:
        await selections.insert_selection(
            conn, selection_id=selection_id, document=EXAMPLE_SPEC, name="made", created_by="t"
        )
    moving = (await page.get(f"/ui/selections/{selection_id}")).text
    assert "data-moving" in moving
    assert 'hx-trigger="every 2s"' in (await page.get("/ui/selections?name=made")).text
    before = await store(pool, [make_selected(1), make_selected(2), make_selected(3, name="acme/old")])
    after = await store(pool, [make_selected(1, included=False, reason="archived"), make_selected(3, name="acme/new")])
    address = f"/ui/selections/{before}/diff/{after}"
    assert _names(await page.get(address)) == ["acme/new", "acme/repo-1", "acme/repo-2"]
    renamed = await page.get(f"{address}?change=renamed")
    assert _names(renamed) == ["acme/new"]
    assert "was acme/old" in renamed.text
    assert (await page.get(f"/ui/selections/{before}/diff/{selection_id}")).status_code == 409
