"""A repository as a row, in whatever table of repositories: the way to the domain type, which is the same for all."""

from __future__ import annotations

import asyncpg

from ..domain.ids import InstallationId
from ..domain.repository import Repository, Visibility


def repository_from_row(row: asyncpg.Record, *, head_oid: str | None) -> Repository:
    """The repository that a row says; whose head the row has depends on the table, so the caller says it."""
    return Repository(
        node_id=row["node_id"],
        database_id=row["database_id"],
        name_with_owner=row["name_with_owner"],
        default_branch=row["default_branch"],
        head_oid=head_oid,
        installation_id=InstallationId(row["installation_id"]),
        visibility=Visibility(row["visibility"]),
        is_archived=row["is_archived"],
        is_fork=row["is_fork"],
        is_template=row["is_template"],
        language=row["language"],
        topics=tuple(row["topics"]),
        properties={name: tuple(values) for name, values in row["properties"].items()},
        created_at=row["created_at"],
        pushed_at=row["pushed_at"],
    )
