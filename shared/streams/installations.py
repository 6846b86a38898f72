"""What the tokens worker is asked about installations, beside tokens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..domain.operation import Service
from .requests import Requests
from .token_errors import error_from_answer

SYNC_INSTALLATIONS = "sync_installations"
CHECK_APP = "check_app"
DRY_RUN_SCOPE = "dry_run_scope"

TIMEOUT_SECONDS = 40.0


async def ask_about_installations(requests: Requests, type: str, payload: Mapping[str, Any]) -> dict[str, Any]:  # noqa: A002
    """The tokens worker's answer; raises the error that it answers with, and `Unavailable` where none answers."""
    answer = await requests.ask(Service.TOKENS, type, payload, timeout_seconds=TIMEOUT_SECONDS)
    if "error" in answer:
        raise error_from_answer(answer["error"])
    return answer
