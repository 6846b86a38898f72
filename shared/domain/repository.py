"""What Octobatch knows of one repository on GitHub."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from .ids import InstallationId

Properties = Mapping[str, tuple[str, ...]]
"""Custom properties of an organisation's repository: name → its values, one unless it may have several."""


class Visibility(StrEnum):
    """Who may see a repository; `internal` is everybody of an enterprise."""

    PUBLIC = "public"
    PRIVATE = "private"
    INTERNAL = "internal"


@dataclass(frozen=True, kw_only=True)
class Repository:
    """A repository as GitHub described it when it was selected.

    `node_id` is the identity (it survives renames and transfers); `name_with_owner` is `owner/name`;
    `head_oid` is the commit that `default_branch` pointed to, None for an empty repository. `language` is the one
    that GitHub finds most of.
    """

    node_id: str
    database_id: int
    name_with_owner: str
    default_branch: str | None
    head_oid: str | None
    installation_id: InstallationId
    visibility: Visibility = Visibility.PRIVATE
    is_archived: bool = False
    is_fork: bool = False
    is_template: bool = False
    language: str | None = None
    topics: tuple[str, ...] = ()
    properties: Properties = field(default_factory=dict[str, tuple[str, ...]])
    created_at: datetime | None = None
    pushed_at: datetime | None = None

    @property
    def owner(self) -> str:
        """The organisation or user that owns it."""
        return self.name_with_owner.partition("/")[0]

    @property
    def name(self) -> str:
        """Its name without the owner."""
        return self.name_with_owner.partition("/")[2]
