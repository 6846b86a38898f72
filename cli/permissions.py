"""Permissions as people type and read them: `contents=write`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

from shared.domain.permissions import Level, parse_permissions_text

from .failures import CommandFailed, ExitCode

PermissionOption = Annotated[
    list[str] | None,
    typer.Option("--permission", metavar="NAME=LEVEL", help="As contents=write; may be repeated.", show_default=False),
]


def permissions_of(texts: Sequence[str]) -> dict[str, Level]:
    """What `--permission` was given; raises `CommandFailed`."""
    try:
        return parse_permissions_text(",".join(texts).replace("=", ":"))
    except ValueError as error:
        raise CommandFailed(f"--permission: {error}", exit_code=ExitCode.BAD_INPUT) from None


def permissions_line(permissions: Mapping[str, str]) -> str:
    """`contents: write, metadata: read`."""
    return ", ".join(f"{name}: {level}" for name, level in sorted(permissions.items()))
