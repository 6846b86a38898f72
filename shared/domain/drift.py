"""What changes of an installation, and whether it still grants what is expected. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from .ids import InstallationId
from .installation import Installation
from .permissions import Permissions, excessive_permissions, missing_permissions


class InstallationEventType(StrEnum):
    """What happened to an installation."""

    INSTALLED = "installed"
    UNINSTALLED = "uninstalled"
    SUSPENDED = "suspended"
    UNSUSPENDED = "unsuspended"
    DRIFTED = "drifted"
    RESTORED = "restored"


@dataclass(frozen=True, kw_only=True)
class Change:
    """One thing that changed of an installation."""

    installation_id: InstallationId
    type: InstallationEventType
    details: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class InstallationEvent:
    """A change as it was recorded."""

    id: UUID
    installation_id: InstallationId
    type: InstallationEventType
    details: Mapping[str, Any]
    occurred_at: datetime


def compared(installation: Installation, expected: Permissions) -> Installation:
    """The installation with what it lacks of `expected`, and what it grants beyond that."""
    return replace(
        installation,
        missing=missing_permissions(expected, installation.permissions),
        excessive=excessive_permissions(installation.permissions, expected),
    )


def changes(before: Installation | None, now: Installation) -> list[Change]:
    """What changed since `before`, which is None where the installation was not known."""
    known = None if before and before.deleted_at else before
    if now.deleted_at:
        return [_change(now, InstallationEventType.UNINSTALLED)] if known else []
    return list(_changes_of_a_living_one(known, now))


def is_as_known(before: Installation | None, now: Installation) -> bool:
    """Whether nothing at all is new, but when it was checked."""
    return before is not None and replace(before, checked_at=now.checked_at) == now


def drift_text(installation: Installation) -> str:
    """`acme lacks pull_requests: write and grants workflows: write beyond what is expected`; empty without drift."""
    parts = [
        f"lacks {_listed(installation.missing)}" if installation.missing else "",
        f"grants {_listed(installation.excessive)} beyond what is expected" if installation.excessive else "",
    ]
    told = " and ".join(filter(None, parts))
    return f"{installation.account} {told}" if told else ""


def _changes_of_a_living_one(known: Installation | None, now: Installation) -> Iterator[Change]:
    if known is None:
        yield _change(now, InstallationEventType.INSTALLED, permissions=_plain(now.permissions))
    if bool(now.suspended_at) != bool(known and known.suspended_at):
        yield _change(now, InstallationEventType.SUSPENDED if now.suspended_at else InstallationEventType.UNSUSPENDED)
    found = _drift(now)
    if found != (_drift(known) if known else {"missing": {}, "excessive": {}}):
        kind = InstallationEventType.DRIFTED if now.has_drifted else InstallationEventType.RESTORED
        yield _change(now, kind, **found)


def _change(installation: Installation, type: InstallationEventType, **details: Any) -> Change:  # noqa: A002
    return Change(installation_id=installation.id, type=type, details={"account": installation.account, **details})


def _drift(installation: Installation) -> dict[str, dict[str, str]]:
    return {"missing": _plain(installation.missing), "excessive": _plain(installation.excessive)}


def _plain(permissions: Permissions) -> dict[str, str]:
    return {resource: level.value for resource, level in permissions.items()}


def _listed(permissions: Permissions) -> str:
    return ", ".join(f"{resource}: {level}" for resource, level in sorted(permissions.items()))
