"""Notifications as a user has them: a spec, a secret beside the workers, and what arrives."""

from __future__ import annotations

import json
from pathlib import Path

from tests.acceptance.conftest import RunningStack
from tests.integration.sandbox.receiver import receiving

NOTIFICATIONS = """limit: 1
notifications:
  - slack: {url: {secret: acceptance}}
    when: runCompleted
  - email: {to: platform@acme.example}
    when: runFailed
"""


def test_a_channel_is_tried_and_told_when_the_run_is_done(stack: RunningStack, spec: Path) -> None:
    spec.write_text(spec.read_text() + NOTIFICATIONS)
    name = spec.stem
    with receiving() as receiver:
        (stack.folder.path / "notification-secrets" / "acceptance").write_text(receiver.url)
        applied = stack.octobatch("apply", "--file", str(spec), "--output", "json")
        assert applied.returncode == 0, applied.stderr
        done = receiver.arrived.get(timeout=60)
        assert done.body["text"] == f"{name}: the run is done: 1 open"
        assert f"{stack.stack.url}/ui/runs/{json.loads(applied.stdout)['id']}|open>" in done.content.decode()

        tried = stack.octobatch("notifications", "test", name)
        assert tried.returncode == 1
        assert "not everybody was reached" in tried.stderr
        assert "OCTOBATCH_SMTP_URL is not set" in tried.stdout
        assert receiver.arrived.get(timeout=10).body["text"].startswith(f"{name}: this is a test that key:")
    log = json.loads(stack.octobatch("notifications", "list", name, "--state", "delivered", "-o", "json").stdout)
    assert [each["notices"][0]["moment"] for each in log] == ["test", "runCompleted"]
    assert receiver.url not in json.dumps(log)
    assert not [log for log in stack.folder.logs.iterdir() if receiver.url in log.read_text(errors="replace")]
