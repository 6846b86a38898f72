"""Registering an App from a manifest: what is to be made, where a person confirms it, and what GitHub tells of it once.

    plan = AppPlan(name="Octobatch", organization="acme", homepage="https://octobatch.example", …)
    registration_url(github.addresses, plan, state=state)       # post plan.manifest(redirect_url) there, as a form
    credentials = await convert(github, code)                   # the code came back to redirect_url, with the state

Source: docs.github.com "Registering a GitHub App from a manifest": three steps, all within an hour.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from ..domain.permissions import Permissions
from ..errors import GitHubInvalid, GitHubNotFound
from .addresses import Addresses
from .client import GitHubClient

WEBHOOK_PATH = "/webhooks/github"
"""Where the gateway takes GitHub's webhooks in, below its public address."""

LONGEST_NAME = 34
"""GitHub takes no longer name for an App."""


@dataclass(frozen=True, kw_only=True)
class AppPlan:
    """An App that is to be made. No organisation: it is the person's who confirms; no webhook: GitHub sends none."""

    name: str
    organization: str | None
    homepage: str
    webhook_url: str | None
    permissions: Permissions
    events: Sequence[str]

    def manifest(self, redirect_url: str) -> dict[str, Any]:
        """As GitHub takes it; the person is led to `redirect_url` in the end."""
        manifest: dict[str, Any] = {
            "name": self.name,
            "url": self.homepage,
            "redirect_url": redirect_url,
            "public": False,
            "default_permissions": {resource: level.value for resource, level in self.permissions.items()},
        }
        if self.webhook_url:
            manifest |= {
                "hook_attributes": {"url": self.webhook_url, "active": True},
                "default_events": list(self.events),
            }
        return manifest


@dataclass(frozen=True, kw_only=True)
class AppCredentials:
    """What GitHub tells of a new App, the secrets among it only this once. `repr` hides them."""

    app_id: str
    client_id: str
    name: str
    owner: str
    html_url: str
    private_key: str = field(repr=False)
    webhook_secret: str | None = field(repr=False)  # None where the App has no webhook

    @property
    def install_url(self) -> str:
        """The page on which a person installs the App."""
        return f"{self.html_url}/installations/new"


def registration_url(addresses: Addresses, plan: AppPlan, *, state: str) -> str:
    """Where the manifest is posted, in the form field `manifest`."""
    settings = f"/organizations/{quote(plan.organization, safe='')}/settings" if plan.organization else "/settings"
    return f"{addresses.web}{settings}/apps/new?{urlencode({'state': state})}"


async def convert(github: GitHubClient, code: str) -> AppCredentials:
    """The new App of a confirmed manifest; raises the `GitHub…` errors. A code is good once, and for an hour."""
    try:
        facts = await github.rest("POST", f"/app-manifests/{quote(code, safe='')}/conversions", token="")
    except GitHubNotFound as error:
        raise GitHubNotFound(
            "GitHub does not know the code of the manifest: it is good once, and for an hour", status=error.status
        ) from error
    except GitHubInvalid as error:
        raise GitHubInvalid(f"GitHub refuses to make the App: {error.message}", status=error.status) from error
    return _credentials(facts)


def _credentials(facts: Mapping[str, Any]) -> AppCredentials:
    owner: Mapping[str, Any] = facts.get("owner") or {}
    return AppCredentials(
        app_id=str(facts["id"]),
        client_id=facts["client_id"],
        name=facts["name"],
        owner=owner.get("login", ""),
        html_url=facts["html_url"],
        private_key=facts["pem"],
        webhook_secret=facts.get("webhook_secret"),
    )
