"""What is different between two specs: the lines, and what it means for a campaign. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ...errors import InvalidSpec
from .changeset import ChangesetTemplate
from .model import CampaignSpec
from .parsing import parse_spec


class ChangedPart(StrEnum):
    """The part of a spec that changed, by what it means."""

    ABOUT = "about"
    SELECTION = "selection"
    STEPS = "steps"
    DIVISION = "division"
    TEXTS = "texts"
    BRANCH = "branch"
    PUBLISHING = "publishing"
    ROLLOUT = "rollout"
    FOLLOWING = "following"
    NOTIFICATIONS = "notifications"


@dataclass(frozen=True)
class SpecChange:
    """A part that changed, and what that means, in a line."""

    part: ChangedPart
    meaning: str


@dataclass(frozen=True)
class SpecDifference:
    """The lines as a unified diff, empty where the texts are the same, and the parts that changed.

    `changes` is None where one of the two is no valid spec (any more): then there are lines only.
    """

    lines: str
    changes: Sequence[SpecChange] | None


def compare_documents(before: str, after: str, *, names: tuple[str, str]) -> SpecDifference:
    """What is different in the document `after`; `names` are those of both, for the head of the diff."""
    lines = "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
        for line in difflib.unified_diff(before.splitlines(True), after.splitlines(True), *names)
    )
    try:
        return SpecDifference(lines, tuple(compare_specs(parse_spec(before), parse_spec(after))))
    except InvalidSpec:
        return SpecDifference(lines, None)


def compare_specs(before: CampaignSpec, after: CampaignSpec) -> Iterator[SpecChange]:
    """The parts that changed, in the order in which a run comes to them."""
    if about := _changed(before, after, ("name", "namespace", "description")):
        yield SpecChange(ChangedPart.ABOUT, _listed(about))
    if selection := _changed(before, after, ("on", "where", "skip", "limit")):
        yield SpecChange(ChangedPart.SELECTION, f"{_listed(selection)}: other repositories may be selected")
    yield from _steps(before, after)
    if division := _changed(before, after, ("workspaces", "transform_changes")):
        meaning = f"{_listed(division)}: the change of a repository is divided otherwise"
        yield SpecChange(ChangedPart.DIVISION, meaning)
    yield from _changeset(before.changeset_template, after.changeset_template)
    if rollout := _changed(before, after, ("rollout", "most_failures", "schedule")):
        yield SpecChange(ChangedPart.ROLLOUT, f"{_listed(rollout)}: how fast and when pull requests are opened")
    if following := _changed(before, after, ("hooks", "import_changesets")):
        yield SpecChange(ChangedPart.FOLLOWING, f"{_listed(following)}: what is followed, and what is done by itself")
    if notifications := _changed(before, after, ("notifications",)):
        yield SpecChange(ChangedPart.NOTIFICATIONS, f"{_listed(notifications)}: who is told; it counts at once")


def _steps(before: CampaignSpec, after: CampaignSpec) -> Iterator[SpecChange]:
    if before.steps == after.steps:
        return
    pairs = zip(before.steps, after.steps, strict=False)
    same = next((number for number, (old, new) in enumerate(pairs) if old != new), None)
    if same is None:
        same = min(len(before.steps), len(after.steps))
    if same >= len(after.steps):
        meaning = f"the last {len(before.steps) - same} of {len(before.steps)} are gone; the others are as they were"
    elif same == 0:
        meaning = "from the first on: all of them run again"
    else:
        meaning = f"from step {same + 1} of {len(after.steps)} on: those before are as they were"
    yield SpecChange(ChangedPart.STEPS, meaning)


def _changeset(before: ChangesetTemplate, after: ChangesetTemplate) -> Iterator[SpecChange]:
    if texts := _changed(before, after, ("title", "body", "commit")):
        yield SpecChange(ChangedPart.TEXTS, f"{_listed(texts)}: of pull requests and their commits")
    if before.branch != after.branch:
        meaning = f"{before.branch} becomes {after.branch}: pull requests of the old branch are not updated"
        yield SpecChange(ChangedPart.BRANCH, meaning)
    told = {"title", "body", "commit", "branch"}
    if publishing := _changed(before, after, [name for name in ChangesetTemplate.model_fields if name not in told]):
        yield SpecChange(ChangedPart.PUBLISHING, f"{_listed(publishing)}: how pull requests are published")


def _changed(
    before: CampaignSpec | ChangesetTemplate, after: CampaignSpec | ChangesetTemplate, fields: Sequence[str]
) -> list[str]:
    """The fields that differ, as the document calls them."""
    known = type(before).model_fields
    return [str(known[name].alias or name) for name in fields if getattr(before, name) != getattr(after, name)]


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
