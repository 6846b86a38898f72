"""The application: resources in its lifespan, routes, and problems."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from shared.settings import GatewaySettings

from . import (
    description,
    github_app,
    health,
    installation_index,
    installation_limits,
    installations,
    me,
    operations,
    problems,
    spec_schema,
    specs,
    token_records,
    token_scopes,
    tokens,
    webhooks,
)
from .access import audit_log, enforcing
from .access.auditing import Audited
from .api_keys import routes as api_keys
from .auth import ensure_first_key
from .bulk import closing as campaign_closing
from .bulk import routes as bulk_operations
from .campaigns import notifications as campaign_notifications
from .campaigns import routes as campaigns
from .conditional import Conditional
from .edge import Edge
from .events import routes as events
from .parameters import known_parameters
from .policies import routes as policies
from .rates import RateLimit
from .resources import open_resources
from .runs import progress as run_progress
from .runs import routes as runs
from .selections import looking as selection_contents
from .selections import owner_routes as selection_owners
from .selections import routes as selections
from .selections import schedules as selection_schedules
from .streams import routes as streams
from .targets import exporting as target_exports
from .targets import routes as targets
from .versions import V1
from .web import site
from .webhook_endpoints import deliveries as webhook_deliveries
from .webhook_endpoints import routes as webhook_endpoints

API = (
    me,
    campaigns,
    campaign_notifications,
    campaign_closing,
    runs,
    run_progress,
    events,
    bulk_operations,
    target_exports,
    targets,
    selections,
    selection_contents,
    selection_owners,
    selection_schedules,
    operations,
    installation_index,
    installation_limits,
    installations,
    github_app,
    tokens,
    token_scopes,
    token_records,
    policies,
    specs,
    streams,
    webhook_endpoints,
    webhook_deliveries,
    api_keys,
    audit_log,
)
"""What is below `/v1`."""

BESIDE = (webhooks, spec_schema, health)
"""What others than clients of the API ask for: its address does not change with the version."""


def create_app(settings: GatewaySettings, *, tell: Callable[[str], None] = print) -> FastAPI:
    """The gateway; `tell` is given the line with the first API key, once."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_resources(settings) as resources:
            app.state.resources = resources
            if first_key := await ensure_first_key(resources):
                tell(f"The first API key, shown this once: {first_key}")
            yield

    app = FastAPI(
        title="Octobatch",
        version="1",
        summary="Run campaigns on GitHub",
        description="Every route but health, schemas and webhooks needs an API key. Errors are RFC 9457 problems.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=lambda route: route.name,
        dependencies=[Depends(enforcing.authorize)],
    )
    for middleware in (Audited, Conditional, RateLimit, Edge):  # the last one is the outermost
        app.add_middleware(middleware)
    if settings.trusted_networks:
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=list(settings.trusted_networks))
    problems.install(app)
    for module in API:
        app.include_router(module.router, prefix=V1, dependencies=[Depends(known_parameters)])
    for module in BESIDE:
        app.include_router(module.router)
    site.install(app)
    description.install(app)
    enforcing.install(app)
    return app
