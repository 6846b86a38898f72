"""How many targets of a run are alike is kept, not counted: a count of a million targets takes as long as one of ten.

Each transaction that changes targets changes the counts in it, in a shard of its own, so that no two wait for each
other: the shard is the first whose advisory lock is free, and the lock ends with the transaction. A count is the sum
over the shards, of which there are as many as there were writers at once.
"""

from migrations.script import execute_script

revision = "0012"
down_revision = "0011"

SCHEMA = """
CREATE TABLE target_counts (
    run_id uuid NOT NULL REFERENCES runs ON DELETE CASCADE,
    shard integer NOT NULL,
    installation_id bigint NOT NULL,
    state text NOT NULL,
    review_state text NOT NULL,
    checks_state text NOT NULL,
    has_warnings boolean NOT NULL,
    to_publish boolean NOT NULL,
    is_released boolean NOT NULL,
    is_on_its_way boolean NOT NULL,
    is_detached boolean NOT NULL,
    n bigint NOT NULL,
    PRIMARY KEY (run_id, shard, installation_id, state, review_state, checks_state, has_warnings, to_publish,
                 is_released, is_on_its_way, is_detached)
) WITH (fillfactor = 70);

CREATE FUNCTION target_counts_shard() RETURNS integer LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    shard integer := 0;
BEGIN
    WHILE NOT pg_try_advisory_xact_lock(729340152, shard) LOOP
        shard := shard + 1;
    END LOOP;
    RETURN shard;
END $$;

CREATE FUNCTION count_targets() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO target_counts AS known
        SELECT run_id, (SELECT target_counts_shard()), installation_id, state, review_state, checks_state,
            warnings <> '[]', publish_as <> 'none', released_at IS NOT NULL,
            released_at IS NOT NULL OR pull_request_number IS NOT NULL, detached_at IS NOT NULL, count(*)
        FROM new_targets GROUP BY 1, 3, 4, 5, 6, 7, 8, 9, 10, 11
        ON CONFLICT ON CONSTRAINT target_counts_pkey DO UPDATE SET n = known.n + excluded.n;
    ELSE
        INSERT INTO target_counts AS known
        SELECT run_id, (SELECT target_counts_shard()), installation_id, state, review_state, checks_state,
            warnings <> '[]', publish_as <> 'none', released_at IS NOT NULL,
            released_at IS NOT NULL OR pull_request_number IS NOT NULL, detached_at IS NOT NULL, sum(d)
        FROM (SELECT *, 1 AS d FROM new_targets UNION ALL SELECT *, -1 FROM old_targets) changed
        GROUP BY 1, 3, 4, 5, 6, 7, 8, 9, 10, 11 HAVING sum(d) <> 0
        ON CONFLICT ON CONSTRAINT target_counts_pkey DO UPDATE SET n = known.n + excluded.n;
    END IF;
    RETURN NULL;
END $$;

INSERT INTO target_counts
SELECT run_id, 0, installation_id, state, review_state, checks_state, warnings <> '[]', publish_as <> 'none',
    released_at IS NOT NULL, released_at IS NOT NULL OR pull_request_number IS NOT NULL, detached_at IS NOT NULL,
    count(*)
FROM targets GROUP BY 1, 3, 4, 5, 6, 7, 8, 9, 10, 11;

CREATE TRIGGER targets_are_counted AFTER INSERT ON targets
    REFERENCING NEW TABLE AS new_targets FOR EACH STATEMENT EXECUTE FUNCTION count_targets();
CREATE TRIGGER changed_targets_are_counted AFTER UPDATE ON targets
    REFERENCING NEW TABLE AS new_targets OLD TABLE AS old_targets FOR EACH STATEMENT EXECUTE FUNCTION count_targets();

CREATE INDEX targets_by_run ON targets (run_id, id);
CREATE INDEX targets_by_run_and_update ON targets (run_id, updated_at, id);
DROP INDEX targets_with_warnings;
CREATE INDEX targets_with_warnings ON targets (run_id, id) WHERE warnings <> '[]';
"""


def upgrade() -> None:
    execute_script(SCHEMA)
