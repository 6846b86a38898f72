"""Installations of Apps on accounts, the repositories they have, and their tokens (only hashes are kept)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .node_ids import Kind, encode
from .store import Store, record, records


@dataclass(frozen=True, kw_only=True)
class Installation:
    """An App on an account, with what it may. `suspended_at` is None where it is active."""

    id: int
    app_id: int
    account_id: int
    repository_selection: str
    permissions: dict[str, str]
    events: tuple[str, ...]
    suspended_at: str | None
    created_at: str
    updated_at: str

    @property
    def node_id(self) -> str:
        """`AI_…`."""
        return encode(Kind.INSTALLATION, self.id)


@dataclass(frozen=True, kw_only=True)
class Token:
    """What a token of an installation may; times in seconds since 1970. `repository_ids` None: all it has."""

    installation_id: int
    permissions: dict[str, str]
    repository_ids: tuple[int, ...] | None
    down_scoped: bool
    created: float
    expires: float


class Installations:
    """Installations by id or account, and which repositories they have."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def create(
        self,
        app_id: int,
        account_id: int,
        *,
        permissions: Mapping[str, str],
        events: Sequence[str],
        now: str,
        repository_selection: str = "all",
    ) -> Installation:
        """Installs the App on the account."""
        row_id = self._store.insert(
            "installations",
            app_id=app_id,
            account_id=account_id,
            repository_selection=repository_selection,
            permissions=dict(permissions),
            events=list(events),
            created_at=now,
            updated_at=now,
        )
        return self.get(row_id)

    def get(self, installation_id: int) -> Installation:
        """The installation of that id; raises `KeyError`."""
        row = self._store.row("SELECT * FROM installations WHERE id = ?", [installation_id])
        if row is None:
            raise KeyError(installation_id)
        return record(Installation, row)

    def of_account(self, app_id: int, account_id: int) -> Installation | None:
        """The App's installation on that account."""
        row = self._store.row("SELECT * FROM installations WHERE app_id = ? AND account_id = ?", [app_id, account_id])
        return record(Installation, row) if row else None

    def on_account(self, account_id: int) -> list[Installation]:
        """The installations of any App on that account."""
        rows = self._store.rows("SELECT * FROM installations WHERE account_id = ? ORDER BY id", [account_id])
        return records(Installation, rows)

    def of_app(self, app_id: int) -> list[Installation]:
        """All installations of an App, oldest first."""
        rows = self._store.rows("SELECT * FROM installations WHERE app_id = ? ORDER BY id", [app_id])
        return records(Installation, rows)

    def set_suspended(self, installation_id: int, suspended_at: str | None, *, now: str) -> Installation:
        """Suspends at that time, or unsuspends with None."""
        self._store.update("installations", installation_id, suspended_at=suspended_at, updated_at=now)
        return self.get(installation_id)

    def set_permissions(self, installation_id: int, permissions: Mapping[str, str], *, now: str) -> Installation:
        """What the installation may from now on; tokens made before keep no more than that."""
        self._store.update("installations", installation_id, permissions=dict(permissions), updated_at=now)
        return self.get(installation_id)

    def select_repositories(self, installation_id: int, repository_ids: Sequence[int] | None, *, now: str) -> None:
        """Restricts the installation to these repositories; None gives it all of its account."""
        selection = "all" if repository_ids is None else "selected"
        with self._store.transaction():
            self._store.update("installations", installation_id, repository_selection=selection, updated_at=now)
            self._store.execute("DELETE FROM installation_repositories WHERE installation_id = ?", [installation_id])
            self._store.execute_many(
                "INSERT INTO installation_repositories VALUES (?, ?)",
                [(installation_id, repository_id) for repository_id in repository_ids or ()],
            )

    def delete(self, installation_id: int) -> None:
        """Uninstalls; its tokens end too."""
        self._store.execute("DELETE FROM installations WHERE id = ?", [installation_id])

    def selected(self, installation_id: int) -> frozenset[int]:
        """The repositories that a restricted installation has."""
        rows = self._store.rows(
            "SELECT repository_id FROM installation_repositories WHERE installation_id = ?", [installation_id]
        )
        return frozenset(row[0] for row in rows)

    def has_repository(self, installation: Installation, repository_id: int, owner_id: int) -> bool:
        """Whether the installation has that repository of that owner."""
        if owner_id != installation.account_id:
            return False
        return installation.repository_selection == "all" or bool(
            self._store.row(
                "SELECT 1 FROM installation_repositories WHERE installation_id = ? AND repository_id = ?",
                [installation.id, repository_id],
            )
        )


class Tokens:
    """Tokens of installations. The token itself is given out once and not kept."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, token: str, facts: Token) -> None:
        """Keeps what a new token may."""
        self._store.insert(
            "tokens",
            hash=hash_of(token),
            installation_id=facts.installation_id,
            permissions=facts.permissions,
            repository_ids=facts.repository_ids,
            down_scoped=facts.down_scoped,
            created=facts.created,
            expires=facts.expires,
        )

    def find(self, token: str) -> Token | None:
        """What the token may, expired or not; None where it was never given out or is revoked."""
        row = self._store.row("SELECT * FROM tokens WHERE hash = ?", [hash_of(token)])
        return record(Token, row) if row else None

    def revoke(self, token: str) -> None:
        """Ends a token."""
        self._store.execute("DELETE FROM tokens WHERE hash = ?", [hash_of(token)])

    def delete_expired(self, now: float) -> None:
        """Forgets the tokens that have expired."""
        self._store.execute("DELETE FROM tokens WHERE expires < ?", [now])

    def delete_all(self) -> None:
        """Ends every token."""
        self._store.execute("DELETE FROM tokens")

    def count(self, now: float) -> int:
        """How many tokens are good at that time."""
        return int(self._store.value("SELECT count(*) FROM tokens WHERE expires >= ?", [now]))


def hash_of(secret: str) -> str:
    """What is kept of a token or code."""
    return hashlib.sha256(secret.encode()).hexdigest()
