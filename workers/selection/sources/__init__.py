"""Where repositories come from: each kind of shard, and how its next page is asked for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from shared.domain.shards import Shard

from ..making import Making, Step
from .code import code_step
from .earlier import selection_step, targets_step
from .listings import given_step, listing_step, team_step
from .named import named_step
from .searches import search_step

SOURCES: Mapping[str, Callable[[Making, Shard], Awaitable[Step]]] = {
    "code": code_step,
    "given": given_step,
    "listing": listing_step,
    "named": named_step,
    "search": search_step,
    "selection": selection_step,
    "targets": targets_step,
    "team": team_step,
}
"""What asks for the next page of a shard, by the `kind` of its request."""
