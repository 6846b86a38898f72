"""`run` steps: a command in the working copy, tried again where the spec says so, and its outputs read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Protocol

from shared.domain.spec import Output, OutputFormat, RunStep
from shared.domain.templates import InvalidTemplate, StepResult, TemplateContext, render

from ..isolation.egress import VARIABLES, AnyNetwork, Egress
from ..isolation.sandboxes import Isolation, Kind, Limits, Network, Sandbox, environment
from ..isolation.working_copy import Place, WorkingCopy
from .commands import CommandFailed, CommandResult, run_command
from .log import StepLog
from .memory import Said, StepMemory
from .secrets import StepSecrets
from .text import EditFailed
from .yaml_edit import parse_yaml


class RunContainer(Protocol):
    """Runs a step in a container; see `Kubernetes.run`."""

    async def __call__(
        self,
        image: str,
        place: Place,
        sandbox: Sandbox,
        *,
        env: Mapping[str, str],
        secrets: Mapping[str, str],
        time_limit: timedelta,
        limits: Limits,
    ) -> CommandResult:
        """How the step ended; its changes are in the sandbox's tree."""
        ...


@dataclass(frozen=True, kw_only=True)
class CommandRunner:
    """How a preparation runs `run` steps: where, what of the network they may have, and whose secrets they are given.

    `network` is what `network: true` stands for here, `none` where this worker refuses it.
    """

    copy: WorkingCopy
    isolation: Isolation
    secrets: StepSecrets
    network: Network = Network.PROXY
    allowed_networks: Sequence[AnyNetwork] = ()
    limits: Limits = field(default_factory=Limits)
    memory: StepMemory | None = None
    containers: RunContainer | None = None

    async def run(self, step: RunStep, context: TemplateContext, log: StepLog) -> StepResult:
        """Runs a step; raises `CommandFailed` after its last attempt, `InvalidTemplate` where a value is not there."""
        env = {name: render(text, context) for name, text in step.templates_of_env.items()}
        inside = replace(context, env=env)
        script = render(step.run, inside)
        files = {name: render(text, inside) for name, text in step.files.items()}
        network = self._network(step)
        env |= {name: self.secrets.read(secret) for name, secret in step.secrets_of_env.items()}
        place = Place(
            script=script, files=files, folder=context.workspace, network=network, container=step.container or ""
        )
        said = await self._known_or_anew(step, place, env, log)
        after = StepResult(stdout=said.stdout, stderr=said.stderr)
        return replace(after, outputs=_outputs(step.outputs, replace(inside, step=after)))

    async def _known_or_anew(self, step: RunStep, place: Place, env: Mapping[str, str], log: StepLog) -> Said:
        before = await self.copy.snapshot()
        key, said = await self.memory.recall(step, place, env, before) if self.memory else (None, None)
        is_known = said is not None
        log.line("  from the cache" if is_known else f"  in {self._where(place)}")
        log.output("$", place.script, 0)
        if said is not None:
            _log_outputs(said, log)
        else:
            said = await self._attempts(step, place, env, log, before)
        log.paths("changed", await self.copy.changed_since(before, await self.copy.snapshot()))
        if self.memory and not is_known:
            await self.memory.keep(key, step, place, before, said)
        return said

    async def _attempts(self, step: RunStep, place: Place, env: Mapping[str, str], log: StepLog, before: str) -> Said:
        attempt = 1
        while True:
            result = await self._attempt(step, place, env, log)
            said = self._said(result)
            _log_outputs(said, log)
            why = _why_failed(result)
            log.line(f"  {why or 'ended well'} after {result.seconds:.1f} s")
            if not why:
                return said
            if attempt == step.max_attempts:
                raise CommandFailed(why)
            attempt += 1
            log.line(f"  attempt {attempt} of {step.max_attempts}, from the tree as it was before")
            await self.copy.restore(before)

    async def _attempt(self, step: RunStep, place: Place, env: Mapping[str, str], log: StepLog) -> CommandResult:
        if step.container:
            return await self._in_container(step, place, env)
        egress = Egress(allowed=self.allowed_networks) if place.network is Network.PROXY else None
        proxy: Mapping[str, str] = VARIABLES if egress else {}
        async with self.copy.ready(self.isolation, place) as sandbox:
            given = environment(self.isolation, sandbox, {**proxy, **env})
            result = await run_command(
                self.isolation, sandbox, env=given, time_limit=step.timeout, limits=self.limits, egress=egress
            )
        for refused in dict.fromkeys(egress.refused if egress else ()):
            log.line(f"  network | refused: {refused}")
        return result

    async def _in_container(self, step: RunStep, place: Place, env: Mapping[str, str]) -> CommandResult:
        assert self.containers  # noqa: S101  # `_network` has looked
        secrets = {name: env[name] for name in step.secrets_of_env}
        plain = {name: value for name, value in env.items() if name not in secrets}
        async with self.copy.ready(self.isolation, place) as sandbox:
            return await self.containers(
                place.container, place, sandbox, env=plain, secrets=secrets, time_limit=step.timeout, limits=self.limits
            )

    def _network(self, step: RunStep) -> Network:
        if step.container:
            if self.containers is None:
                raise CommandFailed("container: needs Kubernetes (OCTOBATCH_RUN_STEPS_MODE=kubernetes)")
            return Network.SHARED if step.network else Network.NONE
        if not step.network:
            return Network.NONE
        if self.network is Network.NONE:
            raise CommandFailed("network: true is not allowed by this worker (OCTOBATCH_RUN_NETWORK is none)")
        if self.isolation.kind is not Kind.BUBBLEWRAP:
            raise CommandFailed(f"network: true needs bubblewrap, which is not used here: {self.isolation.why}")
        return self.network

    def _where(self, place: Place) -> str:
        if place.container:
            return f"a container of {place.container} ({'no ' if place.network is Network.NONE else ''}network)"
        return self.isolation.describe(place.network)

    def _said(self, result: CommandResult) -> Said:
        return Said(
            stdout=self.secrets.redacted(result.stdout.text, is_cut=result.stdout.left_out > 0),
            stderr=self.secrets.redacted(result.stderr.text, is_cut=result.stderr.left_out > 0),
            stdout_left_out=result.stdout.left_out,
            stderr_left_out=result.stderr.left_out,
        )


def _log_outputs(said: Said, log: StepLog) -> None:
    log.output("out", said.stdout, said.stdout_left_out)
    log.output("err", said.stderr, said.stderr_left_out)


def _why_failed(result: CommandResult) -> str:
    """How a command failed; empty where it did not."""
    if result.status is None:
        return result.ended
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
