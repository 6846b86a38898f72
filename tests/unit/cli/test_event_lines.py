"""What `octobatch events` says of what happens."""

from __future__ import annotations

import json

import pytest
from httpx_sse import ServerSentEvent

from cli.event_lines import lines_of

RUN = {"run": {"id": "1", "campaign_name": "bump-go", "state": "running"}, "counts": {"open": 3, "failed": 1}}
STANDING = "bump-go  run 1 running: 3 open, 1 failed"
PULL_REQUEST = {"number": 1, "url": "https://github.example/acme/api/pull/1"}


@pytest.mark.parametrize(
    ("kind", "said", "lines"),
    [
        ("snapshot", {"runs": [RUN, RUN]}, [STANDING, STANDING]),
        ("snapshot", RUN, [STANDING]),
        ("progress", RUN, [STANDING]),
    ],
)
def test_runs_are_told_with_their_counts(kind: str, said: dict[str, object], lines: list[str]) -> None:
    assert lines_of(ServerSentEvent(event=kind, data=json.dumps(said))) == lines


@pytest.mark.parametrize(
    ("kind", "payload", "line"),
    [
        (
            "target.open",
            {"repository": "acme/api", "from": "publishing", "to": "open", "pull_request": PULL_REQUEST},
            f"acme/api  open {PULL_REQUEST['url']}",
        ),
        (
            "target.acted",
            {"repository": "acme/api", "action": "comment", "actor": "key:mona"},
            "acme/api  comment by key:mona",
        ),
        (
            "target.failed",
            {"repository": "acme/api", "reason": "step 1 ended with 1"},
            "acme/api  failed  step 1 ended with 1",
        ),
        ("run.paused", {"to": "running", "by": "key:mona"}, "run 1  paused by key:mona"),
        ("run.failed", {"to": "failed", "error": "no repositories"}, "run 1  failed  no repositories"),
    ],
)
def test_what_happened_is_a_line_with_its_time_first(kind: str, payload: dict[str, object], line: str) -> None:
    said = {"run_id": "1", "occurred_at": "2026-03-01T09:00:00+00:00", "payload": payload}
    [told] = lines_of(ServerSentEvent(event=kind, data=json.dumps(said)))
    assert told.partition("  ")[2] == line
