"""Which address each page is looked at. A page that has none here fails `test_every_page.py`.

`{campaign}`, `{run}` and the like are those of the fixtures `known` and `endpoint`.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

VISITS: dict[str, tuple[str, ...]] = {
    "/": ("/", "/?q=nothing-of-that-name"),
    "/docs": ("/docs?q=start", "/docs?q=nothing-of-that-kind"),
    "/problems": ("/problems",),
    "/problems/{name}": ("/problems/not-found",),
    "/ui/campaigns/{name}": ("/ui/campaigns/{campaign}",),
    "/ui/campaigns/{name}/edit": ("/ui/campaigns/{campaign}/edit",),
    "/ui/campaigns/{name}/runs": ("/ui/campaigns/{campaign}/runs",),
    "/ui/campaigns/{name}/spec": ("/ui/campaigns/{campaign}/spec", "/ui/campaigns/{campaign}/spec?before=1"),
    "/ui/new-campaign": ("/ui/new-campaign?start=replace-text",),
    "/ui/runs/{run_id}": ("/ui/runs/{run}",),
    "/ui/runs/{run_id}/targets": ("/ui/runs/{run}/targets", "/ui/runs/{run}/targets?text=nothing"),
    "/ui/bulk-operations": ("/ui/bulk-operations", "/ui/bulk-operations?campaign=nobody"),
    "/ui/bulk-operations/{bulk_id}": ("/ui/bulk-operations/{bulk}",),
    "/ui/selections": ("/ui/selections", "/ui/selections?name=nobody"),
    "/ui/selections/{selection_id}": (
        "/ui/selections/{selection}",
        "/ui/selections/{selection}?q=nothing&explain=acme/service-0",
    ),
    "/ui/selections/{selection_id}/diff/{later_id}": ("/ui/selections/{selection}/diff/{selection}",),
    "/ui/api-keys": ("/ui/api-keys",),
    "/ui/audit": ("/ui/audit", "/ui/audit?service=tokens", "/ui/audit?actor=key:nobody&resource=campaigns"),
    "/ui/me": ("/ui/me",),
    "/ui/health": ("/ui/health",),
    "/ui/installations": ("/ui/installations",),
    "/ui/installations/{installation_id}": ("/ui/installations/{installation}",),
    "/ui/policies": ("/ui/policies?api_key=ci&account=acme",),
    "/ui/sign-in": ("/ui/sign-in",),
    "/ui/streams": ("/ui/streams",),
    "/ui/streams/{service}": ("/ui/streams/campaigns", "/ui/streams/campaigns?show=entries"),
    "/ui/targets": ("/ui/targets",),
    "/ui/targets/{target_id}": (
        "/ui/targets/{target}",
        "/ui/targets/{target}?view=split",
        "/ui/targets/{target}?tab=timeline",
        "/ui/targets/{target}?tab=log",
        "/ui/targets/{target}?tab=files",
    ),
    "/ui/tokens": ("/ui/tokens",),
    "/ui/tokens/audit": ("/ui/tokens/audit",),
    "/ui/webhooks": ("/ui/webhooks",),
    "/ui/webhooks/{endpoint_id}": ("/ui/webhooks/{endpoint}",),
    "/ui/webhooks/{endpoint_id}/deliveries/{message_id}": ("/ui/webhooks/{endpoint}/deliveries/{message}",),
}
"""By the page's route: the addresses to look at, such as one with content and one without."""

NO_PAGES = {
    "/openapi.json": "is for programs",
    "/ui/runs/{run_id}/standing": "is a part of the page of a run",
    "/ui/sign-in/oidc": "sends the browser on to the provider",
    "/ui/sign-in/oidc/callback": "is where the provider sends it back to",
    "/ui/targets/{target_id}/diff/{index}": "is a part of the page of a target",
}
"""What is got and is no page, and why."""


def pages_of(app: FastAPI) -> Iterator[str]:
    """The routes of all pages: what is got, and does not stand in the description of the API."""
    for route in iter_route_contexts(app.routes):
        if "GET" in (route.methods or ()) and not route.include_in_schema and route.path not in NO_PAGES:
            yield str(route.path)
