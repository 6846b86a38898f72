"""What a spec asks for that this deployment does not have, said before anything is begun."""

from __future__ import annotations

from shared.domain.spec import RunStep, parse_version
from shared.errors import InvalidSpec, Problem


def check_containers(document: str, *, mode: str) -> None:
    """Raises `InvalidSpec`, with each step that asks for a container, where steps run on workers alone."""
    if mode == "kubernetes":
        return
    steps = enumerate(parse_version(document).steps)
    asking = [index for index, step in steps if isinstance(step, RunStep) and step.container]
    if asking:
        hint = "leave it out, or deploy with OCTOBATCH_RUN_STEPS_MODE=kubernetes"
        raise InvalidSpec(
            [
                Problem(
                    f"step {index + 1} asks for a container, and there is no Kubernetes here",
                    path=f"steps.{index}.container",
                    hint=hint,
                )
                for index in asking
            ]
        )
