"""Installations, faults, limits, clock, counters: how the sandbox itself behaves."""

from __future__ import annotations

from typing import Any

from pydantic import RootModel
from starlette.requests import Request

from ..actions import installing
from ..errors import not_found
from ..faults import Fault
from ..limits import LimitSettings
from ..state import Installation
from ..world import World
from .handling import Nothing, account_of
from .requests import FaultBody, InstallationChange, LimitsBody, NewManifest, Settings


class FaultList(RootModel[list[FaultBody]]):
    """Several faults."""


def summary(world: World, _: Request, __: Nothing) -> Any:
    """GET /"""
    state = world.state
    app = state.apps.all()[0]
    return {
        "app": {"id": app.id, "client_id": app.client_id, "slug": app.slug, "webhook_url": app.webhook_url},
        "accounts": {
            account.login: state.repositories.count("owner_id = ?", [account.id])
            for account in state.accounts.all()
            if account.type != "Bot"
        },
        "repositories": state.repositories.count("1"),
        "pull_requests": {
            "open": state.pulls.count("state = 'open'"),
            "merged": state.pulls.count("merged_at IS NOT NULL"),
            "closed": state.pulls.count("state = 'closed' AND merged_at IS NULL"),
        },
        "installations": {
            state.accounts.get(each.account_id).login: each.id for each in state.installations.of_app(app.id)
        },
        "tokens": state.tokens.count(world.clock.now()),
        "deliveries": state.deliveries.count(app.id),
        "faults": world.faults.read(),
        "limits": vars(world.limits.settings),
        "clock_skew_seconds": world.clock.skew_seconds,
        "token_lifetime_seconds": world.token_lifetime_seconds,
    }


def change_installation(world: World, request: Request, body: InstallationChange) -> Any:
    """PATCH /installations/{id}"""
    installation = _installation(world, request)
    if body.suspended is not None:
        change = installing.suspend if body.suspended else installing.unsuspend
        installation = change(world, installation)
    if body.permissions is not None:
        installation = installing.set_permissions(world, installation, body.permissions)
    if body.repositories is not None:
        chosen = None
        if body.repositories != "all":
            owner = world.state.accounts.get(installation.account_id).login
            found = [world.state.repositories.by_name(owner, name) for name in body.repositories]
            chosen = [each for each in found if each is not None]
        installation = installing.select_repositories(world, installation, chosen)
    return {
        "id": installation.id,
        "suspended_at": installation.suspended_at,
        "permissions": installation.permissions,
        "repository_selection": installation.repository_selection,
    }


def delete_installation(world: World, request: Request, _: Nothing) -> None:
    """DELETE /installations/{id}"""
    installing.uninstall(world, _installation(world, request))


def list_faults(world: World, _: Request, __: Nothing) -> Any:
    """GET /faults"""
    return world.faults.read()


def add_fault(world: World, _: Request, body: FaultBody) -> Any:
    """POST /faults"""
    world.faults.add(Fault(**body.model_dump()))
    return world.faults.read()


def replace_faults(world: World, _: Request, body: FaultList) -> Any:
    """PUT /faults"""
    world.faults.clear()
    for fault in body.root:
        world.faults.add(Fault(**fault.model_dump()))
    return world.faults.read()


def clear_faults(world: World, _: Request, __: Nothing) -> None:
    """DELETE /faults"""
    world.faults.clear()


def set_limits(world: World, _: Request, body: LimitsBody) -> Any:
    """PUT /limits"""
    world.limits.configure(LimitSettings(**body.model_dump()))
    return vars(world.limits.settings)


def clear_limits(world: World, _: Request, __: Nothing) -> None:
    """DELETE /limits"""
    world.limits.configure(LimitSettings())


def change_settings(world: World, _: Request, body: Settings) -> None:
    """PATCH /settings"""
    if body.clock_skew_seconds is not None:
        world.clock.skew_seconds = body.clock_skew_seconds
    if body.token_lifetime_seconds is not None:
        world.token_lifetime_seconds = body.token_lifetime_seconds
    if body.manifest_lifetime_seconds is not None:
        world.manifest_lifetime_seconds = body.manifest_lifetime_seconds
    if body.token_canary is not None:
        world.token_canary = body.token_canary
    if body.webhook_url is not None:
        app = world.state.apps.all()[0]
        world.state.apps.update(app.id, webhook_url=body.webhook_url or None)
    if body.api_versions is not None:
        world.api_versions = tuple(sorted(body.api_versions))
    if body.private_mode is not None:
        world.private_mode = body.private_mode


def end_tokens(world: World, _: Request, __: Nothing) -> None:
    """DELETE /tokens"""
    world.state.tokens.delete_all()


def read_counters(world: World, _: Request, __: Nothing) -> Any:
    """GET /counters"""
    return world.counters.read()


def clear_counters(world: World, _: Request, __: Nothing) -> None:
    """DELETE /counters"""
    world.counters.clear()


def add_key(world: World, _: Request, __: Nothing) -> Any:
    """POST /app/keys"""
    return {"pem": installing.add_key(world, world.state.apps.all()[0])}


def list_keys(world: World, _: Request, __: Nothing) -> Any:
    """GET /app/keys"""
    keys = world.state.apps.keys(world.state.apps.all()[0].id)
    return {"fingerprints": [installing.key_fingerprint(each) for each in keys]}


def delete_key(world: World, request: Request, _: Nothing) -> None:
    """DELETE /app/keys/{fingerprint}"""
    if not installing.remove_key(world, world.state.apps.all()[0], request.path_params["fingerprint"]):
        raise not_found("There is no such key")


def delete_older_keys(world: World, _: Request, __: Nothing) -> None:
    """DELETE /app/keys"""
    installing.remove_older_keys(world, world.state.apps.all()[0])


def keep_manifest(world: World, _: Request, body: NewManifest) -> Any:
    """POST /manifests"""
    return {"code": installing.keep_manifest(world, account_of(world, body.owner), body.manifest)}


def _installation(world: World, request: Request) -> Installation:
    try:
        return world.state.installations.get(request.path_params["installation_id"])
    except KeyError:
        raise not_found("There is no such installation") from None
