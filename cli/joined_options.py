"""Options that several commands have, declared once.

    def target_filter(states: States = None, group: Group = None) -> TargetFilter: ...

    @with_options_of(wanted=target_filter)
    def targets(run: OptionalRun, wanted: TargetFilter, output: Output = OutputFormat.TABLE) -> None: ...

The command then has `--state`, `--group` and `--output`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any


def with_options_of(**parts: Callable[..., Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Has a command take the options of a function in the place of a parameter, and gives it what that makes of it."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        own = inspect.signature(command, eval_str=True).parameters
        options_of = {name: inspect.signature(part, eval_str=True).parameters for name, part in parts.items()}

        def joined(**options: Any) -> None:
            made = {name: parts[name](**{option: options[option] for option in options_of[name]}) for name in parts}
            command(**made, **{name: options[name] for name in own if name not in parts})

        every = [option for name, each in own.items() for option in options_of.get(name, {name: each}).values()]
        keyword_only = [option.replace(kind=inspect.Parameter.KEYWORD_ONLY) for option in every]
        joined.__signature__ = inspect.Signature(keyword_only)  # pyright: ignore[reportFunctionMemberAccess]
        joined.__annotations__ = {}
        joined.__name__, joined.__doc__ = command.__name__, command.__doc__
        return joined

    return decorate
