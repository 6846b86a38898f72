"""`octobatch webhooks` as an administrator types it, and what arrives then."""

from __future__ import annotations

import json

from standardwebhooks.webhooks import Webhook

from tests.acceptance.conftest import RunningStack
from tests.integration.sandbox.receiver import receiving


def test_an_endpoint_is_created_and_pinged(stack: RunningStack) -> None:
    with receiving() as receiver:
        created = stack.octobatch("webhooks", "create", receiver.url, "-e", "run.*", "-o", "json")
        assert created.returncode == 0, created.stderr
        made = json.loads(created.stdout)
        pinged = stack.octobatch("webhooks", "ping", made["endpoint"]["id"])
        assert pinged.returncode == 0, pinged.stderr
        assert "the ping was taken" in pinged.stderr
        received = receiver.arrived.get(timeout=1)
        assert Webhook(made["secret"]).verify(received.content, received.headers)["type"] == "webhook.ping"
        stack.api("POST", f"/v1/webhook-endpoints/{made['endpoint']['id']}/pause")
