"""GitHub's webhooks: verified over the raw body, kept once, handled by a worker."""

from __future__ import annotations

import json
from typing import Annotated, Any, cast

from fastapi import APIRouter, Header, Request
from fastapi.responses import JSONResponse

from shared.domain import commands
from shared.domain.ids import InstallationId
from shared.errors import InvalidInput, NotAuthenticated
from shared.github.webhooks import changed_repositories, pushed_branch, service_for, signature_is_valid
from shared.postgres.pull_requests import ask_again_on_base
from shared.postgres.repository_changes import notice_changes
from shared.postgres.webhook_deliveries import insert_delivery

from .resources import Opened

router = APIRouter(tags=["webhooks"])


@router.post("/webhooks/github", status_code=202)
async def take_webhook(
    request: Request,
    resources: Opened,
    x_github_event: Annotated[str, Header(max_length=100)],
    x_github_delivery: Annotated[str, Header(max_length=100)],
    x_hub_signature_256: Annotated[str | None, Header()] = None,
) -> JSONResponse:
    """Takes in a delivery; GitHub's repetition of one changes nothing."""
    body = await request.body()
    secret = resources.settings.webhook_secret
    secrets = [secret.get_secret_value().encode()] if secret else []
    if not signature_is_valid(body, x_hub_signature_256, secrets=secrets):
        raise NotAuthenticated("the delivery's signature is not valid")
    payload = _payload(body)
    service = service_for(x_github_event)
    changed = changed_repositories(x_github_event, payload)
    pushed = pushed_branch(x_github_event, payload)
    if service is None and not changed and not pushed:
        return JSONResponse({"handled": False}, 202)
    installation: dict[str, Any] = payload.get("installation") or {}
    async with resources.outbox.transaction() as work:
        if changed and "id" in installation:
            await notice_changes(work.conn, InstallationId(installation["id"]), changed)
        if pushed:
            await ask_again_on_base(work.conn, *pushed)
        if service is None:
            return JSONResponse({"handled": True}, 202)
        await insert_delivery(
            work.conn,
            delivery_id=x_github_delivery,
            event=x_github_event,
            action=payload.get("action"),
            installation_id=installation.get("id"),
            payload=payload,
        )
        await work.accept(commands.handle_webhook(x_github_delivery, service=service))
    return JSONResponse({"handled": True}, 202)


def _payload(body: bytes) -> dict[str, Any]:
    try:
        payload: Any = json.loads(body)
    except ValueError:
        payload = None
    if not isinstance(payload, dict):
        raise InvalidInput("the delivery is not a JSON object; set the webhook's content type to application/json")
    return cast("dict[str, Any]", payload)
