"""Who may do what, and who did: namespaces, what each API key is granted, and where a write came from."""

from migrations.script import execute_script

revision = "0013"
down_revision = "0012"

SCHEMA = """
ALTER TABLE campaigns ADD COLUMN namespace text NOT NULL DEFAULT 'default';
ALTER TABLE selections ADD COLUMN namespace text NOT NULL DEFAULT 'default';
ALTER TABLE selection_schedules ADD COLUMN namespace text NOT NULL DEFAULT 'default';
CREATE INDEX campaigns_by_namespace ON campaigns (namespace, name);

ALTER TABLE api_keys
    ADD COLUMN grants jsonb NOT NULL DEFAULT '[{"role": "admin", "namespace": "*"}]',
    ADD COLUMN scopes text[] NOT NULL DEFAULT '{read,write,tokens}',
    ADD COLUMN created_by text NOT NULL DEFAULT 'bootstrap',
    ADD COLUMN rotated_from uuid REFERENCES api_keys;
ALTER TABLE api_keys
    ALTER COLUMN grants DROP DEFAULT,
    ALTER COLUMN scopes DROP DEFAULT,
    ALTER COLUMN created_by DROP DEFAULT;
CREATE INDEX api_keys_by_name ON api_keys (name) WHERE revoked_at IS NULL;

ALTER TABLE audit
    ADD COLUMN address text,
    ADD COLUMN method text,
    ADD COLUMN route text,
    ADD COLUMN resource text,
    ADD COLUMN status integer,
    ADD COLUMN request_id text;
CREATE INDEX audit_by_actor ON audit (actor, id DESC);
CREATE INDEX audit_by_resource ON audit (resource text_pattern_ops, id DESC) WHERE resource IS NOT NULL;
CREATE INDEX audit_by_time ON audit (at);
"""


def upgrade() -> None:
    execute_script(SCHEMA)
