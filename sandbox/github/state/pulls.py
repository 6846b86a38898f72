"""Pull requests with their labels, assignees and requested reviewers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .accounts import Account, Team
from .node_ids import Kind, decode, encode
from .store import Parameters, Store, marks, record, records


@dataclass(frozen=True, kw_only=True)
class Pull:
    """A pull request as stored. Shas are kept up to date with the branches while it is open."""

    id: int
    repository_id: int
    number: int
    title: str
    body: str | None
    state: str
    draft: bool
    author_id: int
    head_repository_id: int
    head_ref: str
    head_sha: str
    base_ref: str
    base_sha: str
    maintainer_can_modify: bool
    auto_merge: dict[str, Any] | None
    merged_by_id: int | None
    merge_commit_sha: str | None
    closed_at: str | None
    merged_at: str | None
    created_at: str
    updated_at: str

    @property
    def node_id(self) -> str:
        """`PR_…`."""
        return encode(Kind.PULL_REQUEST, self.repository_id, self.id)

    @property
    def merged(self) -> bool:
        """Whether it was merged (then its state is `closed`)."""
        return self.merged_at is not None


@dataclass(frozen=True, kw_only=True)
class Label:
    """A label of a repository; `color` is six hexadecimal digits."""

    id: int
    repository_id: int
    name: str
    color: str
    description: str | None

    @property
    def node_id(self) -> str:
        """`LA_…`."""
        return encode(Kind.LABEL, self.repository_id, self.id)


class Pulls:
    """Pull requests by id, number or branch, and who and what is attached to them."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def create(self, **columns: Any) -> Pull:
        """A new pull request from its columns."""
        return self.get(self._store.insert("pulls", **columns))

    def get(self, pull_id: int) -> Pull:
        """The pull request of that id; raises `KeyError`."""
        row = self._store.row("SELECT * FROM pulls WHERE id = ?", [pull_id])
        if row is None:
            raise KeyError(pull_id)
        return record(Pull, row)

    def by_node_id(self, node_id: str) -> Pull | None:
        """The pull request of that node id."""
        match decode(node_id):
            case (Kind.PULL_REQUEST, (int(repository_id), int(pull_id))):
                found = self.query("id = ? AND repository_id = ?", [pull_id, repository_id])
                return found[0] if found else None
            case _:
                return None

    def by_number(self, repository_id: int, number: int) -> Pull | None:
        """The pull request with that number in the repository."""
        found = self.query("repository_id = ? AND number = ?", [repository_id, number])
        return found[0] if found else None

    def query(
        self, where: str, parameters: Parameters = (), *, order_by: str = "id", limit: int = -1, offset: int = 0
    ) -> list[Pull]:
        """The pull requests for which an SQL condition on `pulls` holds."""
        sql = f"SELECT * FROM pulls WHERE {where} ORDER BY {order_by} LIMIT {limit:d} OFFSET {offset:d}"
        return records(Pull, self._store.rows(sql, parameters))

    def count(self, where: str, parameters: Parameters = ()) -> int:
        """How many pull requests an SQL condition holds for."""
        return int(self._store.value(f"SELECT count(*) FROM pulls WHERE {where}", parameters))

    def update(self, pull_id: int, **columns: Any) -> Pull:
        """Sets columns."""
        self._store.update("pulls", pull_id, **columns)
        return self.get(pull_id)

    # Labels

    def ensure_label(
        self, repository_id: int, name: str, *, color: str = "ededed", description: str | None = None
    ) -> Label:
        """The label of that name, made if the repository has none such."""
        found = self.label_by_name(repository_id, name)
        if found is None:
            row_id = self._store.insert(
                "labels", repository_id=repository_id, name=name, color=color, description=description
            )
            found = record(Label, self._store.rows("SELECT * FROM labels WHERE id = ?", [row_id])[0])
        return found

    def label_by_name(self, repository_id: int, name: str) -> Label | None:
        """The label of that name in the repository."""
        row = self._store.row("SELECT * FROM labels WHERE repository_id = ? AND name = ?", [repository_id, name])
        return record(Label, row) if row else None

    def label_by_node_id(self, node_id: str) -> Label | None:
        """The label of that node id."""
        match decode(node_id):
            case (Kind.LABEL, (int(), int(label_id))):
                row = self._store.row("SELECT * FROM labels WHERE id = ?", [label_id])
                return record(Label, row) if row else None
            case _:
                return None

    def repository_labels(self, repository_id: int) -> list[Label]:
        """All labels of a repository, by name."""
        rows = self._store.rows("SELECT * FROM labels WHERE repository_id = ? ORDER BY name", [repository_id])
        return records(Label, rows)

    def labels(self, pull_id: int) -> list[Label]:
        """The labels of a pull request."""
        rows = self._store.rows(
            "SELECT labels.* FROM labels JOIN pull_labels ON label_id = labels.id WHERE pull_id = ? ORDER BY name",
            [pull_id],
        )
        return records(Label, rows)

    def set_labels(self, pull_id: int, label_ids: Sequence[int]) -> None:
        """Gives the pull request exactly these labels."""
        self._set("pull_labels", "label_id", pull_id, label_ids)

    # Assignees

    def assignees(self, pull_id: int) -> list[Account]:
        """The assignees of a pull request."""
        rows = self._store.rows(
            "SELECT accounts.* FROM accounts JOIN pull_assignees ON account_id = accounts.id"
            " WHERE pull_id = ? ORDER BY login",
            [pull_id],
        )
        return records(Account, rows)

    def set_assignees(self, pull_id: int, account_ids: Sequence[int]) -> None:
        """Gives the pull request exactly these assignees."""
        self._set("pull_assignees", "account_id", pull_id, account_ids)

    # Review requests

    def requested_reviewers(self, pull_id: int) -> list[Account]:
        """The people whose review is asked for and not given yet."""
        rows = self._store.rows(
            "SELECT accounts.* FROM accounts JOIN review_requests ON account_id = accounts.id WHERE pull_id = ?",
            [pull_id],
        )
        return records(Account, rows)

    def requested_teams(self, pull_id: int) -> list[Team]:
        """The teams whose review is asked for."""
        rows = self._store.rows(
            "SELECT teams.* FROM teams JOIN review_requests ON team_id = teams.id WHERE pull_id = ?", [pull_id]
        )
        return records(Team, rows)

    def set_review_requests(self, pull_id: int, account_ids: Sequence[int], team_ids: Sequence[int]) -> None:
        """Asks exactly these people and teams."""
        asked = [(pull_id, account_id, None) for account_id in dict.fromkeys(account_ids)]
        asked += [(pull_id, None, team_id) for team_id in dict.fromkeys(team_ids)]
        with self._store.transaction():
            self._store.execute("DELETE FROM review_requests WHERE pull_id = ?", [pull_id])
            self._store.execute_many("INSERT INTO review_requests VALUES (?, ?, ?)", asked)

    def _set(self, table: str, column: str, pull_id: int, ids: Sequence[int]) -> None:
        kept = list(dict.fromkeys(ids))
        with self._store.transaction():
            self._store.execute(
                f"DELETE FROM {table} WHERE pull_id = ? AND {column} NOT IN ({marks(kept)})", [pull_id, *kept]
            )
            self._store.execute_many(
                f"INSERT OR IGNORE INTO {table} (pull_id, {column}) VALUES (?, ?)", [(pull_id, key) for key in kept]
            )
