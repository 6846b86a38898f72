"""Templates: text with `${{ expression }}` in it, as in Sourcegraph's batch specs and GitHub's workflows.

    render("Bump ${{ repository.name }}", context)          # "Bump acme/api"
    evaluate('${{ matches(repository.name, "acme/*") }}', context)   # True

`expressions` says what an expression may be.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .expressions import InvalidTemplate, fill_in

__all__ = ["InvalidTemplate", "RepositoryContext", "StepResult", "TemplateContext", "evaluate", "render"]


@dataclass(frozen=True, kw_only=True)
class RepositoryContext:
    """The repository that steps run in, as templates see it. `name` is owner/name, `branch` the base branch."""

    name: str
    branch: str

    @property
    def owner(self) -> str:
        """The organisation or user that owns it."""
        return self.name.partition("/")[0]


@dataclass(frozen=True, kw_only=True)
class StepResult:
    """What a step left for templates: its text and its outputs."""

    stdout: str = ""
    stderr: str = ""
    outputs: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, kw_only=True)
class TemplateContext:
    """All that templates may speak of; `step` is there only for the outputs of a step."""

    repository: RepositoryContext
    campaign_name: str
    campaign_description: str = ""
    campaign_link: str = ""
    steps: Sequence[StepResult] = ()
    step: StepResult | None = None
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    pull_request: Mapping[str, Any] | None = None  # its number and url, for comments on it
    failed_checks: str | None = None  # names, for comments on it
    workspace: str = ""  # the root that the steps run in, relative to the repository's; empty for that itself

    def names(self) -> dict[str, Any]:
        """The names of expressions, as plain data."""
        repository = self.repository
        outputs = {name: value for step in self.steps for name, value in step.outputs.items()}
        names: dict[str, Any] = {
            "repository": {"name": repository.name, "owner": repository.owner, "branch": repository.branch},
            "campaign": {
                "name": self.campaign_name,
                "description": self.campaign_description,
                "link": self.campaign_link,
            },
            "steps": [_plain_step(step) for step in self.steps],
            "outputs": outputs,
            "env": dict(self.env),
            "workspace": {"path": self.workspace},
        }
        if self.pull_request is not None:
            names["pull_request"] = dict(self.pull_request)
        if self.failed_checks is not None:
            names["checks"] = {"failed": self.failed_checks}
        if self.step is not None:
            names["step"] = _plain_step(self.step)
        return names


def _plain_step(step: StepResult) -> dict[str, Any]:
    return {"stdout": step.stdout, "stderr": step.stderr, "outputs": dict(step.outputs)}


def render(template: str, context: TemplateContext) -> str:
    """The text with every expression replaced; raises `InvalidTemplate`."""
    return fill_in(template, context.names()) if "${{" in template else template


def evaluate(condition: str | bool, context: TemplateContext) -> bool:
    """Whether a condition holds: what renders as nothing, `false`, `0` or `null` does not."""
    if isinstance(condition, bool):
        return condition
    return render(condition, context).strip().lower() not in ("", "false", "0", "null", "none")
