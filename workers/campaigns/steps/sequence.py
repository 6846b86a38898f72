"""The steps of a spec, one after the other; each works on the tree that the one before left."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from shared.domain.globs import InvalidGlob
from shared.domain.patterns import InvalidPattern
from shared.domain.spec import EditStep, RunStep, Step
from shared.domain.templates import InvalidTemplate, StepResult, TemplateContext, evaluate
from shared.errors import StepFailed
from shared.github.git_process import GitFailed

from ..preparation.tree import TreeError, WorkingTree
from .commands import CommandFailed
from .edits import apply_edit
from .log import StepLog
from .secrets import SecretProblem
from .text import EditFailed

RunCommand = Callable[[RunStep, TemplateContext, StepLog], Awaitable[StepResult]]
"""How this preparation runs a `run` step."""

_FAILURES = (
    CommandFailed,
    EditFailed,
    GitFailed,
    InvalidGlob,
    InvalidPattern,
    InvalidTemplate,
    SecretProblem,
    TreeError,
    UnicodeError,  # half a surrogate pair, from an output that was JSON
)


async def run_steps(
    steps: Sequence[Step], tree: WorkingTree, context: TemplateContext, log: StepLog, run: RunCommand
) -> TemplateContext:
    """Runs the steps; the context with what they left for templates. Raises `StepFailed`, with the log so far."""
    for index, step in enumerate(steps):
        log.line(f"step {index + 1} of {len(steps)}: {_title(step)}")
        try:
            result = await _run(step, tree, context, log, run)
        except _FAILURES as error:
            why = log.redacted(str(error))
            log.line(f"  failed: {why}")
            raise StepFailed(index, why, log=log.content()) from error
        context = replace(context, steps=[*context.steps, result])
    return context


async def _run(step: Step, tree: WorkingTree, context: TemplateContext, log: StepLog, run: RunCommand) -> StepResult:
    if step.condition is not None and not evaluate(step.condition, context):
        log.line(f"  skipped: {step.condition} does not hold")
        return StepResult()
    if isinstance(step, EditStep):
        await apply_edit(step.edit, tree, log)
        return StepResult()
    return await run(step, context, log)


def _title(step: Step) -> str:
    if isinstance(step, EditStep):
        return "edit " + next(iter(type(step.edit).model_fields)).rstrip("_")
    return "run"
