"""What a table of targets is asked to show, from the address of the page, and addresses of the same with a change.

A form sends what it has, empty fields too: what is empty, or no value that there is, lets all pass.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from starlette.datastructures import QueryParams

from shared.domain.bulk import TargetFilter, check_filter
from shared.domain.ids import RunId
from shared.domain.target import ChecksState, ReviewState, TargetState
from shared.domain.target_views import TargetFacet, TargetSort
from shared.postgres.target_table import Place, Scope

_LONGEST = 300
_NOT_ENDED = [
    state.value
    for state in TargetState
    if state not in {TargetState.MERGED, TargetState.CLOSED, TargetState.UNCHANGED, TargetState.CANCELLED}
]


@dataclass(frozen=True, kw_only=True)
class TableView:
    """A table of targets: whose, which, in what order, from where on. `path` is the page's."""

    path: str
    scope: Scope
    wanted: TargetFilter
    sort: TargetSort
    after: Place | None = None

    @property
    def parameters(self) -> list[tuple[str, str]]:
        """The query of the page's address, without what is as it always is."""
        wanted = self.wanted
        given: list[tuple[str, str]] = [
            *((TargetFacet.STATE.value, state.value) for state in wanted.states),
            *((TargetFacet.REVIEW.value, state.value) for state in wanted.review_states),
            *((TargetFacet.CHECKS.value, state.value) for state in wanted.checks_states),
        ]
        if wanted.has_warnings is not None:
            given.append((TargetFacet.WARNINGS.value, str(wanted.has_warnings).lower()))
        texts = {name: getattr(wanted, name) for name in ("repository", "owner", "group", "text", "reason", "wave")}
        given += [(name, str(value)) for name, value in texts.items() if value not in (None, "")]
        if self.scope.campaign:
            given.append(("campaign", self.scope.campaign))
        if not self.scope.run_id and self.scope.with_ended:
            given.append(("ended", "true"))
        if self.sort is not TargetSort.REPOSITORY:
            given.append(("sort", self.sort.value))
        return given

    @property
    def address(self) -> str:
        """Where this is shown: a link that can be shared."""
        return _address(self.path, self.parameters)

    @property
    def is_filtered(self) -> bool:
        """Whether anything is left out."""
        return any(name not in {"sort", "ended"} for name, _ in self.parameters)

    @property
    def can_be_sorted(self) -> bool:
        """Whether it may have another order than that of repositories: all targets of all runs are too many to sort."""
        return bool(self.scope.run_id or self.scope.campaign or self.wanted.owner)

    def sorted_by(self, column: str) -> str:
        """The address with that order; once more turns it round."""
        sort = TargetSort(column)
        turned = replace(self, sort=TargetSort(f"-{column}") if self.sort is sort else sort)
        return turned.address

    def without(self, name: str) -> str:
        """The address without a filter."""
        return _address(self.path, [(each, value) for each, value in self.parameters if each != name])

    def following(self, place: Place) -> str:
        """The address of what comes after a place."""
        return _address(self.path, [*self.parameters, ("cursor", _encoded(place))])

    @property
    def export_query(self) -> str:
        """The query with which the API exports a run's targets as CSV."""
        names = {"sort", "ended", "campaign"}
        return urlencode([("format", "csv"), *((name, value) for name, value in self.parameters if name not in names)])

    @property
    def bulk_filter(self) -> dict[str, Any]:
        """The filter for a bulk operation on all that match."""
        given = self.wanted.model_dump(mode="json", exclude_defaults=True)
        if not self.scope.run_id and not self.scope.with_ended and not self.wanted.states:
            given["states"] = _NOT_ENDED
        return given


def view_of(path: str, query: QueryParams, run_id: RunId | None, *, namespaces: Sequence[str] | None) -> TableView:
    """What an address asks for, of what is in the namespaces (None = all).

    Raises `InvalidInput` for a glob that cannot be understood.
    """
    text = {name: value.strip()[:_LONGEST] or None for name, value in query.items()}
    repository, owner = text.get("repository"), text.get("owner")
    if run_id is None and repository and not owner and "/" in repository and not _is_glob(repository):
        owner = repository.partition("/")[0] or None  # its account narrows it down by an index
    wanted = TargetFilter.model_validate(
        {
            "states": _known(TargetState, query.getlist("state")),
            "review_states": _known(ReviewState, query.getlist("review_state")),
            "checks_states": _known(ChecksState, query.getlist("checks_state")),
            "has_warnings": {"true": True, "false": False}.get(query.get("has_warnings", "")),
            "repository": repository,
            "owner": owner,
            "group": text.get("group"),
            "text": text.get("text"),
            "reason": text.get("reason"),
            "wave": _number(text.get("wave")) if run_id else None,
        }
    )
    check_filter(wanted)
    sort = TargetSort(query.get("sort")) if query.get("sort") in list(TargetSort) else TargetSort.REPOSITORY
    is_ended_wanted = query.get("ended") == "true" or any(state.value not in _NOT_ENDED for state in wanted.states)
    view = TableView(
        path=path,
        scope=Scope(
            namespaces=namespaces,
            run_id=run_id,
            campaign=text.get("campaign") if not run_id else None,
            with_ended=is_ended_wanted,
        ),
        wanted=wanted,
        sort=sort,
    )
    if not view.can_be_sorted and sort.column != TargetSort.REPOSITORY.column:
        view = replace(view, sort=TargetSort.REPOSITORY)
    return replace(view, after=_decoded(query.get("cursor", ""), view.sort))


def _is_glob(text: str) -> bool:
    return TargetFilter.model_validate({"repository": text}).names_repositories_by_glob


def _known(states: Any, given: Iterable[str]) -> Any:
    return tuple(states(each) for each in dict.fromkeys(given) if each in list(states))


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() and 1 <= int(text) <= 100 else None


def _address(path: str, parameters: Iterable[tuple[str, str]]) -> str:
    query = urlencode(list(parameters))
    return f"{path}?{query}" if query else path


def _encoded(place: Place) -> str:
    value = place.value.isoformat() if isinstance(place.value, datetime) else place.value
    return base64.urlsafe_b64encode(json.dumps([value, str(place.target_id)]).encode()).decode()


def _decoded(cursor: str, sort: TargetSort) -> Place | None:
    """The place; None for a cursor that nobody gave, so that the table begins anew."""
    column = sort.column
    try:
        value, target_id = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        if column == "updated":
            value = datetime.fromisoformat(value)
        elif not isinstance(value, int if column == "size" else str):
            return None
        return Place(value=value, target_id=UUID(target_id))
    except (binascii.Error, ValueError, TypeError, AttributeError):
        return None
