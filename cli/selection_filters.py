"""The options that say which repositories of a selection are meant."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from shared.domain.repository import Visibility

Included = Annotated[
    bool | None, typer.Option("--included/--excluded", help="Only those that are in, or out.", show_default=False)
]
Entry = Annotated[
    int | None,
    typer.Option(min=0, metavar="NUMBER", help="Only what this entry of on found; the first is 0.", show_default=False),
]
Condition = Annotated[
    int | None,
    typer.Option(
        min=1, metavar="NUMBER", help="Only what this `where` condition left out, from 1.", show_default=False
    ),
]
Query = Annotated[str | None, typer.Option("-q", "--query", help="A part of owner/name.", show_default=False)]
Owner = Annotated[str | None, typer.Option(help="Only of this organisation or user.", show_default=False)]
Language = Annotated[str | None, typer.Option(help='Only of this language; "" for none.', show_default=False)]
Topic = Annotated[str | None, typer.Option(help="Only with this topic.", show_default=False)]
VisibilityOption = Annotated[Visibility | None, typer.Option("--visibility", help="Only these.", show_default=False)]
Archived = Annotated[bool | None, typer.Option("--archived/--not-archived", help="Only these.", show_default=False)]
Fork = Annotated[bool | None, typer.Option("--fork/--no-fork", help="Only these.", show_default=False)]
Template = Annotated[bool | None, typer.Option("--template/--no-template", help="Only these.", show_default=False)]
Reason = Annotated[str | None, typer.Option(help="Only with exactly this reason.", show_default=False)]
Property = Annotated[
    str | None,
    typer.Option("--property", metavar="NAME[=VALUE]", help="Only with this custom property.", show_default=False),
]


def repository_filter(  # noqa: PLR0917 - typer passes each option by its name
    included: Included = None,
    entry: Entry = None,
    condition: Condition = None,
    q: Query = None,
    owner: Owner = None,
    language: Language = None,
    topic: Topic = None,
    visibility: VisibilityOption = None,
    archived: Archived = None,
    fork: Fork = None,
    template: Template = None,
    reason: Reason = None,
    custom_property: Property = None,
) -> dict[str, Any]:
    """The gateway's query for the options that were given."""
    options = {
        "included": included,
        "entry": entry,
        "condition": condition,
        "q": q,
        "owner": owner,
        "language": language,
        "topic": topic,
        "visibility": visibility,
        "archived": archived,
        "fork": fork,
        "template": template,
        "reason": reason,
        "property": custom_property,
    }
    query = {name: value for name, value in options.items() if value is not None}
    return {name: str(value).lower() if isinstance(value, bool) else value for name, value in query.items()}
