"""All that the sandbox knows, in one SQLite file that survives a restart. REST and GraphQL read and write here only.

    state = State.open(folder / "github.sqlite3")
    repository = state.repositories.by_name("acme", "api")           # a frozen dataclass, or None
    pull = state.pulls.by_node_id("PR_kwDO…")
    found = state.repositories.query(
        "accounts.login = ? AND language = ?", ["acme", "go"], order_by="repositories.created_at", limit=100
    )
    total = state.repositories.count("archived = 0 AND stars > ?", [10])

| attribute | what it holds |
| --- | --- |
| `apps` | `App`: keys, webhook, permissions asked for; codes of manifests |
| `accounts` | `Account` (organisation, user, bot), `Team` |
| `installations`, `tokens` | `Installation`, which repositories it has; `Token` by hash |
| `repositories` | `Repository`, topics (table `repository_topics`), former names |
| `pulls` | `Pull`, `Label`, assignees, requested reviewers and teams |
| `reviews` | `Review`, `Comment` |
| `rules` | `BranchRules` of repositories: protected branches, rulesets |
| `checks` | `CheckSuite`, `CheckRun`, `Status`, and the rollup of a commit |
| `deliveries` | `Delivery`: attempts of webhooks |
| `store` | the tables themselves (`schema.py`), for a query that fits none of these |

Conventions: `get` raises `KeyError`, `by_…` may return None; `query(where, parameters, order_by=, limit=, offset=)`
takes SQL; times are text as GitHub writes them (`2026-01-02T03:04:05Z`), so they compare as text; `now` is handed in;
node ids are properties, computed (`node_ids.py`). Calls are synchronous and take well under a millisecond;
`with state.transaction():` makes several one. Nothing here checks permissions or emits events: `actions/` does.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from .accounts import Account, Accounts, Team
from .apps import App, Apps
from .checks import CheckRun, Checks, CheckSuite, Status
from .deliveries import Deliveries, Delivery
from .installations import Installation, Installations, Token, Tokens
from .node_ids import Kind, decode, encode
from .pulls import Label, Pull, Pulls
from .repositories import NewRepository, Repositories, Repository
from .reviews import Comment, Review, Reviews
from .rules import Rules
from .store import Store

__all__ = [
    "Account",
    "App",
    "CheckRun",
    "CheckSuite",
    "Comment",
    "Delivery",
    "Installation",
    "Kind",
    "Label",
    "NewRepository",
    "Pull",
    "Repository",
    "Review",
    "State",
    "Status",
    "Team",
    "Token",
    "decode",
    "encode",
]


class State:
    """The aggregates over one store."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.accounts = Accounts(store)
        self.apps = Apps(store)
        self.checks = Checks(store)
        self.deliveries = Deliveries(store)
        self.installations = Installations(store)
        self.pulls = Pulls(store)
        self.repositories = Repositories(store)
        self.reviews = Reviews(store)
        self.rules = Rules(store)
        self.tokens = Tokens(store)

    @classmethod
    def open(cls, path: Path) -> State:
        """The state in that file, made where there is none."""
        return cls(Store(path))

    def close(self) -> None:
        """Closes the file."""
        self.store.close()

    def transaction(self) -> AbstractContextManager[None]:
        """Several calls, all or nothing."""
        return self.store.transaction()
