"""The audit of operators' acts: rows are added and never changed."""

from migrations.script import execute_script

revision = "0003"
down_revision = "0002"

SCHEMA = """
CREATE TABLE audit (
    id uuid PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now(),
    actor text NOT NULL,
    action text NOT NULL,
    service text CHECK (service IN ('campaigns', 'selection', 'tokens')),
    details jsonb NOT NULL
);
CREATE INDEX audit_by_service ON audit (service, id DESC);

CREATE TRIGGER audit_is_append_only BEFORE UPDATE OR DELETE ON audit
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_is_not_emptied BEFORE TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""


def upgrade() -> None:
    execute_script(SCHEMA)
