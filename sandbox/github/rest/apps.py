"""The App, its installations, tokens and webhook deliveries."""

from __future__ import annotations

from typing import Any

from ..actions import installing
from ..clock import stamp
from ..errors import invalid, not_found
from ..state import Account, Installation, Repository
from ..state.installations import hash_of
from ..views.accounts import installation as installation_view
from ..views.accounts import integration
from ..views.deliveries import hook_delivery, hook_delivery_item
from ..views.repositories import repositories as repositories_view
from .endpoint import Audience, Call, Endpoint, Reply, get

_CONFIG_FIELDS = {
    "url": "webhook_url",
    "content_type": "webhook_content_type",
    "secret": "webhook_secret",
    "insecure_ssl": "webhook_insecure_ssl",
}


def get_app(call: Call) -> Reply:
    """GET /app"""
    count = len(call.world.state.installations.of_app(call.viewer.app.id))
    return Reply(body=integration(call.world, call.viewer.app) | {"installations_count": count})


def get_app_by_slug(call: Call) -> Reply:
    """GET /apps/{app_slug}"""
    app = call.world.state.apps.by_slug(call.path["slug"])
    if app is None:
        raise not_found()
    return Reply(body=integration(call.world, app))


def list_installations(call: Call) -> Reply:
    """GET /app/installations"""
    found = call.world.state.installations.of_app(call.viewer.app.id)
    return Reply(body=[installation_view(call.world, each) for each in call.page(found)])


def get_installation(call: Call) -> Reply:
    """GET /app/installations/{installation_id}"""
    return Reply(body=installation_view(call.world, _installation(call)))


def get_account_installation(call: Call) -> Reply:
    """GET /orgs/{org}/installation and /users/{username}/installation"""
    account = call.world.state.accounts.by_login(call.path["login"])
    return _installation_of(call, account)


def get_repository_installation(call: Call) -> Reply:
    """GET /repos/{owner}/{repo}/installation"""
    owner, name = call.path["owner"], call.path["repo"]
    repositories = call.world.state.repositories
    found = repositories.by_name(owner, name) or repositories.by_former_name(owner, name)
    account = call.world.state.accounts.get(found.owner_id) if found else None
    return _installation_of(call, account, found)


def delete_installation(call: Call) -> Reply:
    """DELETE /app/installations/{installation_id}"""
    installing.uninstall(call.world, _installation(call))
    return Reply(status=204)


def suspend_installation(call: Call) -> Reply:
    """PUT /app/installations/{installation_id}/suspended"""
    installing.suspend(call.world, _installation(call))
    return Reply(status=204)


def unsuspend_installation(call: Call) -> Reply:
    """DELETE /app/installations/{installation_id}/suspended"""
    installing.unsuspend(call.world, _installation(call))
    return Reply(status=204)


def create_token(call: Call) -> Reply:
    """POST /app/installations/{installation_id}/access_tokens"""
    installation = _installation(call)
    token, facts = installing.mint_token(
        call.world,
        installation,
        permissions=call.object("permissions") or None,  # GitHub takes an empty object as no wish
        repository_ids=call.numbers("repository_ids"),
        repository_names=call.texts("repositories"),
    )
    body: dict[str, Any] = {
        "token": token,
        "expires_at": stamp(facts.expires + call.world.clock.skew_seconds),
        "permissions": facts.permissions,
        "repository_selection": installation.repository_selection,
    }
    if facts.repository_ids is not None:
        chosen = [call.world.state.repositories.get(each) for each in facts.repository_ids]
        body |= {"repository_selection": "selected", "repositories": repositories_view(call.world, chosen)}
    return Reply(status=201, body=body)


def revoke_token(call: Call) -> Reply:
    """DELETE /installation/token"""
    call.world.state.tokens.revoke(call.viewer.token)
    return Reply(status=204)


def list_accessible_repositories(call: Call) -> Reply:
    """GET /installation/repositories"""
    where, parameters = accessible(call)
    repositories = call.world.state.repositories
    total = repositories.count(where, parameters)
    call.set_link(total)
    page = repositories.query(where, parameters, limit=call.per_page, offset=call.offset)
    selection = "selected" if call.viewer.repository_ids is not None else "all"
    return Reply(
        body={
            "total_count": total,
            "repository_selection": selection,
            "repositories": repositories_view(call.world, page, viewer=call.viewer),
        }
    )


def accessible(call: Call) -> tuple[str, list[Any]]:
    """The SQL condition for the repositories that the viewer's token is for."""
    installation = call.viewer.installation
    if installation is None:
        return "0", []
    if call.viewer.repository_ids is None:
        return "owner_id = ?", [installation.account_id]
    marks = ", ".join("?" * len(call.viewer.repository_ids))
    return f"owner_id = ? AND repositories.id IN ({marks})", [installation.account_id, *call.viewer.repository_ids]


def get_hook_config(call: Call) -> Reply:
    """GET /app/hook/config"""
    return Reply(body=_hook_config(call))


def update_hook_config(call: Call) -> Reply:
    """PATCH /app/hook/config"""
    changes = {column: call.text(name) for name, column in _CONFIG_FIELDS.items() if call.body.get(name) is not None}
    if changes:
        call.world.state.apps.update(call.viewer.app.id, **changes, updated_at=call.world.clock.stamp())
    return Reply(body=_hook_config(call))


def list_deliveries(call: Call) -> Reply:
    """GET /app/hook/deliveries"""
    cursor = call.query.get("cursor", "")
    found = call.world.state.deliveries.page(
        call.viewer.app.id, limit=call.per_page + 1, before_id=int(cursor) if cursor.isdigit() else None
    )
    page = found[: call.per_page]
    if len(found) > len(page):
        call.set_cursor(str(page[-1].id))
    return Reply(body=[hook_delivery_item(each) for each in page])


def get_delivery(call: Call) -> Reply:
    """GET /app/hook/deliveries/{delivery_id}"""
    try:
        delivery = call.world.state.deliveries.get(call.path["delivery_id"])
    except KeyError:
        raise not_found() from None
    if delivery.app_id != call.viewer.app.id:
        raise not_found()
    return Reply(body=hook_delivery(delivery))


def redeliver(call: Call) -> Reply:
    """POST /app/hook/deliveries/{delivery_id}/attempts"""
    try:
        delivery = call.world.state.deliveries.get(call.path["delivery_id"])
    except KeyError:
        raise not_found() from None
    if delivery.app_id != call.viewer.app.id:
        raise not_found()
    call.world.webhooks.redeliver(call.viewer.app, delivery)
    return Reply(status=202, body={})


def convert_manifest(call: Call) -> Reply:
    """POST /app-manifests/{code}/conversions"""
    world = call.world
    manifest = world.state.apps.take_manifest(hash_of(call.path["code"]), now=world.clock.now())
    if manifest is None:
        raise not_found()
    owner = world.state.accounts.by_login(manifest["owner"])
    name, url = manifest.get("name"), manifest.get("url")
    if owner is None or not name or not url:
        raise invalid("Integration", "name", code="missing_field")
    hook: dict[str, Any] = manifest.get("hook_attributes") or {}
    webhook_url = hook.get("url") if hook.get("active", True) else None
    secret = world.state.store.value("SELECT lower(hex(randomblob(20)))") if webhook_url else None
    made = installing.create_app(
        world,
        owner,
        name=name,
        slug=name.lower().replace(" ", "-"),
        description=manifest.get("description"),
        external_url=url,
        permissions=manifest.get("default_permissions") or {},
        event_names=manifest.get("default_events") or [],
        webhook_url=webhook_url,
        webhook_secret=secret,
    )
    told = {
        "client_id": made.app.client_id,
        "client_secret": made.client_secret,
        "webhook_secret": secret,
        "pem": made.private_key,
    }
    return Reply(status=201, body=integration(world, made.app) | told)


def _installation(call: Call) -> Installation:
    try:
        found = call.world.state.installations.get(call.path["installation_id"])
    except KeyError:
        raise not_found() from None
    if found.app_id != call.viewer.app.id:
        raise not_found()
    return found


def _installation_of(call: Call, account: Account | None, repository: Repository | None = None) -> Reply:
    installations = call.world.state.installations
    found = installations.of_account(call.viewer.app.id, account.id) if account else None
    if found is None or (repository and not installations.has_repository(found, repository.id, repository.owner_id)):
        raise not_found()
    return Reply(body=installation_view(call.world, found))


def _hook_config(call: Call) -> dict[str, Any]:
    app = call.world.state.apps.get(call.viewer.app.id)
    config = {
        "content_type": app.webhook_content_type,
        "insecure_ssl": app.webhook_insecure_ssl,
        "url": app.webhook_url or "",
    }
    return config | ({"secret": "********"} if app.webhook_secret else {})


def _app(method: str, path: str, handler: Any) -> Endpoint:
    return Endpoint(method=method, path=path, handler=handler, audience=Audience.APP)


_INSTALLATION = "/app/installations/{installation_id:int}"
ENDPOINTS: list[Endpoint] = [
    _app("GET", "/app", get_app),
    get("/apps/{slug}", get_app_by_slug, Audience.EITHER),
    _app("GET", "/app/installations", list_installations),
    _app("GET", _INSTALLATION, get_installation),
    _app("DELETE", _INSTALLATION, delete_installation),
    _app("PUT", f"{_INSTALLATION}/suspended", suspend_installation),
    _app("DELETE", f"{_INSTALLATION}/suspended", unsuspend_installation),
    _app("POST", f"{_INSTALLATION}/access_tokens", create_token),
    _app("GET", "/orgs/{login}/installation", get_account_installation),
    _app("GET", "/users/{login}/installation", get_account_installation),
    _app("GET", "/repos/{owner}/{repo}/installation", get_repository_installation),
    Endpoint(method="DELETE", path="/installation/token", handler=revoke_token),
    get("/installation/repositories", list_accessible_repositories),
    _app("GET", "/app/hook/config", get_hook_config),
    _app("PATCH", "/app/hook/config", update_hook_config),
    _app("GET", "/app/hook/deliveries", list_deliveries),
    _app("GET", "/app/hook/deliveries/{delivery_id:int}", get_delivery),
    _app("POST", "/app/hook/deliveries/{delivery_id:int}/attempts", redeliver),
    Endpoint(
        method="POST", path="/app-manifests/{code}/conversions", handler=convert_manifest, audience=Audience.ANYONE
    ),
]
