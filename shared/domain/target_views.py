"""How targets are looked at in a table: in which order, and what they are counted by."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from .bulk import TargetFilter
from .target import Target


class TargetSort(StrEnum):
    """What a table of targets is ordered by, then by id; with `-` before it the last comes first."""

    REPOSITORY = "repository"
    REPOSITORY_LAST = "-repository"
    STATE = "state"
    STATE_LAST = "-state"
    UPDATED = "updated"
    UPDATED_LAST = "-updated"
    SIZE = "size"
    SIZE_LAST = "-size"

    @property
    def is_descending(self) -> bool:
        """Whether the last comes first."""
        return self.value.startswith("-")

    @property
    def column(self) -> str:
        """What it is ordered by."""
        return self.value.removeprefix("-")


class TargetFacet(StrEnum):
    """What targets are counted by: the names are those of the filter's parameters."""

    STATE = "state"
    REVIEW = "review_state"
    CHECKS = "checks_state"
    WARNINGS = "has_warnings"


@dataclass(frozen=True, kw_only=True)
class TargetRow:
    """A target with the campaign that it is of."""

    target: Target
    campaign: str


@dataclass(frozen=True, kw_only=True)
class FacetCounts:
    """How many targets a filter lets through, and by facet how many each value would let through.

    The values of a facet are counted as if the filter chose none of that facet. `is_cut` says that there are more than
    were counted.
    """

    total: int
    facets: dict[TargetFacet, dict[str, int]]
    is_cut: bool


Cell = tuple[str, str, str, bool, int]
"""So many targets are alike: state, state of reviews, state of checks, whether there are warnings."""


def count_facets(cells: list[Cell], wanted: TargetFilter, *, is_cut: bool) -> FacetCounts:
    """Counts of targets that were counted with the facets of the filter left out."""
    chosen: dict[TargetFacet, set[str]] = {
        TargetFacet.STATE: set(wanted.states),
        TargetFacet.REVIEW: set(wanted.review_states),
        TargetFacet.CHECKS: set(wanted.checks_states),
        TargetFacet.WARNINGS: set() if wanted.has_warnings is None else {str(wanted.has_warnings).lower()},
    }
    facets: dict[TargetFacet, dict[str, int]] = {facet: {} for facet in TargetFacet}
    total = 0
    for state, review, checks, has_warnings, count in cells:
        values = dict(zip(TargetFacet, (state, review, checks, str(has_warnings).lower()), strict=True))
        failing = [facet for facet, value in values.items() if chosen[facet] and value not in chosen[facet]]
        total += 0 if failing else count
        for facet, value in values.items():
            if not set(failing) - {facet}:
                facets[facet][value] = facets[facet].get(value, 0) + count
    return FacetCounts(total=total, facets=facets, is_cut=is_cut)
