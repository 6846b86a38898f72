"""Something of everything, for requests that name what there is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx

from gateway.schemas import EXAMPLE_SPEC
from shared.blobs.folder import FolderStore
from shared.domain.artifact import ArtifactKind, new_artifact
from shared.outbox import Outbox
from shared.postgres import artifacts
from shared.postgres.pool import Pool
from tests.integration.campaigns.rows import Rows
from tests.integration.gateway.test_selections import make_selected, store


async def seed(pool: Pool, outbox: Outbox, client: httpx.AsyncClient, blobs_folder: Path, login: str) -> dict[str, Any]:
    """Path parameters by name, with values of which something exists."""
    rows = Rows(pool, outbox)
    campaign_id = await rows.campaign()
    ended, running = [await rows.run(campaign_id, state=state) for state in ("completed", "running")]
    targets = [
        await rows.target(run_id, campaign_id, number=number, state=state)
        for run_id in (ended, running)
        for number, state in enumerate(("open", "failed", "prepared", "merged"))
    ]
    for kind in ArtifactKind:
        new = new_artifact(ended, targets[0].id, kind, b"{}")
        await FolderStore(blobs_folder).put(new.key, new.stored, media_type=kind.media_type)
        async with pool.acquire() as conn:
            await artifacts.upsert_artifacts(conn, [new])
    selections = [await store(pool, [make_selected(number) for number in range(3)]) for _ in range(2)]
    documents = [EXAMPLE_SPEC.replace("org: acme", f"org: {login}").replace("add-", f"{n}-") for n in ("a", "b", "c")]

    async def made(path: str, **body: Any) -> Any:
        answer = await client.post(path, json=body)
        assert answer.is_success, answer.text
        return answer.json()

    campaign = await made("/v1/campaigns", document=documents[0])
    run = await made(f"/v1/campaigns/{campaign['name']}/runs", dry_run=True)
    schedule = await made("/v1/selection-schedules", name="nightly", cron="0 3 * * *", document=documents[0])
    endpoint = await made("/v1/webhook-endpoints", url="https://hooks.example/octobatch", events=["*"])
    message = await made(f"/v1/webhook-endpoints/{endpoint['endpoint']['id']}/ping")
    bulk = await made(f"/v1/runs/{ended}/bulk-operations", action="comment", parameters={"body": "Hello"}, filter={})
    installations = (await client.get("/v1/installations")).json()["items"]
    return {
        "campaigns": [campaign["name"], "notice"],
        "selection-schedules": [schedule["name"]],
        "run_id": [str(ended), str(running), run["run"]["id"]],
        "ended_run_id": [str(ended)],
        "target_id": [str(target.id) for target in targets],
        "selection_id": selections,
        "ended_selection_id": selections,
        "later_id": selections,
        "operation_id": [run["operation"]["id"]],
        "bulk_operation_id": [bulk["bulk_operation"]["id"]],
        "installation_id": [each["id"] for each in installations],
        "endpoint_id": [endpoint["endpoint"]["id"]],
        "message_id": [message["id"]],
        "version": [1],
        "before": [1],
        "after": [1],
        "document": documents,
    }
