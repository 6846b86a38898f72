"""Logs as events: one line a fact, JSON for collectors or columns for people, never a secret.

    configure_logging(level="INFO", format="json", service="campaigns")
    log = structlog.stdlib.get_logger(__name__)
    log.info("target_prepared", run_id=…, repository=…, duration_ms=…)

What libraries log through `logging` goes the same way.
"""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog

from .redaction import redact_event
from .traces import add_trace_id

QUIET = ("httpx", "httpcore", "asyncio", "aiobotocore", "botocore", "urllib3", "arq")
"""Libraries that say at INFO what we log ourselves."""


def configure_logging(level: str, format: str, service: str) -> None:  # noqa: A002
    """Sets up logging for this process; `format` is `json` or `console`. Lines go to standard error."""
    before: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _AddService(service),
        add_trace_id,
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        redact_event,
    ]
    renderer: Any = (
        structlog.processors.JSONRenderer(default=str)
        if format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *before,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=before,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in QUIET:
        logging.getLogger(name).setLevel(max(logging.getLevelName(level), logging.WARNING))


class _AddService:
    """Says in every event which process it comes from."""

    def __init__(self, service: str) -> None:
        self._service = service

    def __call__(self, _logger: Any, _method: str, event: Any) -> Any:
        event["service"] = self._service
        return event
