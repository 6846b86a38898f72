"""Campaigns, selections, runs, targets, artifacts, operations, installations, token grants, events."""

from migrations.script import execute_script

revision = "0001"
down_revision = None

SCHEMA = """
CREATE TABLE api_keys (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    prefix text NOT NULL UNIQUE,
    digest bytea NOT NULL UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    last_used_at timestamptz,
    revoked_at timestamptz
);

CREATE TABLE campaigns (
    id uuid PRIMARY KEY,
    name text NOT NULL UNIQUE,
    description text NOT NULL,
    state text NOT NULL CHECK (state IN ('active', 'archived')),
    current_version integer NOT NULL,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    archived_at timestamptz
);

CREATE TABLE spec_versions (
    campaign_id uuid NOT NULL REFERENCES campaigns ON DELETE CASCADE,
    version integer NOT NULL CHECK (version > 0),
    document text NOT NULL,
    sha256 text NOT NULL,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (campaign_id, version)
);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% rows are immutable', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE TRIGGER spec_versions_are_immutable BEFORE UPDATE ON spec_versions
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TABLE selections (
    id uuid PRIMARY KEY,
    campaign_id uuid REFERENCES campaigns ON DELETE CASCADE,
    run_id uuid,
    document text NOT NULL,
    state text NOT NULL CHECK (state IN ('pending', 'selecting', 'complete', 'failed', 'cancelled')),
    included integer NOT NULL DEFAULT 0,
    excluded integer NOT NULL DEFAULT 0,
    error text,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz
);

CREATE TABLE selection_repositories (
    selection_id uuid NOT NULL REFERENCES selections ON DELETE CASCADE,
    position integer NOT NULL,
    node_id text NOT NULL,
    database_id bigint NOT NULL,
    name_with_owner text NOT NULL,
    default_branch text,
    branch text NOT NULL,
    head_oid text,
    installation_id bigint NOT NULL,
    is_archived boolean NOT NULL,
    is_fork boolean NOT NULL,
    is_private boolean NOT NULL,
    included boolean NOT NULL,
    entry integer NOT NULL,
    reason text NOT NULL,
    PRIMARY KEY (selection_id, node_id, branch),
    UNIQUE (selection_id, position)
);

CREATE TABLE runs (
    id uuid PRIMARY KEY,
    campaign_id uuid NOT NULL REFERENCES campaigns ON DELETE RESTRICT,
    spec_version integer NOT NULL,
    selection_id uuid REFERENCES selections ON DELETE RESTRICT,
    dry_run boolean NOT NULL,
    state text NOT NULL CHECK (state IN
        ('pending', 'selecting', 'planning', 'running', 'completed', 'failed', 'cancelled')),
    error text,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    finished_at timestamptz,
    FOREIGN KEY (campaign_id, spec_version) REFERENCES spec_versions
);
CREATE INDEX runs_by_campaign ON runs (campaign_id, id DESC);
CREATE INDEX runs_unfinished ON runs (id) WHERE state IN ('pending', 'selecting', 'planning', 'running');

CREATE TABLE targets (
    id uuid PRIMARY KEY,
    run_id uuid NOT NULL REFERENCES runs ON DELETE RESTRICT,
    campaign_id uuid NOT NULL REFERENCES campaigns ON DELETE RESTRICT,
    repository_node_id text NOT NULL,
    repository_id bigint NOT NULL DEFAULT 0,
    repository text NOT NULL,
    installation_id bigint NOT NULL,
    base_branch text NOT NULL,
    base_oid text,
    branch text NOT NULL,
    change_group text NOT NULL DEFAULT '',
    publish_as text NOT NULL DEFAULT 'none' CHECK (publish_as IN ('open', 'draft', 'none')),
    state text NOT NULL CHECK (state IN
        ('pending', 'preparing', 'prepared', 'unchanged', 'failed', 'publishing', 'draft', 'open', 'merged',
         'closed', 'cancelled', 'paused', 'conflicted', 'blocked')),
    review_state text NOT NULL DEFAULT 'none' CHECK (review_state IN
        ('none', 'pending', 'approved', 'changes_requested', 'commented', 'dismissed')),
    checks_state text NOT NULL DEFAULT 'unknown' CHECK (checks_state IN ('unknown', 'pending', 'passed', 'failed')),
    reason text,
    files_changed integer,
    additions integer,
    deletions integer,
    pull_request_number integer,
    pull_request_node_id text,
    pull_request_url text,
    pull_request_updated_at timestamptz,
    head_oid text,
    checked_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (run_id, repository_node_id, base_branch, change_group)
);
CREATE INDEX targets_by_run_and_state ON targets (run_id, state, id);
CREATE INDEX targets_by_pull_request ON targets (repository_node_id, pull_request_number)
    WHERE pull_request_number IS NOT NULL;
CREATE INDEX targets_by_branch ON targets (repository_node_id, branch);
CREATE INDEX targets_to_follow ON targets (checked_at NULLS FIRST) WHERE state IN ('draft', 'open', 'conflicted');

CREATE TABLE artifacts (
    id uuid PRIMARY KEY,
    run_id uuid NOT NULL REFERENCES runs ON DELETE RESTRICT,
    target_id uuid NOT NULL REFERENCES targets ON DELETE RESTRICT,
    kind text NOT NULL CHECK (kind IN ('log', 'patch', 'diff', 'change')),
    key text NOT NULL,
    size_bytes bigint NOT NULL,
    sha256 text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (target_id, kind)
);

CREATE TABLE operations (
    id uuid PRIMARY KEY,
    service text NOT NULL CHECK (service IN ('campaigns', 'selection', 'tokens')),
    type text NOT NULL,
    payload jsonb NOT NULL,
    dedupe_key text NOT NULL UNIQUE,
    actor text NOT NULL,
    run_id uuid,
    target_id uuid,
    state text NOT NULL DEFAULT 'accepted' CHECK (state IN ('accepted', 'succeeded', 'failed', 'cancelled')),
    attempts integer NOT NULL DEFAULT 0,
    error text,
    created_at timestamptz NOT NULL DEFAULT now(),
    appended_at timestamptz,
    finished_at timestamptz
);
CREATE INDEX operations_to_relay ON operations (service, appended_at NULLS FIRST, id) WHERE state = 'accepted';
CREATE INDEX operations_by_run ON operations (run_id, id) WHERE run_id IS NOT NULL;

CREATE TABLE installations (
    id bigint PRIMARY KEY,
    account text NOT NULL,
    account_type text NOT NULL,
    repository_selection text NOT NULL,
    permissions jsonb NOT NULL,
    suspended_at timestamptz,
    deleted_at timestamptz,
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX installations_by_account ON installations (lower(account)) WHERE deleted_at IS NULL;

CREATE TABLE token_grants (
    id uuid PRIMARY KEY,
    installation_id bigint NOT NULL,
    permissions jsonb NOT NULL,
    repository_ids bigint[] NOT NULL,
    requested_by text NOT NULL,
    purpose text NOT NULL,
    token_sha256 text NOT NULL,
    minted_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    granted_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX token_grants_by_installation ON token_grants (installation_id, granted_at DESC);

CREATE TABLE events (
    id uuid PRIMARY KEY,
    run_id uuid NOT NULL REFERENCES runs ON DELETE RESTRICT,
    target_id uuid REFERENCES targets ON DELETE RESTRICT,
    type text NOT NULL,
    payload jsonb NOT NULL,
    occurred_at timestamptz NOT NULL,
    appended_at timestamptz
);
CREATE INDEX events_by_run ON events (run_id, id);
CREATE INDEX events_by_target ON events (target_id, id) WHERE target_id IS NOT NULL;
CREATE INDEX events_to_append ON events (id) WHERE appended_at IS NULL;

CREATE TABLE webhook_deliveries (
    delivery_id text PRIMARY KEY,
    event text NOT NULL,
    action text,
    installation_id bigint,
    payload jsonb NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    handled_at timestamptz
);
"""


def upgrade() -> None:
    execute_script(SCHEMA)
