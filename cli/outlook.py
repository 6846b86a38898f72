"""What a run waits for and when it is expected to be done: asked for beside its events, which say neither."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from typing import Any

from .client import Gateway
from .failures import CommandFailed
from .output import moment

ASK_SECONDS = 5.0
WORTH_SAYING = timedelta(minutes=1)


def outlook_lines(run: dict[str, Any]) -> list[str]:
    """`waits: …` for each thing that the run waits for, and when it is expected to be done where that is not soon."""
    lines = [f"waits: {each['text']}" for each in run.get("waits_for", ())]
    expected_at = run.get("expected_at")
    if expected_at and datetime.fromisoformat(expected_at) - datetime.now(UTC) > WORTH_SAYING:
        lines.append(f"expected to be done at {moment(expected_at)}")
    return lines


def same_outlook(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether both wait for the same; what moves from second to second does not count."""
    return _kinds(one) == _kinds(other)


def _kinds(run: dict[str, Any]) -> list[tuple[str, str]]:
    return [(each["kind"], each["text"].partition(", next slot")[0]) for each in run.get("waits_for", ())]


@contextmanager
def asking_for_outlook(gateway: Gateway, run_id: str, told: Callable[[dict[str, Any]], None]) -> Iterator[None]:
    """Tells the run every few seconds, from a thread of its own, while the block runs."""
    ended = Event()

    def ask() -> None:
        while not ended.is_set():
            with suppress(CommandFailed):  # whoever follows the events says so
                told(gateway.get(f"/runs/{run_id}"))
            ended.wait(ASK_SECONDS)

    thread = Thread(target=ask, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
