"""Notifications: which campaigns tell of themselves, what is to be told, and each message."""

from migrations.script import execute_script

revision = "0010"
down_revision = "0009"

SCHEMA = """
ALTER TABLE campaigns
    ADD COLUMN notifies boolean NOT NULL DEFAULT false,
    ADD COLUMN notified_at timestamptz;

ALTER TABLE runs ADD COLUMN all_merged_at timestamptz;

CREATE TABLE notable_events (
    event_id uuid PRIMARY KEY,
    campaign_id uuid NOT NULL REFERENCES campaigns ON DELETE CASCADE,
    run_id uuid NOT NULL,
    target_id uuid,
    type text NOT NULL,
    occurred_at timestamptz NOT NULL
);
CREATE INDEX notable_events_by_campaign ON notable_events (campaign_id, event_id);

CREATE TABLE notifications (
    id uuid PRIMARY KEY,
    campaign_id uuid NOT NULL REFERENCES campaigns ON DELETE CASCADE,
    channel jsonb NOT NULL,
    notices jsonb NOT NULL,
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'dead')),
    attempts integer NOT NULL DEFAULT 0,
    tried_since timestamptz NOT NULL DEFAULT now(),
    due_at timestamptz NOT NULL DEFAULT now(),
    error text,
    created_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz
);
CREATE INDEX webhook_messages_dead ON webhook_messages (endpoint_id) WHERE state = 'dead';
CREATE INDEX notifications_by_campaign ON notifications (campaign_id, id);
CREATE INDEX notifications_due ON notifications (due_at) WHERE state = 'waiting';
CREATE INDEX notifications_finished ON notifications (finished_at) WHERE finished_at IS NOT NULL;
"""


def upgrade() -> None:
    execute_script(SCHEMA)
