"""The page of results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

FRESH, INDEX = "Octobatch, asking GitHub", "Octobatch, from the index"


class Taken(Protocol):
    """What a listing took."""

    found: int
    requests: int
    points: int
    seconds: float
    megabytes: float


def page(medians: Mapping[tuple[str, int], Taken], sizes: Sequence[int], *, introduction: str) -> str:
    """The results as Markdown."""
    names = list(dict.fromkeys(name for name, _ in medians if name != "search"))
    lines = ["# Listing an organisation", "", introduction, ""]
    for size in sizes:
        ours = medians[FRESH, size]
        lines += [
            f"## {size:,} repositories",
            "",
            "| | requests | points | seconds | times Octobatch asking GitHub | peak memory, MB |",
            "| --- | --- | --- | --- | --- | --- |",
        ]
        for name in sorted(names):
            each = medians[name, size]
            lines.append(
                f"| {name} | {each.requests:,} | {each.points:,} | {each.seconds:.2f}"
                f" | {each.seconds / ours.seconds:.2f} | {each.megabytes:.0f} |"
            )
        lines.append("")
    lines += ["## Growth", "", "Time for each repository, in times of that for the smallest organisation.", ""]
    lines += ["| | " + " | ".join(f"{size:,}" for size in sizes) + " |", "| --- |" + " --- |" * len(sizes)]
    for name in sorted(names):
        each = [medians[name, size].seconds / size for size in sizes]
        lines.append(f"| {name} | " + " | ".join(f"{value / each[0]:.2f}" for value in each) + " |")
    search = medians["search", sizes[-1]]
    needed = -(-search.found // 100)
    requests = f"{search.requests} requests, {search.requests / needed:.2f} times the {needed} that the results need"
    cost = f"{search.seconds:.1f} s, {search.megabytes:.0f} MB"
    lines += ["", "## A search", "", f"It finds {search.found:,} of {sizes[-1]:,}: {requests}; {cost}.", ""]
    return "\n".join(lines)
