"""What the API does, the command line does: each route has its command, or words that say why it needs none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cli.main import command_line
from cli.tree import leaves
from gateway.app import create_app
from shared.settings import GatewaySettings

DOCS = Path(__file__).parents[3] / "docs"

COMMANDS = {
    "GET /healthz": "health",
    "GET /v1/me": "whoami",
    "GET /v1/audit": "audit",
    "GET /v1/api-keys": "keys list",
    "POST /v1/api-keys": "keys create",
    "GET /v1/api-keys/{key_id}": "keys show",
    "POST /v1/api-keys/{key_id}/rotate": "keys rotate",
    "DELETE /v1/api-keys/{key_id}": "keys revoke",
    # campaigns and their specs
    "GET /v1/campaigns": "campaigns list",
    "PUT /v1/campaigns/{name}": "apply",
    "GET /v1/campaigns/{name}": "campaigns show",
    "DELETE /v1/campaigns/{name}": "campaigns delete",
    "POST /v1/campaigns/{name}/archive": "campaigns archive",
    "POST /v1/campaigns/{name}/unarchive": "campaigns unarchive",
    "POST /v1/campaigns/{name}/pause": "campaigns pause",
    "POST /v1/campaigns/{name}/resume": "campaigns resume",
    "POST /v1/campaigns/{name}/close": "campaigns close",
    "GET /v1/campaigns/{name}/versions": "campaigns versions",
    "GET /v1/campaigns/{name}/versions/{version}": "campaigns show",
    "GET /v1/campaigns/{name}/versions/{before}/diff/{after}": "campaigns diff",
    "GET /v1/campaigns/{name}/notifications": "notifications list",
    "POST /v1/campaigns/{name}/notifications/test": "notifications test",
    # runs
    "POST /v1/campaigns/{name}/runs": "run",
    "GET /v1/runs": "runs",
    "GET /v1/runs/{run_id}": "runs show",
    "POST /v1/runs/{run_id}/cancel": "cancel",
    "POST /v1/runs/{run_id}/pause": "pause",
    "POST /v1/runs/{run_id}/resume": "resume",
    "GET /v1/runs/{run_id}/events": "watch",
    "GET /v1/events": "events",
    "GET /v1/runs/{run_id}/progress": "runs progress",
    # targets
    "GET /v1/runs/{run_id}/targets": "targets",
    "GET /v1/runs/{run_id}/targets/export": "export",
    "GET /v1/targets/{target_id}": "target",
    "GET /v1/targets/{target_id}/events": "timeline",
    "GET /v1/targets/{target_id}/artifacts": "artifacts",
    "GET /v1/targets/{target_id}/artifacts/{kind}/download": "artifacts",
    "GET /v1/targets/{target_id}/{kind}": "diff",
    # bulk operations
    "POST /v1/runs/{run_id}/bulk-operations": "merge",
    "POST /v1/campaigns/{name}/bulk-operations": "merge",
    "GET /v1/bulk-operations": "bulk list",
    "GET /v1/bulk-operations/{bulk_operation_id}": "bulk show",
    "GET /v1/bulk-operations/{bulk_operation_id}/targets": "bulk targets",
    "POST /v1/bulk-operations/{bulk_operation_id}/cancel": "bulk cancel",
    # selections
    "POST /v1/selections": "selections create",
    "GET /v1/selections": "selections list",
    "GET /v1/selections/{selection_id}": "selections show",
    "POST /v1/selections/{selection_id}/cancel": "selections cancel",
    "POST /v1/selections/{selection_id}/repeat": "selections repeat",
    "GET /v1/selections/{selection_id}/events": "selections watch",
    "GET /v1/selections/{selection_id}/repositories": "selections repositories",
    "GET /v1/selections/{selection_id}/facets": "selections facets",
    "GET /v1/selections/{selection_id}/explain": "selections explain",
    "GET /v1/selections/{selection_id}/export": "selections export",
    "GET /v1/selections/{selection_id}/diff/{later_id}": "selections diff",
    "POST /v1/selections/{selection_id}/owners": "selections owners",
    "GET /v1/selections/{selection_id}/owners": "selections owners",
    "GET /v1/selections/{selection_id}/owners/summary": "selections owners",
    "POST /v1/selection-schedules": "selections schedule create",
    "GET /v1/selection-schedules": "selections schedule list",
    "GET /v1/selection-schedules/{name}": "selections schedule show",
    "DELETE /v1/selection-schedules/{name}": "selections schedule delete",
    "POST /v1/selection-schedules/{name}/pause": "selections schedule pause",
    "POST /v1/selection-schedules/{name}/resume": "selections schedule resume",
    # operations, installations, the App
    "GET /v1/operations/{operation_id}": "operations show",
    "GET /v1/runs/{run_id}/operations": "operations list",
    "GET /v1/installations": "installations",
    "POST /v1/installations/sync": "installations sync",
    "GET /v1/installations/{installation_id}": "installations show",
    "GET /v1/installations/{installation_id}/events": "installations events",
    "GET /v1/installations/{installation_id}/limits": "installations limits",
    "GET /v1/installations/indexes": "installations index",
    "GET /v1/installations/{installation_id}/index": "installations index",
    "POST /v1/installations/{installation_id}/index": "installations index",
    "GET /v1/github-app/check": "github-app check",
    # tokens and policies
    "POST /v1/tokens/installations/{installation_id}": "token",
    "POST /v1/tokens/installations/{installation_id}/dry-run": "tokens dry-run",
    "GET /v1/tokens": "tokens list",
    "GET /v1/tokens/audit": "tokens audit",
    "POST /v1/tokens/revoke": "tokens revoke",
    "GET /v1/policies": "policies list",
    "PUT /v1/policies": "policies apply",
    "POST /v1/policies/test": "policies test",
    "GET /v1/policies/{name}": "policies show",
    "DELETE /v1/policies/{name}": "policies delete",
    # streams
    "GET /v1/streams": "streams lag",
    "GET /v1/streams/{service}": "streams inspect",
    "GET /v1/streams/{service}/entries": "streams tail",
    "GET /v1/streams/{service}/pending": "streams pending",
    "GET /v1/streams/{service}/dead-letters": "streams dead-letters",
    "POST /v1/streams/{service}/replay": "streams replay",
    "POST /v1/streams/{service}/requeue": "streams requeue",
    "POST /v1/streams/{service}/purge": "streams purge",
    "POST /v1/streams/{service}/trim": "streams trim",
    # outgoing webhooks
    "POST /v1/webhook-endpoints": "webhooks create",
    "GET /v1/webhook-endpoints": "webhooks list",
    "GET /v1/webhook-endpoints/{endpoint_id}": "webhooks show",
    "PATCH /v1/webhook-endpoints/{endpoint_id}": "webhooks update",
    "DELETE /v1/webhook-endpoints/{endpoint_id}": "webhooks delete",
    "POST /v1/webhook-endpoints/{endpoint_id}/pause": "webhooks pause",
    "POST /v1/webhook-endpoints/{endpoint_id}/resume": "webhooks resume",
    "GET /v1/webhook-endpoints/{endpoint_id}/secret": "webhooks secret",
    "POST /v1/webhook-endpoints/{endpoint_id}/rotate-secret": "webhooks rotate-secret",
    "POST /v1/webhook-endpoints/{endpoint_id}/ping": "webhooks ping",
    "GET /v1/webhook-endpoints/{endpoint_id}/deliveries": "webhooks deliveries",
    "GET /v1/webhook-endpoints/{endpoint_id}/deliveries/{message_id}": "webhooks delivery",
    "POST /v1/webhook-endpoints/{endpoint_id}/deliveries/{message_id}/redeliver": "webhooks redeliver",
    "POST /v1/webhook-endpoints/{endpoint_id}/redeliver-dead": "webhooks redeliver",
    "GET /schemas/campaign-spec-v1.json": "spec schema",
}
"""A command that uses the route."""

WITHOUT = {
    "POST /v1/campaigns": "`apply` creates and changes alike, by PUT",
    "POST /v1/specs/validate": "`spec validate` checks by the same code on this machine, without a gateway",
    "GET /v1/tokens/installations/{installation_id}": "the POST beside it gives the same, and takes a scope",
    "POST /webhooks/github": "GitHub asks for it",
    "GET /livez": "for the kubelet",
    "GET /readyz": "for load balancers",
    "GET /metrics": "for Prometheus",
}
"""Why nobody needs a command for it."""


@pytest.fixture(scope="module")
def commands() -> dict[str, str]:
    """All commands, each with what its help ends with."""
    return {" ".join(leaf.path): leaf.epilog for leaf in leaves(command_line())}


def test_each_route_has_a_command_or_a_reason(commands: dict[str, str]) -> None:
    api = create_app(GatewaySettings.model_construct()).openapi()
    routes = {f"{method.upper()} {path}" for path, methods in api["paths"].items() for method in methods}
    assert routes - COMMANDS.keys() - WITHOUT.keys() == set(), "routes that the command line does not know"
    assert (COMMANDS.keys() | WITHOUT.keys()) - routes == set(), "routes that are gone"
    assert set(COMMANDS.values()) - commands.keys() == set(), "commands that are not there"


def test_each_group_and_each_command_that_stands_alone_shows_an_example() -> None:
    root = command_line()
    lacking = [
        name
        for name, command in root.commands.items()
        if not (command.epilog or any(below.epilog for below in getattr(command, "commands", {}).values()))
    ]
    assert lacking == []


def test_all_commands_stand_in_the_documentation() -> None:
    made = subprocess.run([sys.executable, DOCS / "commands_page.py"], capture_output=True, text=True, check=True)
    assert made.stdout == (DOCS / "commands.md").read_text(), "run: python docs/commands_page.py > docs/commands.md"
