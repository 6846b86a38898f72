"""One selection while it is made: what all of its parts share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias, cast

from shared.domain.repository import Properties, Repository
from shared.domain.selection import SelectedRepository, Selection
from shared.domain.spec import CampaignSpec, ExcludeEntry, Filters, IncludingEntry
from shared.errors import (
    GitHubForbidden,
    GitHubInvalid,
    GitHubNotFound,
    InstallationNotFound,
    InstallationSuspended,
    NotPermitted,
    OctobatchError,
)
from shared.github.client import GitHubClient, Usage
from shared.github.paging import PageSize
from shared.github.properties import fetch_properties

from .access import SEE_PROPERTIES, Access, Account
from .candidates import candidate, filtered, skipped
from .context import SelectionContext

ABOUT_THE_ENTRY = (
    GitHubForbidden,
    GitHubInvalid,
    GitHubNotFound,
    InstallationNotFound,
    InstallationSuspended,
    NotPermitted,
)
"""Errors that say that an entry of the spec asks for something that cannot be had."""


@dataclass(frozen=True, kw_only=True)
class Page:
    """What the next page of a shard found, of `given` things; `cursor` leads to the one after it, None at the end.

    `expected` is how many the shard finds in all, None where that is not known.
    """

    found: Sequence[SelectedRepository]
    given: int
    cursor: str | None
    expected: int | None


@dataclass(frozen=True)
class Divided:
    """A shard finds more than GitHub gives at once: its parts are asked instead, each with what it finds."""

    parts: Sequence[tuple[Mapping[str, Any], int | None]]


@dataclass(frozen=True)
class Moved:
    """What a shard finds changed while it was asked for, so that something may be missing: it is asked anew."""

    why: str


Step: TypeAlias = Page | Divided | Moved


@dataclass(kw_only=True)
class Making:
    """A selection under way. The GitHub client of `ctx` adds up what it costs in `usage`."""

    ctx: SelectionContext
    selection: Selection
    spec: CampaignSpec
    access: Access
    usage: Usage
    size: PageSize = field(default_factory=PageSize)
    _properties: dict[str, Mapping[int, Properties]] = field(default_factory=dict[str, Mapping[int, Properties]])

    @property
    def github(self) -> GitHubClient:
        """The client to ask with."""
        return self.ctx.github

    def entry(self, index: int) -> IncludingEntry:
        """What the entry asks for, whether it includes or excludes."""
        entry = self.spec.on[index]
        return entry.exclude if isinstance(entry, ExcludeEntry) else entry

    async def judged(
        self, repositories: Sequence[Repository], *, entry: int, reason: str, account: Account
    ) -> list[SelectedRepository]:
        """The repositories as candidates: in or out, by the entry's filters and by `skip`."""
        described = await self._with_properties(repositories, self.entry(entry), account)
        return self.judge(described, entry=entry, reason=reason, accessible=account.accessible)

    def judge(
        self, repositories: Sequence[Repository], *, entry: int, reason: str, accessible: frozenset[int] | None
    ) -> list[SelectedRepository]:
        """The same for repositories whose properties are known."""
        wanted = self.entry(entry)
        found = [candidate(each, entry=entry, reason=reason, accessible=accessible) for each in repositories]
        if isinstance(wanted, Filters):
            found = [filtered(each, wanted, now=self.selection.created_at) for each in found]
        return skipped(found, self.spec.skip)

    async def _with_properties(
        self, repositories: Sequence[Repository], entry: IncludingEntry, account: Account
    ) -> Sequence[Repository]:
        if not asks_for_properties(entry):
            return repositories
        described: list[Repository] = []
        for each in repositories:
            known = await self.properties_of(each.owner.lower(), account)
            described.append(replace(each, properties=known.get(each.database_id, {})))
        return described

    async def properties_of(self, owner: str, account: Account) -> Mapping[int, Properties]:
        """The custom properties of an owner's repositories by database id, asked for once a turn."""
        if owner not in self._properties:
            async with self.access.token(account.installation_id, besides=SEE_PROPERTIES) as token:
                self._properties[owner] = await fetch_properties(self.github, owner, token=token)
        return self._properties[owner]


def asks_for_properties(entry: IncludingEntry) -> bool:
    """Whether custom properties decide."""
    return isinstance(entry, Filters) and bool(entry.properties)


def about(error: OctobatchError, making: Making, index: int) -> OctobatchError:
    """The same error, saying which entry of the spec it is about."""
    excludes = isinstance(making.spec.on[index], ExcludeEntry)
    return type(error)(f"on.{index} ({'exclude: ' if excludes else ''}{described(making.entry(index))}): {error}")


def described(entry: IncludingEntry) -> str:
    """An entry in a few words: its key, and what it stands for."""
    for key, value in entry.model_dump(mode="json", exclude_defaults=True).items():
        if key in _KEYS:
            return f"{key} {_in_short(value)}"
    raise AssertionError(f"an entry without any of {_KEYS}")


def _in_short(value: Any) -> str:
    if isinstance(value, list):
        names = [str(each) for each in cast("list[Any]", value)]
        return ", ".join(names[:3]) + ("…" if len(names) > 3 else "")
    return repr(value) if " " in str(value) else str(value)


_KEYS = frozenset(
    {
        "repositoriesMatchingQuery", "codeSearch", "org", "user", "team", "installation", "repository",
        "repositories", "campaign", "run",
    }
)  # fmt: skip
