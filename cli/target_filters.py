"""The options that say which targets are meant."""

from __future__ import annotations

from dataclasses import dataclass
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
Text = Annotated[
    str | None,
    typer.Option("--text", help="Only with this in repository, branch or reason.", show_default=False),
]
Owner = Annotated[
    str | None,
    typer.Option(
        "--owner",
        metavar="OWNER",
        help="Only of this account, or owned by the team acme/core or the user @mona.",
        show_default=False,
    ),
]
Wave = Annotated[
    int | None,
    typer.Option(
        "--wave", min=1, metavar="NUMBER", help="Only of this wave of the rollout, from 1.", show_default=False
    ),
]
Warnings = Annotated[
    bool | None, typer.Option("--warnings/--no-warnings", help="Only with warnings, or without.", show_default=False)
]
Ids = Annotated[
    list[str] | None,
    typer.Option("--target", metavar="ID", help="Only this target; may be repeated.", show_default=False),
]


@dataclass(frozen=True, kw_only=True)
class TargetFilter:
    """Which targets; None and empty let all pass."""

    states: list[TargetState] | None = None
    repository: str | None = None
    reviews: list[ReviewState] | None = None
    checks: list[ChecksState] | None = None
    group: str | None = None
    reason: str | None = None
    text: str | None = None
    owner: str | None = None
    wave: int | None = None
    has_warnings: bool | None = None
    ids: list[str] | None = None

    @property
    def query(self) -> dict[str, Any]:
        """As a list of targets takes it."""
        return _given(
            state=self.states,
            repository=self.repository,
            review_state=self.reviews,
            checks_state=self.checks,
            group=self.group,
            reason=self.reason,
            text=self.text,
            owner=self.owner,
            wave=self.wave,
            has_warnings=None if self.has_warnings is None else str(self.has_warnings).lower(),
            id=self.ids,
        )

    @property
    def body(self) -> dict[str, Any]:
        """As a bulk operation takes it."""
        return _given(
            states=self.states,
            repository=self.repository,
            review_states=self.reviews,
            checks_states=self.checks,
            group=self.group,
            reason=self.reason,
            text=self.text,
            owner=self.owner,
            wave=self.wave,
            has_warnings=self.has_warnings,
            ids=self.ids,
        )


def target_filter(
    states: States = None,
    repository: Repository = None,
    reviews: Reviews = None,
    checks: Checks = None,
    group: Group = None,
    reason: Reason = None,
    text: Text = None,
    owner: Owner = None,
    wave: Wave = None,
    has_warnings: Warnings = None,
    ids: Ids = None,
) -> TargetFilter:
    """The filter of a command's options."""
    return TargetFilter(
        states=states,
        repository=repository,
        reviews=reviews,
        checks=checks,
        group=group,
        reason=reason,
        text=text,
        owner=owner,
        wave=wave,
        has_warnings=has_warnings,
        ids=ids,
    )


def _given(**options: Any) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None and value != []}
