"""Whether a principal may have a token, which one, and why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from ..operation import Service
from ..permissions import Level, Permissions, common_permissions, describe_permissions, missing_permissions
from ..principal import Principal, PrincipalKind
from .model import TrustPolicy
from .services import service_ceiling


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a token is asked for.

    `account` is the login that the installation is on; `repositories` are full names (owner/name), none means all
    of the installation; no `permissions` means all that the requester may have. `granted` is what the installation
    grants the App.
    """

    account: str
    granted: Permissions
    repositories: tuple[str, ...] = ()
    permissions: Permissions = field(default_factory=dict[str, Level])


class PolicyVerdict(StrEnum):
    """What a policy says of a request."""

    ALLOWS = "allows"
    TOO_MUCH = "too_much"
    OTHER_INSTALLATION = "other_installation"
    OTHER_PRINCIPAL = "other_principal"


@dataclass(frozen=True, kw_only=True)
class Considered:
    """A policy's verdict, and why."""

    policy: str
    verdict: PolicyVerdict
    reason: str


@dataclass(frozen=True, kw_only=True)
class Decision:
    """Whether it is allowed, by which policy (None for our own workers), and what the token shall have.

    `permissions` are what was asked for or, where nothing was, what both the policy allows and the installation
    grants. They are never empty where it is allowed: to GitHub an empty set means everything. `reason` speaks only of
    policies that name the principal, and may be shown to it; `considered` has every policy, and is for operators.
    """

    allowed: bool
    policy: str | None = None
    permissions: Permissions = field(default_factory=dict[str, Level])
    reason: str
    considered: tuple[Considered, ...] = ()


def decide(policies: Sequence[TrustPolicy], principal: Principal, wanted: Wanted, *, dry_run: bool = False) -> Decision:
    """Denies by default; the first policy that covers the whole request allows it, and policies do not add up.

    Our own workers are bounded by `service_ceiling` in the place of policies; `dry_run` is about them alone.
    """
    if principal.kind is PrincipalKind.SERVICE:
        return _decide_for_service(principal.name, wanted, dry_run=dry_run)
    considered = tuple(_consider(policy, principal, wanted) for policy in policies)
    for policy, each in zip(policies, considered, strict=True):
        if each.verdict is PolicyVerdict.ALLOWS:
            return _give(wanted, policy.ceiling, policy=policy.name, reason=each.reason, considered=considered)
    return Decision(allowed=False, reason=_why_none(principal, wanted, considered), considered=considered)


def _decide_for_service(name: str, wanted: Wanted, *, dry_run: bool) -> Decision:
    service = next((each for each in Service if each == name), None)
    if service is None:
        return Decision(allowed=False, reason=f"there is no worker {name}")
    ceiling = service_ceiling(service, dry_run=dry_run)
    allows = f"the {service} worker may have {describe_permissions(ceiling)}{' in a dry run' if dry_run else ''}"
    if excess := [*_foreign(wanted), *_excess(wanted, ceiling)]:
        return Decision(allowed=False, reason="; ".join([allows, *excess]))
    return _give(wanted, ceiling, policy=None, reason=allows)


def _give(
    wanted: Wanted, ceiling: Permissions, *, policy: str | None, reason: str, considered: tuple[Considered, ...] = ()
) -> Decision:
    """The token that a ceiling and the installation's grants allow."""
    permissions = wanted.permissions or common_permissions(ceiling, wanted.granted)
    missing = missing_permissions(permissions, wanted.granted) if permissions else ceiling
    if missing:
        ungranted = (
            f"the installation on {wanted.account} does not grant {describe_permissions(missing)}"
            f" (it grants {describe_permissions(wanted.granted)}): an owner of {wanted.account} must approve it"
        )
        return Decision(allowed=False, reason=ungranted, considered=considered)
    return Decision(allowed=True, policy=policy, permissions=permissions, reason=reason, considered=considered)


def _consider(policy: TrustPolicy, principal: Principal, wanted: Wanted) -> Considered:
    if not policy.names(principal):
        return Considered(
            policy=policy.name, verdict=PolicyVerdict.OTHER_PRINCIPAL, reason=f"it does not name {describe(principal)}"
        )
    if not policy.covers_installation(wanted.account):
        reason = f"it is for installations on {_either(policy.installations)}, not on {wanted.account}"
        return Considered(policy=policy.name, verdict=PolicyVerdict.OTHER_INSTALLATION, reason=reason)
    where = _either(policy.repositories) if policy.repositories else f"every repository of {wanted.account}"
    allows = f"policy {policy.name} allows {describe_permissions(policy.ceiling)} on {where}"
    excess = [*_foreign(wanted), *_uncovered(wanted, policy), *_excess(wanted, policy.ceiling)]
    verdict = PolicyVerdict.TOO_MUCH if excess else PolicyVerdict.ALLOWS
    return Considered(policy=policy.name, verdict=verdict, reason="; ".join([allows, *excess]))


def _foreign(wanted: Wanted) -> list[str]:
    owner = f"{wanted.account}/".lower()
    foreign = [name for name in wanted.repositories if not name.lower().startswith(owner)]
    return [f"{', '.join(foreign)}: not a repository of {wanted.account}"] if foreign else []


def _uncovered(wanted: Wanted, policy: TrustPolicy) -> list[str]:
    if policy.repositories and not wanted.repositories:
        return ["all repositories are more: name those that it is for"]
    uncovered = [name for name in wanted.repositories if not policy.covers_repository(name)]
    return [f"{', '.join(uncovered)}: not among these repositories"] if uncovered else []


def _excess(wanted: Wanted, ceiling: Permissions) -> list[str]:
    excess = missing_permissions(wanted.permissions, ceiling)
    return [f"{describe_permissions(excess)} is more"] if excess else []


def _why_none(principal: Principal, wanted: Wanted, considered: Sequence[Considered]) -> str:
    if near := [each.reason for each in considered if each.verdict is PolicyVerdict.TOO_MUCH]:
        return ". ".join(near)
    if elsewhere := [each for each in considered if each.verdict is PolicyVerdict.OTHER_INSTALLATION]:
        reasons = "; ".join(f"policy {each.policy}: {each.reason}" for each in elsewhere)
        return f"no trust policy lets {describe(principal)} have tokens of {wanted.account}: {reasons}"
    known = "no trust policy names" if considered else "there are no trust policies, so none names"
    return f"{known} {describe(principal)}"


def describe(principal: Principal) -> str:
    """A principal in words: `API key ci-1`, `repo:acme/x:… of https://issuer`."""
    return (
        f"API key {principal.name}"
        if principal.kind is PrincipalKind.KEY
        else f"{principal.name} of {principal.issuer}"
    )


def _either(patterns: Iterable[str]) -> str:
    return " or ".join(patterns)
