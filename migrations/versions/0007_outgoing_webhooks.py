"""Outgoing webhooks: where they go, what each endpoint is to be told, and every attempt at it."""

from migrations.script import execute_script

revision = "0007"
down_revision = "0006"

SCHEMA = """
CREATE TABLE webhook_endpoints (
    id uuid PRIMARY KEY,
    url text NOT NULL,
    description text NOT NULL,
    events text[] NOT NULL,
    campaign_id uuid REFERENCES campaigns ON DELETE CASCADE,
    generation integer NOT NULL DEFAULT 1,
    rotated_at timestamptz,
    failures integer NOT NULL DEFAULT 0,
    held_until timestamptz,
    paused_at timestamptz,
    disabled_at timestamptz,
    disabled_reason text,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE webhook_messages (
    endpoint_id uuid NOT NULL REFERENCES webhook_endpoints ON DELETE CASCADE,
    id uuid NOT NULL,
    type text NOT NULL,
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'dead')),
    attempts integer NOT NULL DEFAULT 0,
    tried_since timestamptz NOT NULL DEFAULT now(),
    due_at timestamptz NOT NULL DEFAULT now(),
    error text,
    created_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    PRIMARY KEY (endpoint_id, id)
);
CREATE INDEX webhook_messages_due ON webhook_messages (endpoint_id, due_at) WHERE state = 'waiting';
CREATE INDEX webhook_messages_finished ON webhook_messages (finished_at) WHERE finished_at IS NOT NULL;

CREATE TABLE webhook_attempts (
    id uuid PRIMARY KEY,
    endpoint_id uuid NOT NULL,
    message_id uuid NOT NULL,
    attempted_at timestamptz NOT NULL,
    duration_ms integer NOT NULL,
    status integer,
    response text,
    error text,
    FOREIGN KEY (endpoint_id, message_id) REFERENCES webhook_messages ON DELETE CASCADE
);
CREATE INDEX webhook_attempts_by_message ON webhook_attempts (endpoint_id, message_id, id);
"""


def upgrade() -> None:
    execute_script(SCHEMA)
