"""The campaign engine: batches, attempts, rollouts, bulk operations, hooks, results of steps, schedules."""

from migrations.script import execute_script

revision = "0006"
down_revision = "0005"

SCHEMA = """
ALTER TABLE targets
    ADD COLUMN attempt integer NOT NULL DEFAULT 1,
    ADD COLUMN batch integer NOT NULL DEFAULT 0,
    ADD COLUMN warnings jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN preview_target_id uuid REFERENCES targets,
    ADD COLUMN is_imported boolean NOT NULL DEFAULT false,
    ADD COLUMN released_at timestamptz,
    ADD COLUMN paused_from text,
    ADD COLUMN published_at timestamptz,
    ADD COLUMN decorated_at timestamptz,
    ADD COLUMN detached_at timestamptz;
CREATE INDEX targets_by_batch ON targets (run_id, installation_id, batch);
CREATE INDEX targets_waiting ON targets (run_id, id)
    WHERE state = 'prepared' AND publish_as <> 'none' AND released_at IS NULL;
CREATE INDEX targets_to_decorate ON targets (id) WHERE pull_request_node_id IS NOT NULL AND decorated_at IS NULL;
DROP INDEX targets_to_follow;
CREATE INDEX targets_to_follow ON targets (checked_at NULLS FIRST, id)
    WHERE pull_request_node_id IS NOT NULL AND state <> 'merged';
CREATE INDEX targets_by_campaign_and_state ON targets (campaign_id, state);

ALTER TABLE runs
    ADD COLUMN preview_run_id uuid REFERENCES runs,
    ADD COLUMN moved text NOT NULL DEFAULT 'block' CHECK (moved IN ('block', 'prepare')),
    ADD COLUMN paused_at timestamptz,
    ADD COLUMN paused_by text,
    ADD COLUMN waits_for jsonb,
    ADD COLUMN most_failures integer,
    ADD COLUMN is_scheduled boolean NOT NULL DEFAULT false,
    ADD COLUMN release_at timestamptz;

ALTER TABLE runs ADD COLUMN artifacts_deleted_at timestamptz;
CREATE INDEX artifacts_by_run ON artifacts (run_id);
CREATE INDEX artifacts_by_key ON artifacts (key);

ALTER TABLE campaigns
    ADD COLUMN next_run_at timestamptz,
    ADD COLUMN closed_at timestamptz;
CREATE INDEX campaigns_by_next_run ON campaigns (next_run_at) WHERE next_run_at IS NOT NULL AND state = 'active';

CREATE TABLE bulk_operations (
    id uuid PRIMARY KEY,
    campaign_id uuid NOT NULL REFERENCES campaigns ON DELETE CASCADE,
    run_id uuid REFERENCES runs ON DELETE CASCADE,
    action text NOT NULL,
    parameters jsonb NOT NULL DEFAULT '{}',
    filter jsonb NOT NULL DEFAULT '{}',
    state text NOT NULL CHECK (state IN ('running', 'completed', 'cancelled')),
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz
);
CREATE INDEX bulk_operations_by_campaign ON bulk_operations (campaign_id, id DESC);

CREATE TABLE bulk_targets (
    bulk_operation_id uuid NOT NULL REFERENCES bulk_operations ON DELETE CASCADE,
    target_id uuid NOT NULL REFERENCES targets ON DELETE CASCADE,
    state text NOT NULL CHECK (state IN ('pending', 'done', 'skipped', 'failed', 'cancelled')),
    reason text,
    finished_at timestamptz,
    PRIMARY KEY (bulk_operation_id, target_id)
);
CREATE INDEX bulk_targets_by_state ON bulk_targets (bulk_operation_id, state);

CREATE TABLE hook_firings (
    target_id uuid NOT NULL REFERENCES targets ON DELETE CASCADE,
    hook text NOT NULL,
    head_oid text NOT NULL,
    fired_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (target_id, hook, head_oid)
);

CREATE TABLE step_results (
    key text PRIMARY KEY,
    size_bytes bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    used_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX step_results_by_use ON step_results (used_at);
"""


def upgrade() -> None:
    execute_script(SCHEMA)
