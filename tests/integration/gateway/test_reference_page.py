"""The API's reference as a page: everybody may read it, it is searched, and types lead to their schemas."""

from __future__ import annotations

import re

import httpx
from fastapi import FastAPI


async def test_every_route_and_schema_stands_in_the_reference_once(app: FastAPI, anonymous: httpx.AsyncClient) -> None:
    shown = (await anonymous.get("/docs")).text
    names = re.findall(r'<details class="card[^"]*" id="([^"]+)"', shown)
    api = app.openapi()
    operations = [operation["operationId"] for path in api["paths"].values() for operation in path.values()]
    assert sorted(names) == sorted([*operations, *api["components"]["schemas"]])
    dangling = set(re.findall(r'<a href="#([A-Z][^"]+)"', shown)) - set(names)
    assert not dangling


async def test_the_reference_is_searched_by_all_words(anonymous: httpx.AsyncClient) -> None:
    shown = (await anonymous.get("/docs?q=CAMPAIGN archive post")).text
    assert re.findall(r'<details class="card operation" id="([^"]+)"', shown)[:1] == ["archive_campaign"]
    assert 'id="list_runs"' not in shown
    assert "Nothing of that kind" in (await anonymous.get("/docs?q=%3Cb%3E")).text
