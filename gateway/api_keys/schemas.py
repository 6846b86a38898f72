"""What is shown of API keys, and what may be asked of them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from shared.domain.roles import ALL_NAMESPACES, KeyScope, Namespace, Role

from ..schemas import Given, Moment, Shown

MOST_GRACE_SECONDS = 30 * 24 * 3600

KeyName = Annotated[str, Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$", max_length=100)]


class GrantOfRole(Given):
    """A role in a namespace, or in all of them (`*`) and in what belongs to none."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)

    role: Role
    namespace: Namespace | Literal["*"] = ALL_NAMESPACES


class NewApiKey(Given):
    """A key to make."""

    name: KeyName = Field(description="how its owner is known in operations, audit and trust policies")
    grants: list[GrantOfRole] = Field(max_length=100, description="none: it can ask for installation tokens alone")
    scopes: list[KeyScope] = Field(
        default_factory=lambda: list(KeyScope),
        min_length=1,
        max_length=len(KeyScope),
        description="what it is for, whatever its roles: to read, to change, to get installation tokens",
    )
    expires_at: Moment | None = Field(None, description="null: never")


class Rotation(Given):
    """How a key is exchanged for another one."""

    grace_seconds: int = Field(3600, ge=0, le=MOST_GRACE_SECONDS, description="how long the old one is valid still")
    expires_at: Moment | None = Field(None, description="of the new one; null: it lives as long as the old one was to")


class ShownApiKey(Shown):
    """A key, without its secret."""

    id: UUID
    name: str
    prefix: str = Field(description="its beginning after `obk_`, which is no secret")
    grants: list[GrantOfRole]
    scopes: list[KeyScope]
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None = Field(description="to the minute")
    revoked_at: datetime | None
    rotated_from: UUID | None = Field(description="the key that it was made to replace")


class ApiKeyWithSecret(Shown):
    """A key and its secret, which is shown this once and kept nowhere."""

    api_key: ShownApiKey
    secret: str = Field(description="what is sent as `Authorization: Bearer …`")


_KEY = {
    "id": "019ca8b5-1c0a-7c11-9d20-6e5f4a3b2c10",
    "name": "ci-payments",
    "prefix": "Zk3pQ8vT",
    "grants": [{"role": "author", "namespace": "payments"}],
    "scopes": ["read", "write"],
    "created_by": "key:bootstrap",
    "created_at": "2026-03-01T09:00:00Z",
    "expires_at": "2026-09-01T00:00:00Z",
    "last_used_at": None,
    "revoked_at": None,
    "rotated_from": None,
}

EXAMPLES = {
    "ApiKeyWithSecret": {"api_key": _KEY, "secret": "obk_Zk3pQ8vT_…"},
    "GrantOfRole": {"role": "author", "namespace": "payments"},
    "NewApiKey": {
        "name": "ci-payments",
        "grants": [{"role": "author", "namespace": "payments"}],
        "scopes": ["read", "write"],
        "expires_at": "2026-09-01T00:00:00Z",
    },
    "Rotation": {"grace_seconds": 3600},
    "ShownApiKey": _KEY,
}
"""One of each schema."""
