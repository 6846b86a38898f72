"""The table of who may do what: every route of the gateway has its line here, or the gateway does not start.

A line says what a route needs, and where the namespace comes from that the role is needed in. Who may not even see the
thing that a route is about is told that there is none.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from shared.domain.roles import KeyScope, Role

_AUTHOR, _OPERATOR, _ADMIN = Role.AUTHOR, Role.OPERATOR, Role.ADMIN


class Of(StrEnum):
    """Where the namespace comes from that a role is needed in."""

    ANYONE = "anyone"
    """No credential is needed."""
    ITSELF = "itself"
    """Any credential will do: the route is about who asks."""
    SOME = "some"
    """Any namespace will do: the route shows only what the principal may see (`Principal.namespaces`)."""
    ALL = "all"
    """What belongs to no namespace: the role is needed for `*`."""
    POLICIES = "policies"
    """Trust policies decide, and no role."""
    SPEC = "spec"
    """The spec in the body, that of the campaign which it changes, and those of what it selects from."""
    CAMPAIGN = "campaign"
    RUN = "run"
    TARGET = "target"
    SELECTION = "selection"
    SELECTION_SCHEDULE = "selection schedule"
    BULK_OPERATION = "bulk operation"
    OPERATION = "operation"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What a route needs. A page (`page`) takes a session alone, and sends who has none to sign in."""

    of: Of
    role: Role = Role.VIEWER
    scope: KeyScope = KeyScope.READ
    page: bool = False


def _reads(of: Of, role: Role = Role.VIEWER) -> Rule:
    return Rule(of=of, role=role)


def _writes(of: Of, role: Role) -> Rule:
    return Rule(of=of, role=role, scope=KeyScope.WRITE)


def _page(of: Of, role: Role = Role.VIEWER) -> Rule:
    return Rule(of=of, role=role, page=True)


_PUBLIC = Rule(of=Of.ANYONE)
_TOKEN = Rule(of=Of.POLICIES, scope=KeyScope.TOKENS)

RULES: dict[str, Rule] = {
    # what others than clients of the API ask for; GitHub signs its webhooks
    "GET /livez": _PUBLIC,
    "GET /healthz": _PUBLIC,
    "GET /readyz": _PUBLIC,
    "GET /metrics": _PUBLIC,
    "GET /docs": _PUBLIC,
    "GET /openapi.json": _PUBLIC,
    "GET /schemas/campaign-spec-v1.json": _PUBLIC,
    "GET /problems": _PUBLIC,
    "GET /problems/{name}": _PUBLIC,
    "* /assets": _PUBLIC,
    "POST /webhooks/github": _PUBLIC,
    # pages
    "GET /ui/sign-in": Rule(of=Of.ANYONE, page=True),
    "POST /ui/sign-in": Rule(of=Of.ANYONE, page=True, scope=KeyScope.WRITE),
    "GET /ui/sign-in/oidc": Rule(of=Of.ANYONE, page=True),
    "GET /ui/sign-in/oidc/callback": Rule(of=Of.ANYONE, page=True),
    "POST /ui/sign-out": Rule(of=Of.ITSELF, page=True, scope=KeyScope.WRITE),
    "GET /": _page(Of.SOME),
    "GET /ui/campaigns/{name}": _page(Of.CAMPAIGN),
    "GET /ui/campaigns/{name}/runs": _page(Of.CAMPAIGN),
    "GET /ui/campaigns/{name}/spec": _page(Of.CAMPAIGN),
    "GET /ui/campaigns/{name}/edit": _page(Of.CAMPAIGN),
    "GET /ui/new-campaign": _page(Of.SOME),
    "GET /ui/runs/{run_id}": _page(Of.RUN),
    "GET /ui/runs/{run_id}/standing": _page(Of.RUN),
    "GET /ui/runs/{run_id}/targets": _page(Of.RUN),
    "GET /ui/targets": _page(Of.SOME),
    "GET /ui/targets/{target_id}/diff/{index}": _page(Of.TARGET),
    "GET /ui/selections": _page(Of.SOME),
    "GET /ui/selections/{selection_id}": _page(Of.SELECTION),
    "GET /ui/selections/{selection_id}/diff/{later_id}": _page(Of.SELECTION),
    "GET /ui/installations": _page(Of.ALL),
    "GET /ui/installations/{installation_id}": _page(Of.ALL),
    "GET /ui/health": _page(Of.ALL),
    "GET /ui/api-keys": _page(Of.ALL, _ADMIN),
    "GET /ui/audit": _page(Of.ALL, _ADMIN),
    "GET /ui/me": _page(Of.ITSELF),
    "GET /ui/streams": _page(Of.ALL, _OPERATOR),
    "GET /ui/streams/{service}": _page(Of.ALL, _OPERATOR),
    "GET /ui/tokens": _page(Of.ALL, _OPERATOR),
    "GET /ui/tokens/audit": _page(Of.ALL, _OPERATOR),
    "GET /ui/policies": _page(Of.ALL, _OPERATOR),
    "GET /ui/webhooks": _page(Of.ALL, _ADMIN),
    "GET /ui/webhooks/{endpoint_id}": _page(Of.ALL, _ADMIN),
    "GET /ui/webhooks/{endpoint_id}/deliveries/{message_id}": _page(Of.ALL, _ADMIN),
    "GET /ui/bulk-operations": _page(Of.SOME),
    "GET /ui/bulk-operations/{bulk_id}": _page(Of.BULK_OPERATION),
    "GET /ui/targets/{target_id}": _page(Of.TARGET),
    "GET /v1/me": _reads(Of.ITSELF),
    # campaigns
    "GET /v1/campaigns": _reads(Of.SOME),
    "POST /v1/campaigns": _writes(Of.SPEC, _AUTHOR),
    "GET /v1/campaigns/{name}": _reads(Of.CAMPAIGN),
    "PUT /v1/campaigns/{name}": _writes(Of.SPEC, _AUTHOR),
    "DELETE /v1/campaigns/{name}": _writes(Of.CAMPAIGN, _AUTHOR),
    "GET /v1/campaigns/{name}/versions": _reads(Of.CAMPAIGN),
    "GET /v1/campaigns/{name}/versions/{version}": _reads(Of.CAMPAIGN),
    "GET /v1/campaigns/{name}/versions/{before}/diff/{after}": _reads(Of.CAMPAIGN),
    "GET /v1/campaigns/{name}/notifications": _reads(Of.CAMPAIGN),
    "POST /v1/campaigns/{name}/notifications/test": _writes(Of.CAMPAIGN, _AUTHOR),
    "POST /v1/campaigns/{name}/archive": _writes(Of.CAMPAIGN, _OPERATOR),
    "POST /v1/campaigns/{name}/unarchive": _writes(Of.CAMPAIGN, _OPERATOR),
    "POST /v1/campaigns/{name}/pause": _writes(Of.CAMPAIGN, _OPERATOR),
    "POST /v1/campaigns/{name}/resume": _writes(Of.CAMPAIGN, _OPERATOR),
    "POST /v1/campaigns/{name}/close": _writes(Of.CAMPAIGN, _OPERATOR),
    "POST /v1/campaigns/{name}/runs": _writes(Of.CAMPAIGN, _AUTHOR),
    "POST /v1/campaigns/{name}/bulk-operations": _writes(Of.CAMPAIGN, _OPERATOR),
    "POST /v1/specs/validate": _reads(Of.SOME),
    # runs and targets
    "GET /v1/runs": _reads(Of.SOME),
    "GET /v1/runs/{run_id}": _reads(Of.RUN),
    "GET /v1/runs/{run_id}/targets": _reads(Of.RUN),
    "GET /v1/runs/{run_id}/targets/export": _reads(Of.RUN),
    "GET /v1/runs/{run_id}/progress": _reads(Of.RUN),
    "GET /v1/runs/{run_id}/operations": _reads(Of.RUN),
    "GET /v1/runs/{run_id}/events": _reads(Of.RUN),
    "GET /v1/events": _reads(Of.ALL),
    "POST /v1/runs/{run_id}/cancel": _writes(Of.RUN, _OPERATOR),
    "POST /v1/runs/{run_id}/pause": _writes(Of.RUN, _OPERATOR),
    "POST /v1/runs/{run_id}/resume": _writes(Of.RUN, _OPERATOR),
    "POST /v1/runs/{run_id}/bulk-operations": _writes(Of.RUN, _OPERATOR),
    "GET /v1/targets/{target_id}": _reads(Of.TARGET),
    "GET /v1/targets/{target_id}/artifacts": _reads(Of.TARGET),
    "GET /v1/targets/{target_id}/artifacts/{kind}/download": _reads(Of.TARGET),
    "GET /v1/targets/{target_id}/events": _reads(Of.TARGET),
    "GET /v1/targets/{target_id}/{kind}": _reads(Of.TARGET),
    # bulk operations and operations
    "GET /v1/bulk-operations": _reads(Of.SOME),
    "GET /v1/bulk-operations/{bulk_operation_id}": _reads(Of.BULK_OPERATION),
    "GET /v1/bulk-operations/{bulk_operation_id}/targets": _reads(Of.BULK_OPERATION),
    "POST /v1/bulk-operations/{bulk_operation_id}/cancel": _writes(Of.BULK_OPERATION, _OPERATOR),
    "GET /v1/operations/{operation_id}": _reads(Of.OPERATION),
    # selections
    "GET /v1/selections": _reads(Of.SOME),
    "POST /v1/selections": _writes(Of.SPEC, _AUTHOR),
    "GET /v1/selections/{selection_id}": _reads(Of.SELECTION),
    "GET /v1/selections/{selection_id}/repositories": _reads(Of.SELECTION),
    "GET /v1/selections/{selection_id}/facets": _reads(Of.SELECTION),
    "GET /v1/selections/{selection_id}/explain": _reads(Of.SELECTION),
    "GET /v1/selections/{selection_id}/export": _reads(Of.SELECTION),
    "GET /v1/selections/{selection_id}/diff/{later_id}": _reads(Of.SELECTION),
    "GET /v1/selections/{selection_id}/events": _reads(Of.SELECTION),
    "POST /v1/selections/{selection_id}/cancel": _writes(Of.SELECTION, _AUTHOR),
    "POST /v1/selections/{selection_id}/repeat": _writes(Of.SELECTION, _AUTHOR),
    "GET /v1/selections/{selection_id}/owners": _reads(Of.SELECTION),
    "POST /v1/selections/{selection_id}/owners": _writes(Of.SELECTION, _AUTHOR),
    "GET /v1/selections/{selection_id}/owners/summary": _reads(Of.SELECTION),
    "GET /v1/selection-schedules": _reads(Of.SOME),
    "POST /v1/selection-schedules": _writes(Of.SPEC, _AUTHOR),
    "GET /v1/selection-schedules/{name}": _reads(Of.SELECTION_SCHEDULE),
    "POST /v1/selection-schedules/{name}/pause": _writes(Of.SELECTION_SCHEDULE, _AUTHOR),
    "POST /v1/selection-schedules/{name}/resume": _writes(Of.SELECTION_SCHEDULE, _AUTHOR),
    "DELETE /v1/selection-schedules/{name}": _writes(Of.SELECTION_SCHEDULE, _AUTHOR),
    # installations and their tokens
    "GET /v1/installations": _reads(Of.ALL),
    "POST /v1/installations/sync": _writes(Of.ALL, _OPERATOR),
    "GET /v1/installations/indexes": _reads(Of.ALL),
    "GET /v1/installations/{installation_id}": _reads(Of.ALL),
    "GET /v1/installations/{installation_id}/limits": _reads(Of.ALL),
    "GET /v1/installations/{installation_id}/events": _reads(Of.ALL),
    "GET /v1/installations/{installation_id}/index": _reads(Of.ALL),
    "POST /v1/installations/{installation_id}/index": _writes(Of.ALL, _OPERATOR),
    "GET /v1/github-app/check": _reads(Of.ALL),
    "GET /v1/tokens/installations/{installation_id}": _TOKEN,
    "POST /v1/tokens/installations/{installation_id}": _TOKEN,
    "POST /v1/tokens/installations/{installation_id}/dry-run": _TOKEN,
    "GET /v1/tokens": _reads(Of.ALL, _OPERATOR),
    "GET /v1/tokens/audit": _reads(Of.ALL, _OPERATOR),
    "POST /v1/tokens/revoke": _writes(Of.ALL, _OPERATOR),
    # what admins and operators of everything do
    "GET /v1/policies": _reads(Of.ALL, _OPERATOR),
    "PUT /v1/policies": _writes(Of.ALL, _ADMIN),
    "POST /v1/policies/test": _reads(Of.ALL, _OPERATOR),
    "GET /v1/policies/{name}": _reads(Of.ALL, _OPERATOR),
    "DELETE /v1/policies/{name}": _writes(Of.ALL, _ADMIN),
    "GET /v1/streams": _reads(Of.ALL),
    "GET /v1/streams/{service}": _reads(Of.ALL),
    "GET /v1/streams/{service}/entries": _reads(Of.ALL, _OPERATOR),
    "GET /v1/streams/{service}/pending": _reads(Of.ALL, _OPERATOR),
    "GET /v1/streams/{service}/dead-letters": _reads(Of.ALL, _OPERATOR),
    "POST /v1/streams/{service}/replay": _writes(Of.ALL, _OPERATOR),
    "POST /v1/streams/{service}/requeue": _writes(Of.ALL, _OPERATOR),
    "POST /v1/streams/{service}/purge": _writes(Of.ALL, _ADMIN),
    "POST /v1/streams/{service}/trim": _writes(Of.ALL, _OPERATOR),
    "GET /v1/audit": _reads(Of.ALL, _ADMIN),
    "GET /v1/api-keys": _reads(Of.ALL, _ADMIN),
    "POST /v1/api-keys": _writes(Of.ALL, _ADMIN),
    "GET /v1/api-keys/{key_id}": _reads(Of.ALL, _ADMIN),
    "DELETE /v1/api-keys/{key_id}": _writes(Of.ALL, _ADMIN),
    "POST /v1/api-keys/{key_id}/rotate": _writes(Of.ALL, _ADMIN),
    "GET /v1/webhook-endpoints": _reads(Of.ALL, _ADMIN),
    "POST /v1/webhook-endpoints": _writes(Of.ALL, _ADMIN),
    "GET /v1/webhook-endpoints/{endpoint_id}": _reads(Of.ALL, _ADMIN),
    "PATCH /v1/webhook-endpoints/{endpoint_id}": _writes(Of.ALL, _ADMIN),
    "DELETE /v1/webhook-endpoints/{endpoint_id}": _writes(Of.ALL, _ADMIN),
    "POST /v1/webhook-endpoints/{endpoint_id}/pause": _writes(Of.ALL, _ADMIN),
    "POST /v1/webhook-endpoints/{endpoint_id}/resume": _writes(Of.ALL, _ADMIN),
    "GET /v1/webhook-endpoints/{endpoint_id}/secret": _writes(Of.ALL, _ADMIN),
    "POST /v1/webhook-endpoints/{endpoint_id}/rotate-secret": _writes(Of.ALL, _ADMIN),
    "POST /v1/webhook-endpoints/{endpoint_id}/ping": _writes(Of.ALL, _ADMIN),
    "GET /v1/webhook-endpoints/{endpoint_id}/deliveries": _reads(Of.ALL, _ADMIN),
    "GET /v1/webhook-endpoints/{endpoint_id}/deliveries/{message_id}": _reads(Of.ALL, _ADMIN),
    "POST /v1/webhook-endpoints/{endpoint_id}/deliveries/{message_id}/redeliver": _writes(Of.ALL, _ADMIN),
    "POST /v1/webhook-endpoints/{endpoint_id}/redeliver-dead": _writes(Of.ALL, _ADMIN),
}
"""By method and path; `*` stands for the methods of what is mounted."""
