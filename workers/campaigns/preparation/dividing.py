"""How `transformChanges` divides a change among pull requests. Pure: no I/O."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from shared.domain.change import FileChange
from shared.domain.codeowners import Owner, OwnerKind, OwnersFile
from shared.domain.spec import ChangeGroup, TransformChanges

_LONGEST_SLUG = 80


@dataclass(frozen=True, kw_only=True)
class Share:
    """The files of one pull request of several.

    `group` names it in the run; `branch` is its head branch, or what follows that of the rest where it begins with `-`.
    """

    group: str
    branch: str
    files: tuple[FileChange, ...]
    template: ChangeGroup | None = None


def divide(
    files: Sequence[FileChange], transform: TransformChanges, *, repository: str, owners: OwnersFile | None
) -> tuple[tuple[FileChange, ...], list[Share]]:
    """What stays together, and the shares of groups and of owners, each with at least one file.

    A file goes to the first group that holds it; of the rest, `owners` decides where it is given. A file that nobody
    owns stays.
    """
    rest, shares = list(files), list[Share]()
    for group in transform.group:
        taken = [file for file in rest if file.path.startswith(f"{group.directory}/")]
        if taken and group.holds_for(repository):
            rest = [file for file in rest if file not in taken]
            shares.append(Share(group=group.directory, branch=group.branch, files=tuple(taken), template=group))
    if owners is None:
        return tuple(rest), shares
    by_path = {file.path: file for file in rest}
    split = owners.split(by_path)
    slugs: set[str] = set()
    for who in sorted(filter(None, split)):
        slug = _unused(_slug(who), slugs)
        shares.append(Share(group=_names(who), branch=f"-{slug}", files=tuple(by_path[path] for path in split[who])))
    return tuple(by_path[path] for path in split.get((), ())), shares


def _names(owners: Iterable[Owner]) -> str:
    return " ".join(owner.name if owner.kind is OwnerKind.EMAIL else f"@{owner.name}" for owner in owners)


def _slug(owners: Iterable[Owner]) -> str:
    """Owners as a part of a branch's name."""
    return re.sub(r"[^a-z0-9]+", "-", _names(owners).lower()).strip("-")[:_LONGEST_SLUG].rstrip("-")


def _unused(slug: str, used: set[str]) -> str:
    number = 2
    wanted = slug
    while slug in used:
        slug, number = f"{wanted}-{number}", number + 1
    used.add(slug)
    return slug
