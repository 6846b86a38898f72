"""What is asked for often finds little: events about runs themselves on their way, and targets with warnings."""

from migrations.script import execute_script

revision = "0011"
down_revision = "0010"

SCHEMA = """
CREATE INDEX events_of_runs ON events (appended_at) WHERE target_id IS NULL;
CREATE INDEX targets_with_warnings ON targets (run_id) WHERE warnings <> '[]';
"""


def upgrade() -> None:
    execute_script(SCHEMA)
