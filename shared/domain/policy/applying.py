"""What a document of policies changes in those that are there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...errors import Conflict
from .model import MAX_POLICIES, TrustPolicy


@dataclass(frozen=True, kw_only=True)
class PolicyChanges:
    """Names of policies by what becomes of them, and the policies afterwards, in their order."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    unchanged: tuple[str, ...]
    policies: tuple[TrustPolicy, ...]


def plan_changes(present: Sequence[TrustPolicy], given: Sequence[TrustPolicy], *, prune: bool) -> PolicyChanges:
    """The document's policies come first, in its order; what it does not have follows or, with `prune`, goes.

    Raises `Conflict` where there would be too many.
    """
    before = {policy.name: policy for policy in present}
    names = {policy.name for policy in given}
    others = [policy for policy in present if policy.name not in names]
    after = (*given, *(() if prune else others))
    if len(after) > MAX_POLICIES:
        raise Conflict(f"there would be {len(after)} trust policies, and may be {MAX_POLICIES}: remove some, or prune")
    return PolicyChanges(
        added=tuple(each.name for each in given if each.name not in before),
        changed=tuple(each.name for each in given if before.get(each.name, each) != each),
        removed=tuple(each.name for each in others) if prune else (),
        unchanged=tuple(each.name for each in given if before.get(each.name) == each),
        policies=after,
    )
