"""The audit of writes: found by address, and told from the acts of operators."""

from migrations.script import execute_script

revision = "0014"
down_revision = "0013"

SCHEMA = """
CREATE INDEX audit_by_address ON audit (address, id DESC) WHERE address IS NOT NULL;
CREATE INDEX audit_of_acts ON audit (id DESC) WHERE method IS NULL;
"""


def upgrade() -> None:
    execute_script(SCHEMA)
