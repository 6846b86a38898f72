"""CODEOWNERS: who owns which paths of a repository, by GitHub's rules. Pure.

The last rule that matches a path decides; a rule without owners says that nobody does. Lines that GitHub would skip are
`problems`. Source: docs.github.com "About code owners" (places, order, 3 MB).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from codeowners import CodeOwners

PLACES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
"""Where GitHub looks, in this order; the first that is there is the one."""

LARGEST_BYTES = 3 * 1024 * 1024
"""GitHub ignores larger files."""


class OwnerKind(StrEnum):
    """What an owner is."""

    USER = "user"
    TEAM = "team"
    EMAIL = "email"


_KINDS = {"USERNAME": OwnerKind.USER, "TEAM": OwnerKind.TEAM, "EMAIL": OwnerKind.EMAIL}


@dataclass(frozen=True, order=True)
class Owner:
    """A user (`mona`), a team (`acme/platform`), or an e-mail address."""

    kind: OwnerKind
    name: str


@dataclass(frozen=True)
class OwnersFile:
    """A CODEOWNERS file."""

    text: str

    @cached_property
    def _rules(self) -> CodeOwners:
        lines = self.text.splitlines()
        skipped = {number for number, _ in self.problems}
        return CodeOwners("\n".join("" if number in skipped else line for number, line in enumerate(lines, 1)))

    @cached_property
    def problems(self) -> tuple[tuple[int, str], ...]:
        """Lines, from 1, that GitHub skips, and why."""
        found = ((number, _problem(line)) for number, line in enumerate(self.text.splitlines(), 1))
        return tuple((number, problem) for number, problem in found if problem)

    def owners_of(self, path: str) -> tuple[Owner, ...]:
        """Who owns a path, such as src/main.go; nobody where no rule matches."""
        return tuple(Owner(_KINDS[kind], name.removeprefix("@")) for kind, name in self._rules.of(path))

    @property
    def default_owners(self) -> tuple[Owner, ...]:
        """Who owns what no other rule is for: the rule `*`."""
        return self.owners_of("\0")

    @cached_property
    def all_owners(self) -> tuple[Owner, ...]:
        """Everybody that any rule names, once, in their order."""
        named = (owner for _, _, owners, _, _ in reversed(self._rules.paths) for owner in owners)
        return tuple(dict.fromkeys(Owner(_KINDS[kind], name.removeprefix("@")) for kind, name in named))

    def split(self, paths: Iterable[str]) -> Mapping[tuple[Owner, ...], tuple[str, ...]]:
        """Paths by who owns them, so that each part of a change goes to its owners."""
        parts: dict[tuple[Owner, ...], list[str]] = {}
        for path in paths:
            parts.setdefault(tuple(sorted(self.owners_of(path))), []).append(path)
        return {owners: tuple(of_owners) for owners, of_owners in parts.items()}


def reviewers_for(owners_file: OwnersFile, paths: Sequence[str], *, most: int) -> tuple[list[str], list[str]]:
    """Users, and teams (organisation/slug), to ask for a review of a change to these paths: at most so many in all.

    Those who own most of the paths come first.
    """
    counts: dict[Owner, int] = {}
    for path in paths:
        for owner in owners_file.owners_of(path):
            if owner.kind is not OwnerKind.EMAIL:
                counts[owner] = counts.get(owner, 0) + 1
    chosen = sorted(counts, key=lambda owner: (-counts[owner], owner))[:most]
    users = [owner.name for owner in chosen if owner.kind is OwnerKind.USER]
    return users, [owner.name for owner in chosen if owner.kind is OwnerKind.TEAM]


def _problem(line: str) -> str | None:
    """Why GitHub skips a line."""
    text = line.strip()
    if not text or text.startswith("#"):
        return None
    if text.startswith("!"):
        return "a pattern cannot be negated"
    if text.startswith(("[", "^[")):
        return "GitHub knows no sections and no character ranges"
    words = text.partition(" #")[0].replace("\\ ", "_").split()
    try:
        rules = CodeOwners(text)
    except ValueError as error:
        return str(error)
    known = len(rules.paths[0][2]) if rules.paths else 0
    if known < len(words) - 1:
        return "an owner is neither @user, @organisation/team nor an e-mail address"
    return None
