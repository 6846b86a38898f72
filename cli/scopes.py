"""The scope of a token as people type and read it: `--permission contents=write --repository api`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

from shared.domain.permissions import Level, parse_permissions_text

from .failures import CommandFailed, ExitCode

PermissionOption = Annotated[
    list[str] | None,
    typer.Option(
        "--permission",
        "-p",
        metavar="RESOURCE=LEVEL",
        help="As contents=write; may be repeated. None: all you may have.",
        show_default=False,
    ),
]
RepositoryOption = Annotated[
    list[str] | None,
    typer.Option("--repository", "-r", metavar="NAME", help="Only this one; may be repeated.", show_default=False),
]


def permissions_of(texts: Sequence[str]) -> dict[str, Level]:
    """What `--permission` was given; raises `CommandFailed`."""
    permissions: dict[str, Level] = {}
    for text in texts:
        try:
            permissions |= parse_permissions_text(text.replace("=", ":"))
        except ValueError:
            raise CommandFailed(
                f"--permission {text!r} is not one",
                exit_code=ExitCode.BAD_INPUT,
                hint=f"write RESOURCE=LEVEL, such as contents=write; levels: {', '.join(Level)}",
            ) from None
    return permissions


def permissions_line(permissions: Mapping[str, str]) -> str:
    """`contents: write, metadata: read`."""
    return ", ".join(f"{name}: {level}" for name, level in sorted(permissions.items()))
