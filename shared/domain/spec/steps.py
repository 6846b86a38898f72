"""The `steps` part: what is done in each repository, in order."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag

from .edits import Edit
from .fields import Duration, EnvName, FileName, OutputName, SecretName, SpecModel, Template

CONDITION = "Run the step only where this is true"


class OutputFormat(StrEnum):
    """How the text of an output is read."""

    TEXT = "text"
    JSON = "json"
    YAML = "yaml"


class Output(SpecModel):
    """A value that later steps and the changeset template can use as `outputs.<name>`."""

    value: Template = Field(description="A template, such as ${{ step.stdout }}", examples=["${{ step.stdout }}"])
    format: Annotated[OutputFormat, Field(strict=False)] = Field(
        OutputFormat.TEXT, description="text takes it as it is (without the last line end), json and yaml parse it"
    )


class SecretReference(SpecModel):
    """A value that the workers hold, and that no spec, log or artifact shows."""

    secret: SecretName = Field(description="Its name among the workers' step secrets", examples=["npm-token"])


def _kind_of_value(value: Any) -> str:
    return "<secret>" if isinstance(value, dict | SecretReference) else "<text>"


EnvValue = Annotated[
    Annotated[Template, Tag("<text>")] | Annotated[SecretReference, Tag("<secret>")], Discriminator(_kind_of_value)
]
"""The value of an environment variable."""


class EditStep(SpecModel):
    """A change without running code."""

    edit: Edit = Field(description="The change")
    condition: Template | bool | None = Field(
        None, alias="if", description=CONDITION, examples=['${{ matches(repository.name, "acme/svc-*") }}']
    )


class RunStep(SpecModel):
    """A command in an isolated working copy, with no credentials and, unless allowed, no network."""

    run: Template = Field(
        min_length=1,
        description="A script for bash (sh where there is none), run in the root of the working copy",
        examples=["./fix.sh ${{ repository.name }}"],
    )
    condition: Template | bool | None = Field(
        None, alias="if", description=CONDITION, examples=['${{ matches(repository.name, "acme/svc-*") }}']
    )
    env: dict[EnvName, EnvValue] = Field(
        default_factory=dict,
        description="Environment variables of the step: templates, or {secret: NAME}",
        examples=[{"V": "1.23", "NPM_TOKEN": {"secret": "npm-token"}}],
    )
    files: dict[FileName, Template] = Field(
        default_factory=dict,
        description="Executable files that are in the working copy's root while the step runs, and no longer",
        examples=[{"fix.sh": "#!/bin/sh\nsed -i s/1.22/1.23/ go.mod\n"}],
    )
    outputs: dict[OutputName, Output] = Field(
        default_factory=dict,
        description="Values for later steps and the changeset template",
        examples=[{"ver": {"value": "${{ step.stdout }}", "format": "text"}}],
    )
    timeout: Duration = Field(timedelta(minutes=10), description="Longest run, at most 2h", examples=["10m"])
    max_attempts: int = Field(1, ge=1, le=5, description="Runs before the step counts as failed")
    network: bool = Field(False, description="true lets the step reach the network; else it reaches nothing")
    container: str | None = Field(
        None,
        pattern=r"^[a-z0-9][A-Za-z0-9._:/@-]*$",
        max_length=500,
        description="Image in which the step runs as a Kubernetes Job; needs runSteps.mode: kubernetes",
        examples=["golang:1.23"],
    )

    @property
    def templates_of_env(self) -> dict[str, Template]:
        """The variables that are templates."""
        return {name: value for name, value in self.env.items() if isinstance(value, str)}

    @property
    def secrets_of_env(self) -> dict[str, str]:
        """The variables that are secrets, and their names among the workers' step secrets."""
        return {name: value.secret for name, value in self.env.items() if isinstance(value, SecretReference)}


def _kind(step: Any) -> str | None:
    if isinstance(step, dict):
        return next((f"<{kind}>" for kind in ("edit", "run") if kind in step), None)
    return None


Step = Annotated[
    Annotated[EditStep, Tag("<edit>")] | Annotated[RunStep, Tag("<run>")],
    Discriminator(_kind, custom_error_type="spec", custom_error_message="must have the key edit or run"),
]
"""A step; the tree that one leaves is the next one's input."""
