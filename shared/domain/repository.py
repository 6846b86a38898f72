"""What Octobatch knows of one repository on GitHub."""

from __future__ import annotations

from dataclasses import dataclass

from .ids import InstallationId


@dataclass(frozen=True, kw_only=True)
class Repository:
    """A repository as GitHub described it when it was selected.

    `node_id` is the identity (it survives renames and transfers); `name_with_owner` is `owner/name`;
    `head_oid` is the commit that `default_branch` pointed to, None for an empty repository.
    """

    node_id: str
    database_id: int
    name_with_owner: str
    default_branch: str | None
    head_oid: str | None
    installation_id: InstallationId
    is_archived: bool = False
    is_fork: bool = False
    is_private: bool = False

    @property
    def owner(self) -> str:
        """The organisation or user that owns it."""
        return self.name_with_owner.partition("/")[0]

    @property
    def name(self) -> str:
        """Its name without the owner."""
        return self.name_with_owner.partition("/")[2]
