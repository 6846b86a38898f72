"""The trace a piece of work belongs to: W3C trace context, carried from a request through commands to their effects.

Nothing is recorded here; an OpenTelemetry SDK, where one is configured, does that. Baggage is not carried: commands are
kept for long, and nobody knows what a caller put into it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import Any

from opentelemetry import context, trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_PROPAGATOR = TraceContextTextMapPropagator()


def current_trace() -> dict[str, str]:
    """The context of the present trace, as headers; empty where there is none."""
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier)
    return carrier


@contextmanager
def continued(carrier: Mapping[str, str] | None) -> Iterator[None]:
    """What is done in the block belongs to the trace of `carrier`; unreadable or missing headers begin none."""
    token = context.attach(_PROPAGATOR.extract(carrier or {}))
    try:
        yield
    finally:
        context.detach(token)


def add_trace_id(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: `trace_id` of what a line belongs to, as 32 hexadecimal digits."""
    present = trace.get_current_span().get_span_context()
    if present.is_valid:
        event["trace_id"] = trace.format_trace_id(present.trace_id)
    return event
