"""Grants of whom an OIDC issuer vouches for: rules of claims, as the settings give them.

    [{"issuer": "https://sso.example", "claims": {"groups": "payments-.*"}, "role": "author", "namespace": "payments"}]

A rule holds where each of its patterns is the whole of the claim, or of one of its values where it is a list, as that
of groups. Who has several rules has all their grants; who has none has nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, cast

from pydantic import Field, StringConstraints, TypeAdapter

from .policy.fields import ClaimPattern, claim_text, exactly, is_match
from .roles import ALL_NAMESPACES, Grant, Namespace, Role
from .spec.fields import SpecModel

MAX_RULES = 1000

_ClaimName = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class GrantRule(SpecModel):
    """A role for those of an issuer with certain claims.

    At least one claim must be named: an issuer such as that of GitHub Actions vouches for anybody.
    """

    issuer: Annotated[str, StringConstraints(pattern=r"^https?://[^\s?#]+$", max_length=500)]
    claims: dict[_ClaimName, ClaimPattern] = Field(min_length=1, max_length=50)
    role: Role
    namespace: Namespace | Literal["*"] = ALL_NAMESPACES

    def holds(self, issuer: str, claims: Mapping[str, Any]) -> bool:
        """Whether it is about somebody with these claims."""
        return issuer == self.issuer and all(
            any(is_match(exactly(pattern), text) for text in _texts(claims.get(name)))
            for name, pattern in self.claims.items()
        )


_RULES = TypeAdapter(Annotated[tuple[GrantRule, ...], Field(max_length=MAX_RULES)])


def parse_grant_rules(document: str) -> tuple[GrantRule, ...]:
    """The rules of a JSON array; raises pydantic's `ValidationError`."""
    return _RULES.validate_json(document)


def granted_by(rules: Iterable[GrantRule], issuer: str, claims: Mapping[str, Any]) -> tuple[Grant, ...]:
    """What somebody is granted whom the issuer vouches for with these claims."""
    return tuple(sorted({Grant(each.role, each.namespace) for each in rules if each.holds(issuer, claims)}))


def _texts(claim: Any) -> list[str]:
    values = cast("list[Any]", claim) if isinstance(claim, list) else [claim]
    return [text for value in values if (text := claim_text(value)) is not None]
