"""Writes docs/settings.md from shared/settings.py: `python docs/settings_page.py > docs/settings.md`."""

from __future__ import annotations

from inspect import get_annotations

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from shared import settings

CLASSES = (
    settings.Settings,
    settings.GatewaySettings,
    settings.WebhooksSettings,
    settings.WorkerSettings,
    settings.CampaignsSettings,
    settings.SelectionSettings,
    settings.TokensSettings,
)
HEAD = """# Settings

Each is an environment variable, or a file that the variable with `_FILE` at its end names. A wrong or missing one stops
the start.
"""


def page() -> str:
    """The page's Markdown."""
    return "\n".join([HEAD, *map(_section, CLASSES)])


def _section(settings_class: type[settings.Settings]) -> str:
    fields = settings_class.model_fields
    own = {name: fields[name] for name in get_annotations(settings_class) if name in fields}
    rows = [
        f"| `{settings.PREFIX}{name.upper()}` | {_default(field)} | {field.description} |"
        for name, field in own.items()
    ]
    return "\n".join(
        [f"## {settings_class.__doc__}\n", "| setting | default | meaning |", "| --- | --- | --- |", *rows, ""]
    )


def _default(field: FieldInfo) -> str:
    if field.default is PydanticUndefined:
        return "required"
    return "" if field.default is None else f"`{field.default}`"


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201
