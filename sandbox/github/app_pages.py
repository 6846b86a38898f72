"""The pages on which a person registers an App from a manifest, and installs it.

Source: docs.github.com, "Registering a GitHub App from a manifest": a form field `manifest` is posted to
`/organizations/ORG/settings/apps/new?state=…` (or `/settings/apps/new`); the person confirms it, and is led back to
the manifest's `redirect_url` with `code` and `state`. Nobody signs in here: who acts is the organisation, or `mona`.
"""

from __future__ import annotations

import json
from html import escape
from typing import Any, cast
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from .actions import installing
from .control.requests import PERSON
from .state import Account, App
from .world import World

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title} · GitHub sandbox</title><link rel="icon" href="data:,"><style>
:root {{ color-scheme: light dark }}
body {{ font: 15px/1.5 system-ui, sans-serif; max-width: 40rem; margin: 2rem auto; padding: 0 1rem }}
h1 {{ font-weight: 500 }} small {{ opacity: .7 }} th, td {{ text-align: left; padding: .1rem 1rem .1rem 0 }}
button {{ font: inherit; font-weight: 600; padding: .4rem 1rem; border: 0; border-radius: .4rem; color: #fff;
background: #1a7f37 }}
</style></head><body><p><small>GitHub sandbox</small></p>
<h1>{title}</h1>
{body}</body></html>
"""
_PERMISSION_OF = {
    "check_run": "checks",
    "check_suite": "checks",
    "issue_comment": "issues",
    "issues": "issues",
    "pull_request": "pull_requests",
    "pull_request_review": "pull_requests",
    "push": "contents",
    "repository": "metadata",
    "status": "statuses",
}
"""What an App must be permitted for an event; those of installations come always, and cannot be asked for."""

_NO_MANIFEST = "<p>Post a form with the field <code>manifest</code> to this address.</p>"


class AppPages:
    """Pages of a world: of the manifest flow, of Apps, and of their installation."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def new(self, request: Request) -> Response:
        """GET and POST /organizations/{org}/settings/apps/new and /settings/apps/new"""
        owner = self._owner(request)
        if owner is None:
            return _not_found()
        if request.method != "POST":
            return _page("Register new GitHub App", _NO_MANIFEST)
        text = str((await request.form()).get("manifest", ""))
        manifest = _manifest(text)
        wrong = _wrong_events(manifest) if manifest else "The manifest cannot be used."
        if manifest is None or wrong:
            return _page("Invalid GitHub App configuration", f"<p>{escape(wrong)}</p>", 422)
        state = escape(request.query_params.get("state", ""))
        created = escape(request.url.path.removesuffix("/new"))
        body = (
            f"<p>{escape(owner.login)} will own it. It asks for:</p>"
            f"{_table(manifest.get('default_permissions') or {})}"
            f'<form method="post" action="{created}">'
            f'<input type="hidden" name="state" value="{state}">'
            f'<input type="hidden" name="manifest" value="{escape(text)}">'
            f'<p><label>GitHub App name <input name="name" value="{escape(manifest["name"])}" required></label></p>'
            f"<button>Create GitHub App for {escape(owner.login)}</button></form>"
        )
        return _page(f"Create GitHub App for {escape(owner.login)}", body)

    async def create(self, request: Request) -> Response:
        """POST /organizations/{org}/settings/apps and /settings/apps: the person has confirmed the manifest."""
        owner = self._owner(request)
        form = await request.form()
        manifest = _manifest(str(form.get("manifest", "")))
        if owner is None or manifest is None:
            return _not_found()
        manifest["name"] = str(form.get("name") or manifest["name"])
        code = installing.keep_manifest(self._world, owner, manifest)
        query = urlencode({"code": code, "state": str(form.get("state", ""))})
        redirect_url = str(manifest["redirect_url"])
        return RedirectResponse(f"{redirect_url}{'&' if urlsplit(redirect_url).query else '?'}{query}", 302)

    async def app(self, request: Request) -> Response:
        """GET /apps/{slug}"""
        app = self._app(request)
        if app is None:
            return _not_found()
        installed = self._world.state.installations.of_account(app.id, app.owner_id)
        told = "is installed" if installed else "is not installed yet"
        owner = escape(self._world.state.accounts.get(app.owner_id).login)
        return _page(escape(app.name), f"<p>{owner} owns it; there it {told}.</p>{_table(app.permissions)}")

    async def install(self, request: Request) -> Response:
        """GET and POST /apps/{slug}/installations/new: installs the App on its owner's account."""
        app = self._app(request)
        if app is None:
            return _not_found()
        owner = self._world.state.accounts.get(app.owner_id)
        if request.method == "POST":
            if not self._world.state.installations.of_account(app.id, owner.id):
                installing.install(self._world, app, owner)
            return RedirectResponse(f"{self._world.base_url}/apps/{app.slug}", 303)
        body = f'{_table(app.permissions)}<form method="post"><button>Install</button></form>'
        return _page(f"Install {escape(app.name)} on {escape(owner.login)}", body)

    def _owner(self, request: Request) -> Account | None:
        accounts = self._world.state.accounts
        if org := request.path_params.get("org"):
            return accounts.by_login(org)
        return accounts.ensure(PERSON, "User", now=self._world.clock.stamp())

    def _app(self, request: Request) -> App | None:
        return self._world.state.apps.by_slug(request.path_params["slug"])


def _manifest(text: str) -> dict[str, Any] | None:
    """What the text holds, if it has what GitHub requires; a name can be left to the person."""
    try:
        found: Any = json.loads(text)
    except ValueError:
        return None
    if not isinstance(found, dict):
        return None
    manifest = cast("dict[str, Any]", found)
    hook: Any = manifest.get("hook_attributes") or {"url": "none"}
    if not manifest.get("url") or not manifest.get("redirect_url") or not hook.get("url"):
        return None
    return {"name": "", **manifest}


def _wrong_events(manifest: dict[str, Any]) -> str:
    """What GitHub says of events that an App cannot subscribe to, or not with the permissions it asks for."""
    asked: list[str] = manifest.get("default_events") or []
    permissions: dict[str, str] = manifest.get("default_permissions") or {}
    unsupported = [event for event in asked if event not in _PERMISSION_OF]
    if unsupported:
        return f"Error Default events unsupported: {' and '.join(unsupported)}"
    uncovered = [event for event in asked if _PERMISSION_OF[event] not in permissions]
    return f"Error Default events are not supported by permissions: {' and '.join(uncovered)}" if uncovered else ""


def _table(permissions: dict[str, str]) -> str:
    rows = [f"<tr><th>{escape(name)}</th><td>{escape(level)}</td></tr>" for name, level in permissions.items()]
    return f"<table>{''.join(rows)}</table>"


def _page(title: str, body: str, status: int = 200) -> Response:
    return HTMLResponse(_PAGE.format(title=title, body=body), status)


def _not_found() -> Response:
    return _page("Not Found", "<p>There is no such page.</p>", 404)
