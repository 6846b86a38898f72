"""Fields of the spec's document that this version does nothing about: each is refused by name, never ignored."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from ..document_keys import Path

_TOP = ("workspaces", "transformChanges", "rollout", "schedule", "importChangesets")
_CHANGESET = ("conflictStrategy", "onForeignCommits", "autoMerge", "labels", "assignees", "reviewers")
_STEP = ("container", "network")


def take_unsupported(document: dict[Any, Any]) -> list[Path]:
    """Takes the fields that are not supported out of the document, and says where they stood."""
    taken = [*_take(document, (), _TOP)]
    taken += _take(document.get("changesetTemplate"), ("changesetTemplate",), _CHANGESET)
    steps = document.get("steps")
    for index, step in enumerate(cast("list[Any]", steps) if isinstance(steps, list) else []):
        taken += _take(step, ("steps", index), _STEP)
    if document.get("onError", "continue") != "continue":
        del document["onError"]
        taken.append(("onError",))
    return taken


def _take(mapping: Any, path: Path, names: tuple[str, ...]) -> Iterator[Path]:
    if not isinstance(mapping, dict):
        return
    for name in names:
        if name in mapping:
            del mapping[name]
            yield (*path, name)
