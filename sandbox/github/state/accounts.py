"""Organisations, users and the bots of Apps, all in one table as GitHub has them, and the teams of organisations."""

from __future__ import annotations

from dataclasses import dataclass

from .node_ids import Kind, encode
from .store import Store, record, records

_KINDS = {"Organization": Kind.ORGANIZATION, "User": Kind.USER, "Bot": Kind.BOT}


@dataclass(frozen=True, kw_only=True)
class Account:
    """Who owns repositories or does things. `type` is `Organization`, `User` or `Bot`."""

    id: int
    login: str
    type: str
    name: str | None
    email: str | None
    created_at: str
    updated_at: str

    @property
    def node_id(self) -> str:
        """`O_…`, `U_…` or `BOT_…`."""
        return encode(_KINDS[self.type], self.id)

    @property
    def noreply_email(self) -> str:
        """The address that GitHub puts into commits it makes for this account."""
        return f"{self.id}+{self.login}@users.noreply.github.com"


@dataclass(frozen=True, kw_only=True)
class Team:
    """A team of an organisation, as far as it can be asked for reviews."""

    id: int
    account_id: int
    slug: str
    name: str

    @property
    def node_id(self) -> str:
        """`T_…`."""
        return encode(Kind.TEAM, self.id)


class Accounts:
    """Accounts and teams by id or by name (which knows no case)."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._by_id: dict[int, Account] = {}

    def create(self, login: str, kind: str, *, now: str, name: str | None = None, email: str | None = None) -> Account:
        """A new account; raises `sqlite3.IntegrityError` where the login is taken."""
        row_id = self._store.insert(
            "accounts", login=login, type=kind, name=name, email=email, created_at=now, updated_at=now
        )
        return self.get(row_id)

    def ensure(self, login: str, kind: str, *, now: str) -> Account:
        """The account with that login, made if there is none."""
        return self.by_login(login) or self.create(login, kind, now=now)

    def get(self, account_id: int) -> Account:
        """The account of that id; raises `KeyError`."""
        if account_id not in self._by_id:
            row = self._store.row("SELECT * FROM accounts WHERE id = ?", [account_id])
            if row is None:
                raise KeyError(account_id)
            self._by_id[account_id] = record(Account, row)
        return self._by_id[account_id]

    def by_login(self, login: str) -> Account | None:
        """The account with that login."""
        row = self._store.row("SELECT * FROM accounts WHERE login = ?", [login])
        return record(Account, row) if row else None

    def by_email(self, email: str) -> Account | None:
        """The account with that address."""
        row = self._store.row("SELECT * FROM accounts WHERE email = ?", [email])
        return record(Account, row) if row else None

    def all(self) -> list[Account]:
        """All accounts, oldest first."""
        return records(Account, self._store.rows("SELECT * FROM accounts ORDER BY id"))

    def rename(self, account_id: int, login: str, *, now: str) -> Account:
        """Gives the account another login."""
        self._store.update("accounts", account_id, login=login, updated_at=now)
        self._by_id.pop(account_id, None)
        return self.get(account_id)

    def create_team(self, account_id: int, slug: str, name: str) -> Team:
        """A new team of an organisation."""
        row_id = self._store.insert("teams", account_id=account_id, slug=slug, name=name)
        return self.get_team(row_id)

    def get_team(self, team_id: int) -> Team:
        """The team of that id; raises `KeyError`."""
        row = self._store.row("SELECT * FROM teams WHERE id = ?", [team_id])
        if row is None:
            raise KeyError(team_id)
        return record(Team, row)

    def team_by_slug(self, account_id: int, slug: str) -> Team | None:
        """The team of that organisation with that slug."""
        row = self._store.row("SELECT * FROM teams WHERE account_id = ? AND slug = ?", [account_id, slug])
        return record(Team, row) if row else None

    def members(self, team_id: int) -> list[Account]:
        """The members of a team, by login."""
        members = "SELECT account_id FROM team_members WHERE team_id = ?"
        rows = self._store.rows(f"SELECT * FROM accounts WHERE id IN ({members}) ORDER BY login", [team_id])
        return records(Account, rows)

    def fill_team(self, team_id: int, *, members: list[int], repositories: list[int]) -> None:
        """Gives a team these members and access to these repositories (ids), and no others."""
        for table, column, ids in (
            ("team_members", "account_id", members),
            ("team_repositories", "repository_id", repositories),
        ):
            self._store.execute(f"DELETE FROM {table} WHERE team_id = ?", [team_id])
            for each in dict.fromkeys(ids):
                self._store.execute(f"INSERT INTO {table} (team_id, {column}) VALUES (?, ?)", [team_id, each])
