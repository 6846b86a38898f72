"""How selections are looked into: what repositories are counted by, what files they fill, what sets two apart."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Facet(StrEnum):
    """What the repositories of a selection are counted by."""

    INCLUDED = "included"
    ENTRY = "entry"
    CONDITION = "condition"
    OWNER = "owner"
    LANGUAGE = "language"
    TOPIC = "topic"
    VISIBILITY = "visibility"
    ARCHIVED = "archived"
    FORK = "fork"
    TEMPLATE = "template"
    REASON = "reason"


class ExportFormat(StrEnum):
    """A file of a selection: `csv` with a line of names, `json` as one array, `jsonl` with an object a line."""

    CSV = "csv"
    JSON = "json"
    JSONL = "jsonl"


class Change(StrEnum):
    """What became of a repository and branch from one selection to another; several may hold at once.

    `added` is found by the later one alone, `gone` by the earlier one alone; `included` was out and is in, `excluded`
    was in and is out; `renamed` has another owner/name; `default_branch` has another default branch.
    """

    ADDED = "added"
    GONE = "gone"
    INCLUDED = "included"
    EXCLUDED = "excluded"
    RENAMED = "renamed"
    DEFAULT_BRANCH = "default_branch"


@dataclass(frozen=True, kw_only=True)
class Side:
    """A repository and branch as one of two selections has it."""

    name_with_owner: str
    branch: str
    included: bool
    reason: str


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One repository and branch that two selections do not have alike; a side is None where it was not found.

    `place` is where it stands in the order of differences.
    """

    node_id: str
    changes: tuple[Change, ...]
    before: Side | None
    after: Side | None
    place: str
