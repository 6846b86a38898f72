"""What several resources show or take."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from shared.domain.operation import OperationState, Service

MAX_DOCUMENT = 1024 * 1024


class Shown(BaseModel):
    """A response that is read off a domain object."""

    model_config = ConfigDict(from_attributes=True)


class Given(BaseModel):
    """A request body: unknown fields are errors."""

    model_config = ConfigDict(extra="forbid")


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
