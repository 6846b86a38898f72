"""Roles: what somebody may do, in a namespace of campaigns or in all of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

from pydantic import StringConstraints

Namespace = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", max_length=100)]
"""The name of a namespace: lower-case letters, digits and hyphens."""

DEFAULT_NAMESPACE = "default"
ALL_NAMESPACES = "*"


class Role(StrEnum):
    """Each may do what those before it may.

    A viewer reads; an author makes campaigns, previews, selections and runs; an operator publishes, merges, closes,
    pauses and cancels; an admin gives others access, too.
    """

    VIEWER = "viewer"
    AUTHOR = "author"
    OPERATOR = "operator"
    ADMIN = "admin"

    def includes(self, other: Role) -> bool:
        """Whether who has this role may do what the `other` may."""
        ranks = tuple(Role)
        return ranks.index(self) >= ranks.index(other)


class KeyScope(StrEnum):
    """What an API key is for, whatever the roles of its owner: to read, to change, to get installation tokens."""

    READ = "read"
    WRITE = "write"
    TOKENS = "tokens"


ALL_SCOPES = frozenset(KeyScope)


@dataclass(frozen=True, order=True)
class Grant:
    """A role in one namespace, or in all of them (`*`) and in what belongs to none."""

    role: Role
    namespace: str

    def __str__(self) -> str:
        return f"{self.role} of {self.namespace}"


def grants_to_json(grants: Iterable[Grant]) -> list[dict[str, str]]:
    """Grants as Postgres and Redis keep them."""
    return [{"role": grant.role.value, "namespace": grant.namespace} for grant in grants]


def grants_from_json(facts: Iterable[Mapping[str, Any]]) -> tuple[Grant, ...]:
    """The grants that `grants_to_json` told of; raises `KeyError` or `ValueError`."""
    return tuple(Grant(Role(each["role"]), str(each["namespace"])) for each in facts)


ADMIN_OF_ALL = (Grant(Role.ADMIN, ALL_NAMESPACES),)
