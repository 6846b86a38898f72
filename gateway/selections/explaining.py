"""Why a repository is in a selection, or out of it, or was never found by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.domain.selection import SelectedRepository
from shared.domain.spec import (
    ExcludeEntry,
    InstallationEntry,
    OnEntry,
    OrganizationEntry,
    RepositoriesEntry,
    RepositoryEntry,
    TeamEntry,
    UserEntry,
)
from shared.postgres.known_repositories import KnownRepository


@dataclass(frozen=True, kw_only=True)
class Knowledge:
    """What is known of a repository beside the selection: `repository` from the index, where it has it.

    `is_indexed` says that the index has all of the owner's installation.
    """

    repository: KnownRepository | None
    is_indexed: bool


def verdict_on(
    asked: str,
    selected_at: datetime,
    entries: Sequence[OnEntry],
    found: Sequence[SelectedRepository],
    knowledge: Knowledge,
) -> str:
    """One sentence about the repository that was asked for, by owner/name or node id, in a complete selection."""
    if found:
        return _verdict_on_found(asked, found)
    known = knowledge.repository
    name = known.name_with_owner if known else asked
    owner = name.partition("/")[0] if "/" in name else ""
    if known and _was_created_since(known, selected_at):
        return f"no entry found it: it was created at {known.created_at:%Y-%m-%d %H:%M} UTC, after the selection"
    if owner and names_account(entries, owner) is False:
        return f"no entry found it: none is about {owner}"
    if known:
        return "no entry found it, though the index has it: no entry's search, names or listing had it"
    if owner and knowledge.is_indexed:
        return f"no entry found it, and the index, which has all that the App was given of {owner}, does not have it"
    return "no entry found it, and the index does not know it: it does not exist, or the App was not given it"


def _verdict_on_found(asked: str, found: Sequence[SelectedRepository]) -> str:
    branches = "; ".join(_on_branch(each) for each in found)
    name = found[0].repository.name_with_owner
    if "/" in asked and asked.lower() != name.lower():
        return f"it was called {name} when it was selected; {branches}"
    return branches


def _on_branch(selected: SelectedRepository) -> str:
    state = "in" if selected.included else "out"
    where = f"branch {selected.branch} is {state}" if selected.branch else f"it is {state}"
    return f"{where}: {selected.reason}"


def _was_created_since(known: KnownRepository, moment: datetime) -> bool:
    return known.created_at is not None and known.created_at > moment


def names_account(entries: Sequence[OnEntry], owner: str) -> bool | None:
    """Whether any entry is about repositories of `owner`; None where that cannot be told, as of a search."""
    answers = [_names(entry, owner.lower()) for entry in entries if not isinstance(entry, ExcludeEntry)]
    if any(answers):
        return True
    return None if None in answers else False


def _names(entry: OnEntry, owner: str) -> bool | None:
    match entry:
        case OrganizationEntry(org=account) | UserEntry(user=account):
            return account.lower() == owner
        case TeamEntry(team=name) | RepositoryEntry(repository=name):
            return name.partition("/")[0].lower() == owner
        case InstallationEntry(installation=account):
            return account == "*" or account.lower() == owner
        case RepositoriesEntry(repositories=names):
            return any(name.partition("/")[0].lower() == owner for name in names)
        case _:
            return None


def entry_text(entry: OnEntry) -> str:
    """An entry in the words of the spec, such as `org: acme` or `exclude team: acme/legacy`."""
    if isinstance(entry, ExcludeEntry):
        return f"exclude {entry_text(entry.exclude)}"
    if isinstance(entry, RepositoriesEntry):
        return f"repositories: {len(entry.repositories)} names"
    own_field = next(iter(type(entry).__annotations__))  # the filters, which a listing has too, are inherited
    return f"{type(entry).model_fields[own_field].alias or own_field}: {getattr(entry, own_field)}"
