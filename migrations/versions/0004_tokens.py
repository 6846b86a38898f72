"""Tokens: those that live and who holds them, their audit, trust policies; what installations were found to be like."""

from migrations.script import execute_script

revision = "0004"
down_revision = "0003"

SCHEMA = """
CREATE TABLE tokens (
    sha256 text PRIMARY KEY,
    installation_id bigint NOT NULL,
    permissions jsonb NOT NULL,
    repository_ids bigint[] NOT NULL,
    minted_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    evicted_at timestamptz,
    evicted_by uuid,
    revoked_at timestamptz,
    lost_at timestamptz
);
CREATE INDEX tokens_by_installation ON tokens (installation_id, expires_at DESC);
CREATE INDEX tokens_by_expiry ON tokens (expires_at);
CREATE INDEX tokens_by_eviction ON tokens (evicted_by) WHERE evicted_by IS NOT NULL;

CREATE TABLE token_holders (
    token_sha256 text NOT NULL REFERENCES tokens ON DELETE CASCADE,
    holder text NOT NULL,
    run_id uuid,
    granted_at timestamptz NOT NULL DEFAULT now(),
    released_at timestamptz,
    PRIMARY KEY (token_sha256, holder)
);
CREATE INDEX token_holders_by_run ON token_holders (run_id) WHERE run_id IS NOT NULL;

ALTER TABLE token_grants RENAME TO token_audit;
ALTER INDEX token_grants_by_installation RENAME TO token_audit_by_installation;
ALTER TABLE token_audit RENAME COLUMN granted_at TO at;
ALTER TABLE token_audit
    ADD COLUMN kind text NOT NULL DEFAULT 'grant' CHECK (kind IN ('grant', 'refusal', 'revocation')),
    ADD COLUMN run_id uuid,
    ADD COLUMN policy text,
    ADD COLUMN reason text,
    ADD COLUMN holders integer,
    ADD COLUMN operation_id uuid,
    ALTER COLUMN token_sha256 DROP NOT NULL,
    ALTER COLUMN minted_at DROP NOT NULL,
    ALTER COLUMN expires_at DROP NOT NULL;
ALTER TABLE token_audit ALTER COLUMN kind DROP DEFAULT;
CREATE INDEX token_audit_by_token ON token_audit (token_sha256);
CREATE INDEX token_audit_by_run ON token_audit (run_id) WHERE run_id IS NOT NULL;
CREATE INDEX token_audit_by_operation ON token_audit (operation_id) WHERE operation_id IS NOT NULL;

CREATE TRIGGER token_audit_is_append_only BEFORE UPDATE OR DELETE ON token_audit
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER token_audit_is_not_emptied BEFORE TRUNCATE ON token_audit
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE trust_policies (
    name text PRIMARY KEY,
    position integer NOT NULL,
    document jsonb NOT NULL,
    updated_by text NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now()
);

ALTER TABLE installations
    ADD COLUMN webhook_url text,
    ADD COLUMN webhook_events text[] NOT NULL DEFAULT '{}',
    ADD COLUMN missing jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN excessive jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN checked_at timestamptz;

CREATE TABLE installation_events (
    id uuid PRIMARY KEY,
    installation_id bigint NOT NULL,
    type text NOT NULL CHECK (type IN
        ('installed', 'uninstalled', 'suspended', 'unsuspended', 'drifted', 'restored')),
    details jsonb NOT NULL,
    occurred_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX installation_events_by_installation ON installation_events (installation_id, id DESC);
"""


def upgrade() -> None:
    execute_script(SCHEMA)
