"""The page of results. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.queues.figures import Target

from .stand import Turn

WITHOUT, WITH = "without limits", "with GitHub's limits"
OURS = "octobatch"
"""Keys of the results are a system's key and one of the first two."""


@dataclass(frozen=True)
class Results:
    """Every turn, by system and setting; `names` are those of the systems, in the order of the page."""

    names: Mapping[str, str]
    turns: Mapping[tuple[str, str], Turn]

    def seconds(self, system: str, setting: str) -> float | None:
        """What a system took; None where it was not measured, or did not open everything."""
        turn = self.turns.get((system, setting))
        return turn.seconds if turn and turn.opened == turn.wanted else None


def page(results: Results, *, introduction: str) -> str:
    """The results as Markdown."""
    lines = ["# The same change, by others", "", introduction, ""]
    for setting in (WITHOUT, WITH):
        if any(each == setting for _, each in results.turns):
            lines += _table(results, setting)
    lines += ["## What it should show", "", "| | wanted | reached | |", "| --- | --- | --- | --- |"]
    lines += [str(target) for target in targets(results)]
    return "\n".join([*lines, ""])


def _table(results: Results, setting: str) -> list[str]:
    ours = results.turns.get((OURS, setting))
    lines = [
        f"## {setting[:1].upper()}{setting[1:]}",
        "",
        "| | opened | seconds | times Octobatch | API requests | for each pull request | refused over a limit |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for system, name in results.names.items():
        turn = results.turns.get((system, setting))
        if turn is None:
            continue
        ratio = f"{turn.seconds / ours.seconds:.1f}" if ours else ""
        each = f"{turn.requests / turn.opened:.2f}" if turn.opened else ""
        lines.append(
            f"| {name} | {turn.opened} of {turn.wanted} | {turn.seconds:.1f} | {ratio} | {turn.requests:,} | {each}"
            f" | {turn.limit_hits:,} |"
        )
    return [*lines, ""]


def targets(results: Results) -> Sequence[Target]:
    """What was aimed at, as far as it was measured."""
    found: list[Target] = []
    ours = results.seconds(OURS, WITHOUT)
    for system, wanted in (("octoherd", 5.0), ("all-repos", 1.0)):
        theirs = results.seconds(system, WITHOUT)
        if ours and theirs:
            text = f"{results.names[system]} takes so many times as long as Octobatch, without limits"
            found.append(Target(text, theirs / ours, wanted, "x"))
    limited = {system: turn for (system, setting), turn in results.turns.items() if setting == WITH}
    if OURS in limited:
        turn = limited[OURS]
        found.append(Target("what Octobatch fails to open with limits", turn.wanted - turn.opened, 0, "", is_most=True))
        found.append(Target("requests of Octobatch that a limit refused", turn.limit_hits, 0, "", is_most=True))
        complete = sum(
            turn.opened == turn.wanted and not turn.limit_hits
            for system, turn in limited.items()
            if not system.startswith(OURS)
        )
        found.append(Target("others that open everything with limits", complete, 0, "", is_most=True))
    return found
