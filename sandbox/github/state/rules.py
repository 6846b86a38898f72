"""Rules for branches: protected branches, and rulesets. The sandbox shows them; it does not enforce them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from .store import Store


@dataclass(frozen=True, kw_only=True)
class Protection:
    """What a protected branch demands before anything is merged into it."""

    reviews: int = 0
    from_owners: bool = False
    checks: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Ruleset:
    """An active ruleset for branches; `include` and `exclude` are patterns, `rules` GitHub's types of rules."""

    name: str
    include: Sequence[str] = ("~ALL",)
    exclude: Sequence[str] = ()
    rules: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class BranchRules:
    """All of a repository's."""

    protected: Mapping[str, Protection] = field(default_factory=dict[str, Protection])
    rulesets: Sequence[Ruleset] = ()


class Rules:
    """The rules of repositories."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def put(self, repository_id: int, rules: BranchRules) -> None:
        """Gives a repository these rules, and no others."""
        self._store.execute(
            "INSERT INTO branch_rules (repository_id, rules) VALUES (?, ?)"
            " ON CONFLICT (repository_id) DO UPDATE SET rules = excluded.rules",
            [repository_id, json.dumps(asdict(rules))],
        )

    def of(self, repository_id: int) -> BranchRules:
        """The rules of a repository."""
        rows = self._store.rows("SELECT rules FROM branch_rules WHERE repository_id = ?", [repository_id])
        found = json.loads(rows[0]["rules"]) if rows else {}
        return BranchRules(
            protected={branch: Protection(**each) for branch, each in found.get("protected", {}).items()},
            rulesets=[Ruleset(**each) for each in found.get("rulesets", [])],
        )
