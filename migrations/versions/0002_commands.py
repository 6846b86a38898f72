"""Operations say whose turn they take, what they follow, when they may begin, and where a large payload is."""

from migrations.script import execute_script

revision = "0002"
down_revision = "0001"

SCHEMA = """
ALTER TABLE operations
    ADD COLUMN installation_id bigint,
    ADD COLUMN priority text NOT NULL DEFAULT 'normal' CHECK (priority IN ('normal', 'urgent')),
    ADD COLUMN order_key text,
    ADD COLUMN not_before timestamptz,
    ADD COLUMN payload_at text,
    ADD COLUMN trace jsonb;
"""


def upgrade() -> None:
    execute_script(SCHEMA)
