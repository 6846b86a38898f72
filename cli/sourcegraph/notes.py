"""What could not be carried over from a batch spec, or only otherwise than it was there."""

from __future__ import annotations

from dataclasses import dataclass, field

from shared.domain.yaml_tree import Node


@dataclass(frozen=True, order=True)
class Note:
    """One such thing: its line in the batch spec, and what became of it and why."""

    line: int
    message: str


@dataclass
class Notes:
    """The notes of one conversion."""

    _found: dict[Note, None] = field(default_factory=dict["Note", None])

    def add(self, at: Node, message: str) -> None:
        """Says something about what stands there; the same is said once a line."""
        self._found[Note(at.line, message)] = None

    def in_order(self) -> list[Note]:
        """As they stand in the batch spec."""
        return sorted(self._found)
