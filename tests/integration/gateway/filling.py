"""Many targets, made by the database itself: runs of equal size, and one that is larger than all of these."""

from __future__ import annotations

from uuid import UUID

from shared.postgres.pool import Connection

FILL = """
WITH made AS (
    SELECT run_id, campaign_id, number, n,
        (ARRAY['open', 'merged', 'failed', 'unchanged', 'prepared', 'blocked', 'draft', 'closed'])[1 + n % 8] AS state
    FROM (SELECT r.id AS run_id, r.campaign_id, row_number() OVER (ORDER BY r.id) AS number FROM runs r
          WHERE r.id = ANY($1)) run,
    generate_series(1, $2::int) n)
INSERT INTO targets (id, run_id, campaign_id, repository_node_id, repository_id, repository, installation_id,
    base_branch, branch, publish_as, state, review_state, checks_state, reason, warnings, batch,
    files_changed, additions, deletions, pull_request_number, pull_request_node_id, pull_request_url, released_at,
    updated_at)
SELECT uuidv7(), run_id, campaign_id, 'R_' || n, n, 'org-' || n % 50 || '/repository-' || n, n % 20, 'main',
    'octobatch/change', 'open', state,
    (ARRAY['none', 'pending', 'approved', 'changes_requested'])[1 + n % 4],
    (ARRAY['unknown', 'pending', 'passed', 'failed'])[1 + n % 4],
    CASE WHEN state = 'failed' THEN 'step 1: exit status 1' END,
    CASE WHEN n % 500 = 0 THEN '["protection: main is protected"]' ELSE '[]' END::jsonb, n / 100,
    1, n % 90, n % 7, CASE WHEN n % 3 > 0 THEN n END, CASE WHEN n % 3 > 0 THEN 'PR_' || number || '_' || n END,
    CASE WHEN n % 3 > 0 THEN 'https://github.example/pull/' || n END,
    now() - interval '2 days', now() - interval '1 day' - n * interval '1 second'
FROM made
"""
EVENTS = """
INSERT INTO events (id, run_id, target_id, type, payload, occurred_at, appended_at)
SELECT uuidv7(), run_id, id, 'target.' || state, '{}', updated_at, updated_at FROM targets WHERE run_id = ANY($1)
"""
ARTIFACTS = """
INSERT INTO artifacts (id, run_id, target_id, kind, key, size_bytes, sha256)
SELECT uuidv7(), run_id, id, 'log', 'logs/' || id, 10, '' FROM targets WHERE run_id = ANY($1)
"""
OPERATIONS = """
INSERT INTO operations (id, service, type, payload, dedupe_key, actor, run_id, target_id, state, appended_at)
SELECT uuidv7(), 'campaigns', 'prepare_target', '{}', 'prepare:' || id, 'key:test', run_id, id, 'succeeded', now()
FROM targets WHERE run_id = ANY($1)
"""


async def fill(conn: Connection, run_ids: list[UUID], *, targets_each: int) -> None:
    """Targets of these runs, each with an event, an operation and an artifact."""
    await conn.execute("SET statement_timeout = 0")
    for statement, more in ((FILL, [targets_each]), (EVENTS, []), (OPERATIONS, []), (ARTIFACTS, [])):
        await conn.execute(statement, run_ids, *more, timeout=1800)
