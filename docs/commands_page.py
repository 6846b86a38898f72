"""Prints the page of all commands: `python docs/commands_page.py > docs/commands.md`."""

from __future__ import annotations

from collections.abc import Iterator

from typer.core import TyperGroup

from cli.main import command_line
from cli.tree import Leaf, leaves

HEAD = """# All commands

Made by `python docs/commands_page.py > docs/commands.md`; [the command line](cli.md) says what they have in common.
Each has `--help` with its options and examples.
"""


def page() -> str:
    """The page."""
    return "\n".join([HEAD, *_sections(command_line())]) + "\n"


def _sections(root: TyperGroup) -> Iterator[str]:
    panels: dict[str, list[Leaf]] = {}
    for leaf in leaves(root):
        panels.setdefault(f"octobatch {leaf.path[0]}" if len(leaf.path) > 1 else leaf.panel, []).append(leaf)
    for panel, found in panels.items():
        yield f"## {panel or 'On one machine'}\n"
        yield "| command | what it does |\n| --- | --- |"
        yield from (f"| `octobatch {' '.join(leaf.path)}` | {leaf.says} |" for leaf in found)
        yield ""


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201
