"""The pages, put into the app."""

from __future__ import annotations

from fastapi import FastAPI

from ..access.enforcing import SignInNeeded
from . import (
    api_keys,
    api_reference,
    audit,
    bulk_operations,
    campaign,
    campaigns,
    editor,
    error_pages,
    health,
    installations,
    kit,
    me,
    oidc_sign_in,
    policies,
    problem_kinds,
    runs,
    selections,
    sign_in,
    streams,
    target_table,
    targets,
    tokens,
    webhooks,
)

PAGES = (
    sign_in,
    oidc_sign_in,
    campaigns,
    editor,
    campaign,
    runs,
    target_table,
    targets,
    bulk_operations,
    selections,
    installations,
    streams,
    tokens,
    policies,
    webhooks,
    api_keys,
    audit,
    health,
    me,
    api_reference,
    problem_kinds,
)


def install(app: FastAPI) -> None:
    """Adds every page, and what pages load."""
    for module in PAGES:
        app.include_router(module.router)
    kit.mount_assets(app)
    error_pages.install(app)
    app.add_exception_handler(SignInNeeded, kit.to_sign_in)
