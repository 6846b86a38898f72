"""Who asks for something, and what they may do: an API key, whom an OIDC issuer vouches for, a service of ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, cast

from .operation import Service
from .roles import ALL_NAMESPACES, ALL_SCOPES, Grant, KeyScope, Role


class PrincipalKind(StrEnum):
    """Where an identity comes from."""

    KEY = "key"
    OIDC = "oidc"
    USER = "user"
    SERVICE = "service"


@dataclass(frozen=True, kw_only=True)
class Principal:
    """Who a request comes from.

    `name` is an API key's name, an OIDC token's subject, that of a user who signed in, or a service; `issuer` and
    `claims` are an OIDC token's, and are verified before a principal is made of them. `grants` and `scopes` are what it
    may do here; they do not travel with a request.
    """

    kind: PrincipalKind = PrincipalKind.KEY
    name: str
    issuer: str = ""
    claims: Mapping[str, Any] = field(default_factory=dict[str, Any])
    grants: tuple[Grant, ...] = ()
    scopes: frozenset[KeyScope] = ALL_SCOPES

    def granted(self, grants: tuple[Grant, ...]) -> Principal:
        """The same with these grants."""
        return replace(self, grants=grants)

    def allows(self, role: Role, namespace: str | None = None) -> bool:
        """Whether it has the role in the namespace; None = in all of them, as what belongs to no namespace needs."""
        wanted = {ALL_NAMESPACES} if namespace is None else {ALL_NAMESPACES, namespace}
        return any(grant.namespace in wanted and grant.role.includes(role) for grant in self.grants)

    def allows_somewhere(self, role: Role) -> bool:
        """Whether it has the role in any namespace."""
        return any(grant.role.includes(role) for grant in self.grants)

    def namespaces(self, role: Role) -> list[str] | None:
        """The namespaces that it has the role in, as lists are filtered by; None = all."""
        if self.allows(role):
            return None
        return sorted({grant.namespace for grant in self.grants if grant.role.includes(role)})

    @property
    def actor(self) -> str:
        """How operations and audit rows name it."""
        return f"{self.kind}:{self.name}"

    @classmethod
    def of_service(cls, service: Service) -> Principal:
        """One of our own workers."""
        return cls(kind=PrincipalKind.SERVICE, name=service)

    def to_json(self) -> dict[str, Any]:
        """Who it is, to travel with a request."""
        return {"kind": self.kind.value, "name": self.name, "issuer": self.issuer, "claims": dict(self.claims)}

    @classmethod
    def from_json(cls, facts: Mapping[str, Any]) -> Principal:
        """The principal that `to_json` told of; raises `KeyError`, `ValueError` or `TypeError`."""
        return cls(
            kind=PrincipalKind(facts["kind"]),
            name=str(facts["name"]),
            issuer=str(facts["issuer"]),
            claims=dict(cast("Mapping[str, Any]", facts["claims"])),
        )
