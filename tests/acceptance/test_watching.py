"""Following a run by Server-Sent Events: what a watcher gets who loses the connection."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import httpx_sse

from tests.acceptance.conftest import REPOSITORIES, RunningStack


def _watch(stack: RunningStack, run: str, *, after: str | None = None, leave_after: int | None = None) -> list[Any]:
    headers = {"Authorization": f"Bearer {stack.folder.api_key()}"} | ({"Last-Event-ID": after} if after else {})
    heard: list[Any] = []
    with (
        httpx.Client(timeout=60, headers=headers) as client,
        httpx_sse.connect_sse(client, "GET", f"{stack.stack.url}/v1/runs/{run}/events") as source,
    ):
        for event in source.iter_sse():
            heard.append(event)
            if len(heard) == leave_after:
                break
    return heard


def test_a_watcher_that_comes_back_gets_what_it_missed_and_nothing_twice(stack: RunningStack, spec: Path) -> None:
    run = json.loads(stack.octobatch("apply", "--file", str(spec), "--no-watch", "--output", "json").stdout)["id"]
    first = _watch(stack, run, leave_after=4)
    assert first[0].event == "snapshot"
    rest = _watch(stack, run, after=first[-1].id)
    assert rest[-1].event == "end"
    assert rest[0].event != "snapshot"
    told = [event for event in (*first, *rest) if event.event not in ("snapshot", "end")]
    ids = [json.loads(event.data)["id"] for event in told]
    assert len(ids) == len(set(ids))
    snapshots = [event for event in (*first, *rest) if event.event == "snapshot"]

    at_once = _watch(stack, run)
    assert [event.event for event in at_once] == ["snapshot", "end"]
    assert json.loads(at_once[0].data)["counts"] == {"open": REPOSITORIES}
    opened = [event for event in told if event.event == "target.open"]
    already_open = json.loads(snapshots[-1].data)["counts"].get("open", 0)
    assert len(opened) + already_open == REPOSITORIES


def test_a_position_that_is_none_of_ours_begins_with_a_snapshot(stack: RunningStack, spec: Path) -> None:
    stack.octobatch("apply", "--file", str(spec))
    run = stack.api("GET", "/v1/runs", params={"campaign": spec.stem})["items"][0]["id"]
    assert [event.event for event in _watch(stack, run, after="not-a-position")] == ["snapshot", "end"]
