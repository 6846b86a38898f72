"""Takes secrets out of text: GitHub's tokens, private keys, our API keys, secrets of webhooks, passwords in URLs."""

from __future__ import annotations

import re
from collections.abc import Mapping, MutableMapping
from typing import Any

REDACTED = "[redacted]"

_SECRETS = re.compile(
    r"""
    \bgh[a-z]_[A-Za-z0-9_.-]{4,}                                # ghs_, ghp_, gho_, …: GitHub's tokens
    | \bgithub_pat_[A-Za-z0-9_]{4,}
    | \bv1\.[0-9a-f]{8,}\w*                                      # installation tokens of old GHES
    | \bobk_[A-Za-z0-9_-]{4,}                                   # our API keys
    | \bwhsec_[A-Za-z0-9+/=]{4,}                                 # secrets of outgoing webhooks
    | \beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+    # JWTs
    | -----BEGIN\ [A-Z ]+-----.*?(?:-----END\ [A-Z ]+-----|\Z)  # PEM blocks, cut short ones too
    | (?<=://)[^/\s:@]*:[^/\s@]+(?=@)                           # user:password of a URL
    """,
    re.VERBOSE | re.DOTALL,
)


def redact(text: str) -> str:
    """`text` with every secret in it replaced."""
    return _SECRETS.sub(REDACTED, text)


def redact_event(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: redacts every value of an event, however deep."""
    for name, value in event.items():
        event[name] = _redact_value(value)
    return event


def _redact_value(value: Any) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, bytes):
        return redact(value.decode(errors="replace"))
    if isinstance(value, Mapping):
        items: Mapping[Any, Any] = value  # pyright: ignore[reportUnknownVariableType]
        return {key: _redact_value(inner) for key, inner in items.items()}
    if isinstance(value, list | tuple | set | frozenset):
        values: list[Any] = list(value)  # pyright: ignore[reportUnknownArgumentType]
        return [_redact_value(inner) for inner in values]
    if value is None or isinstance(value, bool | int | float):
        return value
    return redact(str(value))
