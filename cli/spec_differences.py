"""How the difference between two specs is shown."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Any

from rich.syntax import Syntax

from shared.domain.spec.differences import compare_documents

from .output import OutputFormat, print_as, print_text, results, say


def difference_of(before: str, after: str, names: tuple[str, str]) -> dict[str, Any]:
    """What the gateway says of two versions, for a document that it does not have."""
    return asdict(compare_documents(before, after, names=names))


def print_difference(found: dict[str, Any], output: OutputFormat) -> None:
    """The lines, in colours on a terminal, and what they mean on stderr."""
    if output.is_for_programs:
        print_as(output, found)
        return
    if not found["lines"]:
        say("there is no difference")
        return
    if sys.stdout.isatty():
        results().print(Syntax(found["lines"], "diff", background_color="default"))
    else:
        print_text(found["lines"])
    if found["changes"] is None:
        say("one of the two is not valid any more, so what the difference means is not known")
    for change in found["changes"] or ():
        say(f"{change['part']}: {change['meaning']}")
    if found["changes"] == [] or found["changes"] == ():
        say("the difference means nothing: comments or layout only")
