"""Who asks for something: an API key, a workload that an OIDC issuer vouches for, or a service of ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, cast

from .operation import Service


class PrincipalKind(StrEnum):
    """Where an identity comes from."""

    KEY = "key"
    OIDC = "oidc"
    SERVICE = "service"


@dataclass(frozen=True, kw_only=True)
class Principal:
    """Who a request comes from.

    `name` is an API key's name, an OIDC token's subject, or a service; `issuer` and `claims` are an OIDC token's, and
    are verified before a principal is made of them.
    """

    kind: PrincipalKind = PrincipalKind.KEY
    name: str
    issuer: str = ""
    claims: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def actor(self) -> str:
        """How operations and audit rows name it."""
        return f"{self.kind}:{self.name}"

    @classmethod
    def of_service(cls, service: Service) -> Principal:
        """One of our own workers."""
        return cls(kind=PrincipalKind.SERVICE, name=service)

    def to_json(self) -> dict[str, Any]:
        """All of it, to travel with a request."""
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
