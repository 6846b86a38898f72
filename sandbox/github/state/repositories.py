"""Repositories as GitHub lists them. One without content has no git repository until it is touched."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .node_ids import Kind, decode, encode
from .store import Parameters, Store, marks, record, records

FIELDS = """repositories.id, repositories.owner_id, accounts.login AS owner_login, accounts.type AS owner_type,
    repositories.name, description, homepage, language, license, default_branch, visibility, fork, parent_id,
    archived, is_template, topics, stars, size_kb, allow_merge_commit, allow_squash_merge, allow_rebase_merge,
    allow_auto_merge, delete_branch_on_merge, empty, repositories.created_at, repositories.updated_at,
    repositories.pushed_at"""
"""The columns of `Repository` in a query that joins `repositories` and `accounts` (its owner)."""

FROM = "repositories JOIN accounts ON accounts.id = repositories.owner_id"


@dataclass(frozen=True, kw_only=True)
class Repository:
    """A repository; `language` and `license` (SPDX id) may be None, `empty` ones were made without a commit."""

    id: int
    owner_id: int
    owner_login: str
    owner_type: str
    name: str
    description: str | None
    homepage: str | None
    language: str | None
    license: str | None
    default_branch: str
    visibility: str
    fork: bool
    parent_id: int | None
    archived: bool
    is_template: bool
    topics: tuple[str, ...]
    stars: int
    size_kb: int
    allow_merge_commit: bool
    allow_squash_merge: bool
    allow_rebase_merge: bool
    allow_auto_merge: bool
    delete_branch_on_merge: bool
    empty: bool
    created_at: str
    updated_at: str
    pushed_at: str

    @property
    def full_name(self) -> str:
        """`owner/name`."""
        return f"{self.owner_login}/{self.name}"

    @property
    def node_id(self) -> str:
        """`R_…`; the same after a rename or transfer."""
        return encode(Kind.REPOSITORY, self.id)

    @property
    def private(self) -> bool:
        """True for private and internal ones."""
        return self.visibility != "public"


@dataclass(frozen=True, kw_only=True)
class NewRepository:
    """What may be said of a repository when it is made."""

    name: str
    description: str | None = None
    language: str | None = None
    license: str | None = None
    default_branch: str = "main"
    visibility: str = "private"
    fork: bool = False
    archived: bool = False
    is_template: bool = False
    empty: bool = False
    topics: tuple[str, ...] = ()
    stars: int = 0
    created_at: str | None = None
    pushed_at: str | None = None


class Repositories:
    """Repositories by id, node id or name; names of before a rename lead on."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def create(self, owner_id: int, new: NewRepository, *, now: str) -> Repository:
        """A new repository; raises `sqlite3.IntegrityError` where the name is taken."""
        self.create_many(owner_id, [new], now=now)
        found = self.by_name(self._store.value("SELECT login FROM accounts WHERE id = ?", [owner_id]), new.name)
        if found is None:
            raise KeyError(new.name)
        return found

    def create_many(self, owner_id: int, news: Iterable[NewRepository], *, now: str) -> None:
        """Many new repositories in one transaction."""
        columns = ("owner_id", "name", "description", "language", "license", "default_branch", "visibility", "fork")
        columns += ("archived", "is_template", "empty", "topics", "stars", "created_at", "updated_at", "pushed_at")
        kept = [(new, _row(owner_id, new, now)) for new in news]
        with self._store.transaction():
            self._store.execute_many(
                f"INSERT INTO repositories ({', '.join(columns)}) VALUES ({marks(columns)})", [row for _, row in kept]
            )
            self._store.execute_many(
                "INSERT INTO repository_topics SELECT id, ? FROM repositories WHERE owner_id = ? AND name = ?",
                [(topic, owner_id, new.name) for new, _ in kept for topic in new.topics],
            )

    def get(self, repository_id: int) -> Repository:
        """The repository of that id; raises `KeyError`."""
        row = self._store.row(f"SELECT {FIELDS} FROM {FROM} WHERE repositories.id = ?", [repository_id])
        if row is None:
            raise KeyError(repository_id)
        return record(Repository, row)

    def by_node_id(self, node_id: str) -> Repository | None:
        """The repository of that node id."""
        match decode(node_id):
            case (Kind.REPOSITORY, (int(repository_id),)):
                found = self.query("repositories.id = ?", [repository_id])
                return found[0] if found else None
            case _:
                return None

    def by_name(self, owner: str, name: str) -> Repository | None:
        """The repository that has this name now."""
        found = self.query("accounts.login = ? AND repositories.name = ?", [owner, name])
        return found[0] if found else None

    def by_former_name(self, owner: str, name: str) -> Repository | None:
        """The repository that had this name before it was renamed or transferred."""
        repository_id = self._store.value(
            "SELECT repository_id FROM repository_redirects WHERE full_name = ?", [f"{owner}/{name}"]
        )
        return self.get(repository_id) if repository_id else None

    def query(
        self,
        where: str,
        parameters: Parameters = (),
        *,
        order_by: str = "repositories.id",
        limit: int = -1,
        offset: int = 0,
    ) -> list[Repository]:
        """The repositories for which an SQL condition on `repositories` and `accounts` (the owner) holds."""
        sql = f"SELECT {FIELDS} FROM {FROM} WHERE {where} ORDER BY {order_by} LIMIT {limit:d} OFFSET {offset:d}"
        return records(Repository, self._store.rows(sql, parameters))

    def count(self, where: str, parameters: Parameters = ()) -> int:
        """How many repositories an SQL condition on `repositories` alone holds for."""
        return int(self._store.value(f"SELECT count(*) FROM repositories WHERE {where}", parameters))

    def update(self, repository_id: int, **columns: Any) -> Repository:
        """Sets columns (not the name or owner: see `move`)."""
        topics: Sequence[str] | None = columns.get("topics")
        with self._store.transaction():
            self._store.update("repositories", repository_id, **columns)
            if topics is not None:
                self._store.execute("DELETE FROM repository_topics WHERE repository_id = ?", [repository_id])
                self._store.execute_many(
                    "INSERT INTO repository_topics VALUES (?, ?)", [(repository_id, topic) for topic in topics]
                )
        return self.get(repository_id)

    def move(self, repository: Repository, *, owner_id: int, name: str, now: str) -> Repository:
        """Renames or transfers; the old name redirects until another repository takes it."""
        with self._store.transaction():
            self._store.update("repositories", repository.id, owner_id=owner_id, name=name, updated_at=now)
            moved = self.get(repository.id)
            self._store.execute(
                "INSERT OR REPLACE INTO repository_redirects VALUES (?, ?)", [repository.full_name, repository.id]
            )
            self._store.execute("DELETE FROM repository_redirects WHERE full_name = ?", [moved.full_name])
        return moved

    def delete(self, repository_id: int) -> None:
        """Removes the repository and all that hangs on it."""
        self._store.execute("DELETE FROM repositories WHERE id = ?", [repository_id])

    def set_properties(self, repository_id: int, values: Mapping[str, str | list[str]]) -> None:
        """Gives a repository these custom properties, and no others."""
        self._store.execute("DELETE FROM repository_properties WHERE repository_id = ?", [repository_id])
        self._store.execute_many(
            "INSERT INTO repository_properties (repository_id, name, value) VALUES (?, ?, ?)",
            [(repository_id, name, json.dumps(value)) for name, value in values.items()],
        )

    def properties(self, repository_ids: Sequence[int]) -> Mapping[int, dict[str, str | list[str]]]:
        """The custom properties of those of the repositories that have any."""
        found: dict[int, dict[str, str | list[str]]] = {}
        rows = self._store.rows(
            "SELECT repository_id, name, value FROM repository_properties"
            f" WHERE repository_id IN ({marks(repository_ids)}) ORDER BY name",
            repository_ids,
        )
        for row in rows:
            found.setdefault(row["repository_id"], {})[row["name"]] = json.loads(row["value"])
        return found

    def next_number(self, repository_id: int) -> int:
        """The next number of an issue or pull request."""
        return int(
            self._store.value(
                "UPDATE repositories SET last_number = last_number + 1 WHERE id = ? RETURNING last_number",
                [repository_id],
            )
        )

    def open_pulls(self, repository_ids: Sequence[int]) -> Mapping[int, int]:
        """How many pull requests are open in each of the repositories that have some."""
        rows = self._store.rows(
            "SELECT repository_id, count(*) FROM pulls"
            f" WHERE state = 'open' AND repository_id IN ({marks(repository_ids)}) GROUP BY 1",
            list(repository_ids),
        )
        return {row[0]: row[1] for row in rows}


def _row(owner_id: int, new: NewRepository, now: str) -> tuple[Any, ...]:
    created = new.created_at or now
    topics = "[" + ", ".join(f'"{topic}"' for topic in new.topics) + "]"
    return (
        owner_id,
        new.name,
        new.description,
        new.language,
        new.license,
        new.default_branch,
        new.visibility,
        new.fork,
        new.archived,
        new.is_template,
        new.empty,
        topics,
        new.stars,
        created,
        created,
        new.pushed_at or created,
    )
