"""What several resources show or take."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, cast, get_args, get_origin
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator

from shared.domain.operation import OperationState, Service

EVENT_STREAM: dict[int | str, dict[str, Any]] = {200: {"content": {"text/event-stream": {}}}}
"""The answer of a route that sends Server-Sent Events."""


def _no_number(given: Any) -> Any:
    if isinstance(given, int | float) or (isinstance(given, str) and _NUMBER.fullmatch(given)):
        raise ValueError("it is a time with its zone, such as 2026-03-01T09:00:00Z")
    return given


Moment = Annotated[AwareDatetime, BeforeValidator(_no_number)]
"""A time that is given, with its zone."""

MAX_DOCUMENT = 1024 * 1024

_NUMBER = re.compile(r"[+-]?[\d.]+(e[+-]?\d+)?", re.IGNORECASE)
_SURROGATE = re.compile("[\ud800-\udfff]")


class Shown(BaseModel):
    """A response that is read off a domain object."""

    model_config = ConfigDict(from_attributes=True)


class Given(BaseModel):
    """A request body: unknown fields are errors, and so is text that PostgreSQL cannot keep."""

    model_config = ConfigDict(extra="forbid")

    @field_validator("*", mode="before")
    @classmethod
    def _is_taken_as_it_is(cls, given: Any, info: ValidationInfo) -> Any:
        if not all(map(_can_be_kept, _texts(given))):
            raise ValueError("text may have no NUL character, and no half of a surrogate pair")
        _check_type(given, cls.model_fields[info.field_name or ""].annotation)
        return given


def _check_type(given: Any, annotation: Any) -> None:
    """Nothing is taken for what it is not: `0` for false, `"5"` for a number, a number for a time."""
    if get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    kinds = get_args(annotation) or (annotation,)
    if get_origin(annotation) is list and isinstance(given, list):
        for each in cast("list[Any]", given):
            _check_type(each, kinds[0])
    elif bool in kinds and isinstance(given, int | float | str) and not isinstance(given, bool):
        raise ValueError("it is true or false")
    elif (int in kinds or float in kinds) and isinstance(given, str | bool):
        raise ValueError("it is a number")
    elif datetime in kinds and isinstance(given, int | float):
        raise ValueError("it is a time, such as 2026-03-01T09:00:00Z")


def _texts(given: Any) -> Iterator[str]:
    if isinstance(given, str):
        yield given
    elif isinstance(given, dict):
        for name, value in cast("dict[str, Any]", given).items():
            yield name
            yield from _texts(value)
    elif isinstance(given, list):
        for each in cast("list[Any]", given):
            yield from _texts(each)


def _can_be_kept(text: str) -> bool:
    return "\x00" not in text and not _SURROGATE.search(text)


EXAMPLE_SPEC = """version: 1
name: add-security-policy
description: Say how to report a vulnerability
on:
  - org: acme
steps:
  - edit: {write: {path: SECURITY.md, content: "Write to security@acme.example\\n", if-missing: true}}
changesetTemplate:
  title: Add a security policy
  body: Added by ${{ campaign.name }}.
  branch: octobatch/security-policy
  commit: {message: Add a security policy}
  published: true
"""


class SpecDocument(Given):
    """A campaign spec, as YAML text."""

    document: str = Field(max_length=MAX_DOCUMENT, description="the spec, YAML", examples=[EXAMPLE_SPEC])


class ShownOperation(Shown):
    """An accepted command and what became of it."""

    id: UUID
    service: Service
    type: str
    state: OperationState
    attempts: int = Field(description="runs that ended with an error")
    error: str | None
    actor: str
    run_id: UUID | None
    target_id: UUID | None
    payload: dict[str, Any]
    created_at: datetime
    finished_at: datetime | None
