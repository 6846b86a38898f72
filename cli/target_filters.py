"""The options that say which targets are meant."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from shared.domain.target import ChecksState, ReviewState, TargetState

States = Annotated[
    list[TargetState] | None, typer.Option("--state", help="Only in this state; may be repeated.", show_default=False)
]
Repository = Annotated[
    str | None,
    typer.Option("--repository", "-R", help="Only these: a glob such as acme/svc-*, or a part.", show_default=False),
]
Reviews = Annotated[
    list[ReviewState] | None,
    typer.Option("--review", help="Only with reviews in this state; may be repeated.", show_default=False),
]
Checks = Annotated[
    list[ChecksState] | None,
    typer.Option("--checks", help="Only with checks in this state; may be repeated.", show_default=False),
]
Group = Annotated[str | None, typer.Option(help="Only of this group of the spec.", show_default=False)]
Reason = Annotated[str | None, typer.Option(help="Only with this in their reason.", show_default=False)]
Ids = Annotated[
    list[str] | None,
    typer.Option("--target", metavar="ID", help="Only this target; may be repeated.", show_default=False),
]


def given(**options: Any) -> dict[str, Any]:
    """The options that were given."""
    return {name: value for name, value in options.items() if value not in (None, [])}
