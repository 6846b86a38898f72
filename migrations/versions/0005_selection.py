"""Selections that resume, that say what they cost, and that repeat; the index of repositories; owners."""

from migrations.script import execute_script

revision = "0005"
down_revision = "0004"

SCHEMA = """
ALTER TABLE selections
    ADD COLUMN name text NOT NULL DEFAULT '',
    ADD COLUMN is_fresh boolean NOT NULL DEFAULT false,
    ADD COLUMN previous_id uuid REFERENCES selections ON DELETE SET NULL,
    ADD COLUMN schedule_id uuid,
    ADD COLUMN phase text NOT NULL DEFAULT 'finding' CHECK (phase IN ('finding', 'examining')),
    ADD COLUMN found integer NOT NULL DEFAULT 0,
    ADD COLUMN expected integer,
    ADD COLUMN to_examine integer NOT NULL DEFAULT 0,
    ADD COLUMN examined integer NOT NULL DEFAULT 0,
    ADD COLUMN examined_to integer NOT NULL DEFAULT -1,
    ADD COLUMN requests integer NOT NULL DEFAULT 0,
    ADD COLUMN points integer NOT NULL DEFAULT 0,
    ADD COLUMN index_as_of timestamptz;
CREATE INDEX selections_by_age ON selections (id DESC);

ALTER TABLE selection_repositories
    ADD COLUMN visibility text NOT NULL DEFAULT 'private' CHECK (visibility IN ('public', 'private', 'internal')),
    ADD COLUMN is_template boolean NOT NULL DEFAULT false,
    ADD COLUMN language text,
    ADD COLUMN topics text[] NOT NULL DEFAULT '{}',
    ADD COLUMN properties jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN created_at timestamptz,
    ADD COLUMN pushed_at timestamptz,
    ADD COLUMN entries integer[] NOT NULL DEFAULT '{}',
    ADD COLUMN condition integer;
UPDATE selection_repositories SET visibility = CASE WHEN is_private THEN 'private' ELSE 'public' END,
    entries = ARRAY[entry];
ALTER TABLE selection_repositories DROP COLUMN is_private;

CREATE FUNCTION refuse_change_of_complete_selection() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT state FROM selections WHERE id = OLD.selection_id) = 'complete' THEN
        RAISE EXCEPTION 'the repositories of a complete selection are immutable'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER complete_selections_are_immutable BEFORE UPDATE ON selection_repositories
    FOR EACH ROW EXECUTE FUNCTION refuse_change_of_complete_selection();

CREATE TABLE selection_shards (
    selection_id uuid NOT NULL,
    path text COLLATE "C" NOT NULL,
    entry integer NOT NULL,
    request jsonb NOT NULL,
    expected integer,
    cursor text,
    asked integer NOT NULL DEFAULT 0,
    given integer NOT NULL DEFAULT 0,
    stored integer NOT NULL DEFAULT 0,
    restarts integer NOT NULL DEFAULT 0,
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'divided', 'done')),
    PRIMARY KEY (selection_id, path)
);

CREATE TABLE selection_candidates (
    selection_id uuid NOT NULL,
    path text COLLATE "C" NOT NULL,
    number integer NOT NULL,
    node_id text NOT NULL,
    database_id bigint NOT NULL,
    name_with_owner text NOT NULL,
    default_branch text,
    branch text NOT NULL,
    head_oid text,
    installation_id bigint NOT NULL,
    visibility text NOT NULL,
    is_archived boolean NOT NULL,
    is_fork boolean NOT NULL,
    is_template boolean NOT NULL,
    language text,
    topics text[] NOT NULL,
    properties jsonb NOT NULL,
    created_at timestamptz,
    pushed_at timestamptz,
    included boolean NOT NULL,
    entry integer NOT NULL,
    reason text NOT NULL,
    PRIMARY KEY (selection_id, path, number)
);

-- no foreign keys: each candidate would look at the selection's row, which changes with every page
CREATE FUNCTION forget_working_memory() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM selection_shards WHERE selection_id = OLD.id;
    DELETE FROM selection_candidates WHERE selection_id = OLD.id;
    RETURN NULL;
END $$;
CREATE TRIGGER working_memory_goes_with_its_selection AFTER DELETE ON selections
    FOR EACH ROW EXECUTE FUNCTION forget_working_memory();

CREATE TABLE selection_schedules (
    id uuid PRIMARY KEY,
    name text NOT NULL UNIQUE,
    document text NOT NULL,
    cron text NOT NULL,
    is_fresh boolean NOT NULL,
    next_at timestamptz NOT NULL,
    paused_at timestamptz,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX selection_schedules_due ON selection_schedules (next_at) WHERE paused_at IS NULL;
CREATE INDEX selections_by_schedule ON selections (schedule_id, id DESC) WHERE schedule_id IS NOT NULL;

CREATE TABLE repositories (
    node_id text PRIMARY KEY,
    database_id bigint NOT NULL,
    installation_id bigint NOT NULL,
    name_with_owner text NOT NULL,
    default_branch text,
    head_oid text,
    visibility text NOT NULL CHECK (visibility IN ('public', 'private', 'internal')),
    is_archived boolean NOT NULL,
    is_fork boolean NOT NULL,
    is_template boolean NOT NULL,
    language text,
    topics text[] NOT NULL,
    properties jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz,
    pushed_at timestamptz,
    seen_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX repositories_by_installation ON repositories (installation_id, created_at, database_id);
CREATE INDEX repositories_by_name ON repositories (lower(name_with_owner));
CREATE INDEX repositories_by_database_id ON repositories (database_id);

CREATE TABLE repository_indexes (
    installation_id bigint PRIMARY KEY,
    account text NOT NULL,
    completed_at timestamptz,
    swept_at timestamptz,
    sweep_started_at timestamptz,
    sweep_cursor text,
    total integer,
    uncounted integer NOT NULL DEFAULT 0,
    error text
);

CREATE TABLE repository_changes (
    installation_id bigint NOT NULL,
    node_id text NOT NULL,
    noticed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (installation_id, node_id)
);
CREATE INDEX repository_changes_by_age ON repository_changes (noticed_at);

CREATE TABLE codeowners_files (
    blob_oid text PRIMARY KEY,
    document text,
    problem text,
    read_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE selection_owners (
    selection_id uuid NOT NULL REFERENCES selections ON DELETE CASCADE,
    node_id text NOT NULL,
    branch text NOT NULL,
    path text,
    blob_oid text,
    PRIMARY KEY (selection_id, node_id, branch)
);

CREATE TABLE teams (
    slug text PRIMARY KEY,
    name text NOT NULL,
    members text[] NOT NULL,
    is_missing boolean NOT NULL DEFAULT false,
    fetched_at timestamptz NOT NULL DEFAULT now()
);
"""


def upgrade() -> None:
    execute_script(SCHEMA)
