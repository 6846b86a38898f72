"""All commands that there are, as they are typed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from typer.core import TyperCommand, TyperGroup


@dataclass(frozen=True, kw_only=True)
class Leaf:
    """A command: the words after `octobatch`, its heading in the help, the first line of what it says, its epilog."""

    path: tuple[str, ...]
    panel: str
    says: str
    epilog: str


def leaves(group: TyperGroup, *, above: tuple[str, ...] = ()) -> Iterator[Leaf]:
    """The commands below a group, and the group itself where it does something by itself; in the order of the help."""
    if above and group.invoke_without_command:
        yield _leaf(group, above)
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from leaves(command, above=(*above, name))
        else:
            yield _leaf(cast("TyperCommand", command), (*above, name))


def _leaf(command: TyperCommand | TyperGroup, path: tuple[str, ...]) -> Leaf:
    panel = command.rich_help_panel
    return Leaf(
        path=path,
        panel=panel if isinstance(panel, str) else "",
        says=(command.help or "").strip().split("\n")[0],
        epilog=command.epilog or "",
    )
