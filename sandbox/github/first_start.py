"""What a new sandbox begins with: one App, its keys in files, and the organisation that owns it.

`app.json` (mode 600) holds `app_id`, `client_id`, `slug`, `webhook_secret_file` and `installations` (account → id);
`app.pem` the private key, `webhook-secret` the secret. All are in the sandbox's folder.
"""

from __future__ import annotations

import json
import secrets
from pathlib import Path

from .actions import installing
from .world import World

OWNER = "octo-org"
APP_NAME, APP_SLUG = "Octobatch", "octobatch"
PERMISSIONS = {
    "administration": "read",
    "checks": "read",
    "contents": "write",
    "issues": "write",
    "members": "read",
    "metadata": "read",
    "pull_requests": "write",
    "statuses": "read",
    "workflows": "write",
}
EVENTS = (
    "check_run",
    "check_suite",
    "custom_property_values",
    "issue_comment",
    "pull_request",
    "pull_request_review",
    "push",
    "repository",
    "status",
)


def prepare(world: World, *, owner: str = OWNER, webhook_url: str | None = None) -> None:
    """Makes App, owner and installation in a new sandbox; sets the webhook's address where one is given."""
    if not world.state.apps.all():
        account = world.state.accounts.ensure(owner, "Organization", now=world.clock.stamp())
        secret = secrets.token_hex(20)
        made = installing.create_app(
            world,
            account,
            name=APP_NAME,
            slug=APP_SLUG,
            permissions=PERMISSIONS,
            event_names=EVENTS,
            webhook_url=None,
            webhook_secret=secret,
        )
        installing.install(world, made.app, account)
        _write(world.folder / "app.pem", made.private_key)
        _write(world.folder / "webhook-secret", secret)
    app = world.state.apps.all()[0]
    if webhook_url is not None:
        app = world.state.apps.update(app.id, webhook_url=webhook_url)
    installations = {
        world.state.accounts.get(each.account_id).login: each.id for each in world.state.installations.of_app(app.id)
    }
    facts = {
        "app_id": app.id,
        "client_id": app.client_id,
        "slug": app.slug,
        "private_key_file": "app.pem",
        "webhook_secret_file": "webhook-secret",
        "installations": installations,
    }
    _write(world.folder / "app.json", json.dumps(facts, indent=2) + "\n")


def _write(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(text)
