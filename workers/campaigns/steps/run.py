"""`run` steps: a command in the working copy, tried again where the spec says so, and its outputs read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from shared.domain.spec import Output, OutputFormat, RunStep
from shared.domain.templates import InvalidTemplate, StepResult, TemplateContext, render

from ..isolation import Isolation, Limits, environment
from ..working_copy import WorkingCopy
from .commands import CommandFailed, CommandResult, run_command
from .log import StepLog
from .text import EditFailed
from .yaml_edit import parse_yaml

LIMITS = Limits()


async def run_step(
    step: RunStep, copy: WorkingCopy, isolation: Isolation, context: TemplateContext, log: StepLog
) -> StepResult:
    """Runs a step; raises `CommandFailed` after its last attempt, `InvalidTemplate` where a value is not there."""
    env = {name: render(text, context) for name, text in step.templates_of_env.items()}
    inside = replace(context, env=env)
    script = render(step.run, inside)
    files = {name: render(text, inside) for name, text in step.files.items()}
    log.line(f"  in {isolation.describe()}")
    log.output("$", script, 0)
    before = await copy.snapshot()
    attempt = 1
    while True:
        result = await _attempt(step, copy, isolation, script, files, env)
        log.output("out", result.stdout.text, result.stdout.left_out)
        log.output("err", result.stderr.text, result.stderr.left_out)
        why = _why_failed(result, step)
        log.line(f"  {why or 'ended well'} after {result.seconds:.1f} s")
        if not why:
            break
        if attempt == step.max_attempts:
            raise CommandFailed(why)
        attempt += 1
        log.line(f"  attempt {attempt} of {step.max_attempts}, from the tree as it was before")
        await copy.restore(before)
    now = await copy.snapshot()
    log.paths("changed", await copy.changed_since(before, now))
    after = StepResult(stdout=result.stdout.text, stderr=result.stderr.text)
    return replace(after, outputs=_outputs(step.outputs, replace(inside, step=after)))


async def _attempt(
    step: RunStep,
    copy: WorkingCopy,
    isolation: Isolation,
    script: str,
    files: Mapping[str, str],
    env: Mapping[str, str],
) -> CommandResult:
    async with copy.ready(isolation, script, files) as sandbox:
        return await run_command(
            isolation, sandbox, env=environment(isolation, sandbox, env), time_limit=step.timeout, limits=LIMITS
        )


def _why_failed(result: CommandResult, step: RunStep) -> str:
    """How a command failed; empty where it did not."""
    if result.status is None:
        return f"took longer than {step.timeout.total_seconds():g} s and was ended"
    if result.status < 0:
        return f"was ended by signal {-result.status}"
    if result.status:
        last = result.stderr.text.strip().splitlines()[-1:]
        return f"ended with status {result.status}" + (f": {last[0][:200]}" if last else "")
    return ""


def _outputs(outputs: Mapping[str, Output], context: TemplateContext) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, output in outputs.items():
        text = render(output.value, context)
        try:
            values[name] = _value(text, output.format)
        except (ValueError, RecursionError) as error:
            raise InvalidTemplate(f"the output {name} is not {output.format.upper()}: {error}") from None
    return values


def _value(text: str, format: OutputFormat) -> Any:  # noqa: A002  # the spec's word
    if format is OutputFormat.JSON:
        return json.loads(text)
    if format is OutputFormat.YAML:
        try:
            return parse_yaml(text)
        except EditFailed as error:
            raise ValueError(str(error)) from None
    return text.removesuffix("\n")
