"""Events that are about runs themselves are found by when they were seen on their stream."""

from migrations.script import execute_script

revision = "0009"
down_revision = "0008"

SCHEMA = """
CREATE INDEX events_of_runs ON events (appended_at) WHERE target_id IS NULL;
"""


def upgrade() -> None:
    execute_script(SCHEMA)
