"""Which address each page is looked at. A page that has none here fails `test_every_page.py`.

`{campaign}`, `{run}`, `{selection}`, `{target}` and `{installation}` are those of the fixture `known`.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

VISITS: dict[str, tuple[str, ...]] = {
    "/": ("/",),
    "/docs": ("/docs",),
    "/problems/{name}": ("/problems/not-found",),
    "/ui/campaigns/{name}": ("/ui/campaigns/{campaign}",),
    "/ui/runs/{run_id}": ("/ui/runs/{run}", "/ui/runs/{run}?state=failed"),
    "/ui/runs/{run_id}/targets": ("/ui/runs/{run}/targets", "/ui/runs/{run}/targets?q=nothing"),
    "/ui/sign-in": ("/ui/sign-in",),
    "/ui/targets": ("/ui/targets",),
    "/ui/targets/{target_id}": ("/ui/targets/{target}",),
}
"""By the page's route: the addresses to look at, such as one with content and one without."""

NO_PAGES = {
    "/openapi.json": "is for programs",
}
"""What is got and is no page, and why."""


def pages_of(app: FastAPI) -> Iterator[str]:
    """The routes of all pages: what is got, and does not stand in the description of the API."""
    for route in iter_route_contexts(app.routes):
        if "GET" in (route.methods or ()) and not route.include_in_schema and route.path not in NO_PAGES:
            yield str(route.path)
