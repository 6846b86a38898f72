"""What a run's burndown reads: when its pull requests were opened, merged and closed."""

from migrations.script import execute_script

revision = "0009"
down_revision = "0008"

SCHEMA = """
CREATE INDEX events_of_pull_requests ON events (run_id, target_id, id) INCLUDE (type, occurred_at)
    WHERE type IN ('target.draft', 'target.open', 'target.conflicted', 'target.merged', 'target.closed');
"""


def upgrade() -> None:
    execute_script(SCHEMA)
