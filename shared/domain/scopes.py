"""What a token of some scope would give, what stands in its way, and who can change that. Pure.

    report = judge(wanted, app, installation, decision)
    report.allowed, report.permissions, [each.approval for each in report.missing]

GitHub gives a token only for permissions that the App asks for and that the account's owner has accepted
(docs.github.com, "Modifying a GitHub App registration": new permissions must be approved for each installation).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from .installation import Installation
from .permissions import Level, Permissions, missing_permissions
from .policy import Decision


@dataclass(frozen=True, kw_only=True)
class AppFacts:
    """The App as GitHub tells of it. `web` is where GitHub's pages are, `page` the App's own."""

    slug: str
    owner: str
    owner_is_organization: bool
    permissions: Permissions
    web: str
    page: str


@dataclass(frozen=True, kw_only=True)
class WantedScope:
    """What is asked about. `found` are full names and ids of repositories, `not_found` as they were asked for."""

    permissions: Permissions = field(default_factory=dict[str, Level])
    found: tuple[tuple[str, int], ...] = ()
    not_found: tuple[str, ...] = ()


class Lacking(StrEnum):
    """Where something is missing."""

    APP = "app"
    INSTALLATION = "installation"
    REPOSITORY = "repository"
    SUSPENDED = "suspended"
    UNINSTALLED = "uninstalled"


@dataclass(frozen=True, kw_only=True)
class Missing:
    """One thing in the way: a permission (with the levels wanted and granted), a repository, or the installation.

    `approval` says who must do what, `address` where.
    """

    name: str
    lacking: Lacking
    approval: str
    address: str
    wanted: Level | None = None
    granted: Level | None = None


@dataclass(frozen=True, kw_only=True)
class ScopeReport:
    """Whether a token would be given, and what it would have: nothing where it would not be given."""

    allowed: bool
    permissions: Permissions
    repositories: tuple[str, ...]
    missing: tuple[Missing, ...]


def judge(wanted: WantedScope, app: AppFacts, installation: Installation, decision: Decision) -> ScopeReport:
    """What GitHub would say, and what the requester's policies say in `decision`."""
    missing = tuple(_missing(wanted, app, installation))
    allowed = decision.allowed and not missing
    return ScopeReport(
        allowed=allowed,
        permissions={"metadata": Level.READ, **decision.permissions} if allowed else {},
        repositories=tuple(name for name, _ in wanted.found),
        missing=missing,
    )


def _missing(wanted: WantedScope, app: AppFacts, installation: Installation) -> Iterator[Missing]:
    account, page = installation.account, installation_page(app.web, installation)
    if installation.deleted_at:
        yield Missing(
            name=account,
            lacking=Lacking.UNINSTALLED,
            approval=f"an owner of {account} installs the App {app.slug} again",
            address=f"{app.page}/installations/new",
        )
        return
    if installation.suspended_at:
        approval = f"an owner of {account}, or the App's owner, ends the suspension of the installation"
        yield Missing(name=account, lacking=Lacking.SUSPENDED, approval=approval, address=page)
    for resource, level in sorted(missing_permissions(wanted.permissions, installation.permissions).items()):
        yield _missing_permission(resource, level, app, installation)
    for repository in wanted.not_found:
        approval = f"an owner of {account} gives the installation the repository {repository}, if there is one"
        yield Missing(name=repository, lacking=Lacking.REPOSITORY, approval=approval, address=page)


def _missing_permission(resource: str, level: Level, app: AppFacts, installation: Installation) -> Missing:
    accept = f"an owner of {installation.account} accepts the App's new permissions"
    lacks = bool(missing_permissions({resource: level}, app.permissions))
    ask = f"an owner of {app.owner} adds {resource}: {level} to the App {app.slug}; then {accept}"
    return Missing(
        name=resource,
        lacking=Lacking.APP if lacks else Lacking.INSTALLATION,
        approval=ask if lacks else accept,
        address=_app_page(app) if lacks else installation_page(app.web, installation),
        wanted=level,
        granted=(app if lacks else installation).permissions.get(resource),
    )


def _app_page(app: AppFacts) -> str:
    return f"{_settings(app.web, app.owner, is_organization=app.owner_is_organization)}/apps/{app.slug}/permissions"


def installation_page(web: str, installation: Installation) -> str:
    """Where an account's owner sees the installation, accepts permissions and ends a suspension."""
    is_organization = installation.account_type == "Organization"
    return f"{_settings(web, installation.account, is_organization=is_organization)}/installations/{installation.id}"


def _settings(web: str, account: str, *, is_organization: bool) -> str:
    return f"{web}/organizations/{account}/settings" if is_organization else f"{web}/settings"
