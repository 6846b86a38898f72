"""What several resources show or take."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, field_validator

from shared.domain.operation import OperationState, Service

MAX_DOCUMENT = 1024 * 1024

_SURROGATE = re.compile("[\ud800-\udfff]")


class Shown(BaseModel):
    """A response that is read off a domain object."""

    model_config = ConfigDict(from_attributes=True)


class Given(BaseModel):
    """A request body: unknown fields are errors, and so is text that PostgreSQL cannot keep."""

    model_config = ConfigDict(extra="forbid")

    @field_validator("*", mode="before")
    @classmethod
    def _can_be_kept(cls, given: Any) -> Any:
        if not all(map(_can_be_kept, _texts(given))):
            raise ValueError("text may have no NUL character, and no half of a surrogate pair")
        return given


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
