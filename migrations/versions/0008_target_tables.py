"""Targets in tables: in the order of their repositories, by repository over all runs, and those not ended."""

from migrations.script import execute_script

revision = "0008"
down_revision = "0007"

SCHEMA = """
CREATE INDEX targets_by_run_and_repository ON targets (run_id, (lower(repository) COLLATE "C"), id);
CREATE INDEX targets_by_repository ON targets ((lower(repository) COLLATE "C"), id);
CREATE INDEX targets_not_ended ON targets ((lower(repository) COLLATE "C"), id)
    WHERE state NOT IN ('merged', 'closed', 'unchanged', 'cancelled');
CREATE INDEX selection_owners_by_blob ON selection_owners (blob_oid) WHERE blob_oid IS NOT NULL;
"""


def upgrade() -> None:
    execute_script(SCHEMA)
