"""The tables. Times are text as GitHub writes them (`2026-01-02T03:04:05Z`), so that they compare as text."""

from __future__ import annotations

FIRST_IDS = {
    "apps": 1_000_000,
    "accounts": 150_000_000,
    "teams": 10_000_000,
    "installations": 50_000_000,
    "repositories": 700_000_000,
    "pulls": 1_500_000_000,
    "labels": 800_000_000,
    "comments": 1_300_000_000,
    "reviews": 1_400_000_000,
    "check_suites": 1_100_000_000,
    "check_runs": 1_200_000_000,
    "statuses": 900_000_000,
    "deliveries": 20_000_000_000,
}
"""Where ids begin: in ranges of their own, so that an id of the wrong kind is found nowhere. All but those of
deliveries fit GraphQL's Int."""

SCHEMA = """
CREATE TABLE apps (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    client_id TEXT NOT NULL UNIQUE,
    client_secret_hash TEXT NOT NULL,
    slug TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    description TEXT,
    external_url TEXT NOT NULL,
    owner_id INTEGER NOT NULL,
    bot_id INTEGER NOT NULL,
    webhook_url TEXT,
    webhook_secret TEXT,
    webhook_content_type TEXT NOT NULL DEFAULT 'json',
    webhook_insecure_ssl TEXT NOT NULL DEFAULT '0',
    permissions TEXT NOT NULL,
    events TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
);
CREATE TABLE app_keys (
    app_id INTEGER NOT NULL REFERENCES apps,
    public_pem TEXT NOT NULL,
    PRIMARY KEY (app_id, public_pem)
);
CREATE TABLE manifest_codes (code_hash TEXT PRIMARY KEY, manifest TEXT NOT NULL, expires REAL NOT NULL);

CREATE TABLE accounts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    login TEXT NOT NULL UNIQUE COLLATE NOCASE,
    type TEXT NOT NULL CHECK (type IN ('Organization', 'User', 'Bot')),
    name TEXT,
    email TEXT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
);
CREATE TABLE teams (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id INTEGER NOT NULL REFERENCES accounts,
    slug TEXT NOT NULL COLLATE NOCASE,
    name TEXT NOT NULL,
    UNIQUE (account_id, slug)
);
CREATE TABLE team_members (
    team_id INTEGER NOT NULL REFERENCES teams ON DELETE CASCADE,
    account_id INTEGER NOT NULL REFERENCES accounts,
    PRIMARY KEY (team_id, account_id)
) WITHOUT ROWID;
CREATE TABLE team_repositories (
    team_id INTEGER NOT NULL REFERENCES teams ON DELETE CASCADE,
    repository_id INTEGER NOT NULL REFERENCES repositories ON DELETE CASCADE,
    PRIMARY KEY (team_id, repository_id)
) WITHOUT ROWID;

CREATE TABLE installations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    app_id INTEGER NOT NULL REFERENCES apps,
    account_id INTEGER NOT NULL REFERENCES accounts,
    repository_selection TEXT NOT NULL CHECK (repository_selection IN ('all', 'selected')),
    permissions TEXT NOT NULL,
    events TEXT NOT NULL,
    suspended_at TEXT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    UNIQUE (app_id, account_id)
);
CREATE TABLE installation_repositories (
    installation_id INTEGER NOT NULL REFERENCES installations ON DELETE CASCADE,
    repository_id INTEGER NOT NULL REFERENCES repositories ON DELETE CASCADE,
    PRIMARY KEY (installation_id, repository_id)
);
CREATE TABLE tokens (
    hash TEXT PRIMARY KEY,
    installation_id INTEGER NOT NULL REFERENCES installations ON DELETE CASCADE,
    permissions TEXT NOT NULL,
    repository_ids TEXT,
    down_scoped INTEGER NOT NULL,
    created REAL NOT NULL,
    expires REAL NOT NULL
);

CREATE TABLE repositories (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    owner_id INTEGER NOT NULL REFERENCES accounts,
    name TEXT NOT NULL COLLATE NOCASE,
    description TEXT,
    homepage TEXT,
    language TEXT COLLATE NOCASE,
    license TEXT COLLATE NOCASE,
    default_branch TEXT NOT NULL,
    visibility TEXT NOT NULL CHECK (visibility IN ('public', 'private', 'internal')),
    fork INTEGER NOT NULL DEFAULT 0,
    parent_id INTEGER,
    archived INTEGER NOT NULL DEFAULT 0,
    is_template INTEGER NOT NULL DEFAULT 0,
    topics TEXT NOT NULL DEFAULT '[]',
    stars INTEGER NOT NULL DEFAULT 0,
    size_kb INTEGER NOT NULL DEFAULT 0,
    allow_merge_commit INTEGER NOT NULL DEFAULT 1,
    allow_squash_merge INTEGER NOT NULL DEFAULT 1,
    allow_rebase_merge INTEGER NOT NULL DEFAULT 1,
    allow_auto_merge INTEGER NOT NULL DEFAULT 1,
    delete_branch_on_merge INTEGER NOT NULL DEFAULT 0,
    empty INTEGER NOT NULL DEFAULT 0,
    last_number INTEGER NOT NULL DEFAULT 0,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    pushed_at TEXT NOT NULL,
    UNIQUE (owner_id, name)
);
CREATE INDEX repositories_by_age ON repositories (owner_id, created_at, id);
CREATE INDEX repositories_by_push ON repositories (owner_id, pushed_at, id);
CREATE INDEX repositories_by_change ON repositories (owner_id, updated_at, id);
CREATE INDEX repositories_by_stars ON repositories (owner_id, stars, id);
CREATE TABLE repository_topics (
    repository_id INTEGER NOT NULL REFERENCES repositories ON DELETE CASCADE,
    topic TEXT NOT NULL COLLATE NOCASE,
    PRIMARY KEY (topic, repository_id)
) WITHOUT ROWID;
CREATE TABLE repository_properties (
    repository_id INTEGER NOT NULL REFERENCES repositories ON DELETE CASCADE,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (repository_id, name)
) WITHOUT ROWID;
CREATE TABLE branch_rules (
    repository_id INTEGER PRIMARY KEY REFERENCES repositories ON DELETE CASCADE,
    rules TEXT NOT NULL
);
CREATE TABLE repository_redirects (
    full_name TEXT PRIMARY KEY COLLATE NOCASE,
    repository_id INTEGER NOT NULL REFERENCES repositories ON DELETE CASCADE
);

CREATE TABLE pulls (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    repository_id INTEGER NOT NULL REFERENCES repositories ON DELETE CASCADE,
    number INTEGER NOT NULL,
    title TEXT NOT NULL,
    body TEXT,
    state TEXT NOT NULL CHECK (state IN ('open', 'closed')),
    draft INTEGER NOT NULL,
    author_id INTEGER NOT NULL REFERENCES accounts,
    head_repository_id INTEGER NOT NULL,
    head_ref TEXT NOT NULL,
    head_sha TEXT NOT NULL,
    base_ref TEXT NOT NULL,
    base_sha TEXT NOT NULL,
    maintainer_can_modify INTEGER NOT NULL DEFAULT 0,
    auto_merge TEXT,
    merged_by_id INTEGER,
    merge_commit_sha TEXT,
    closed_at TEXT,
    merged_at TEXT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    UNIQUE (repository_id, number)
);
CREATE INDEX pulls_by_head ON pulls (head_repository_id, head_ref);
CREATE INDEX pulls_by_base ON pulls (repository_id, base_ref);
CREATE TABLE labels (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    repository_id INTEGER NOT NULL REFERENCES repositories ON DELETE CASCADE,
    name TEXT NOT NULL COLLATE NOCASE,
    color TEXT NOT NULL,
    description TEXT,
    UNIQUE (repository_id, name)
);
CREATE TABLE pull_labels (
    pull_id INTEGER NOT NULL REFERENCES pulls ON DELETE CASCADE,
    label_id INTEGER NOT NULL REFERENCES labels ON DELETE CASCADE,
    PRIMARY KEY (pull_id, label_id)
);
CREATE TABLE pull_assignees (
    pull_id INTEGER NOT NULL REFERENCES pulls ON DELETE CASCADE,
    account_id INTEGER NOT NULL REFERENCES accounts,
    PRIMARY KEY (pull_id, account_id)
);
CREATE TABLE review_requests (
    pull_id INTEGER NOT NULL REFERENCES pulls ON DELETE CASCADE,
    account_id INTEGER REFERENCES accounts,
    team_id INTEGER REFERENCES teams,
    UNIQUE (pull_id, account_id, team_id)
);
CREATE TABLE reviews (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    pull_id INTEGER NOT NULL REFERENCES pulls ON DELETE CASCADE,
    author_id INTEGER NOT NULL REFERENCES accounts,
    state TEXT NOT NULL CHECK (state IN ('APPROVED', 'CHANGES_REQUESTED', 'COMMENTED', 'DISMISSED')),
    body TEXT NOT NULL,
    commit_sha TEXT NOT NULL,
    submitted_at TEXT NOT NULL
);
CREATE INDEX reviews_by_pull ON reviews (pull_id);
CREATE TABLE comments (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    pull_id INTEGER NOT NULL REFERENCES pulls ON DELETE CASCADE,
    author_id INTEGER NOT NULL REFERENCES accounts,
    body TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
);
CREATE INDEX comments_by_pull ON comments (pull_id);

CREATE TABLE check_suites (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    repository_id INTEGER NOT NULL REFERENCES repositories ON DELETE CASCADE,
    app_id INTEGER NOT NULL REFERENCES apps,
    head_sha TEXT NOT NULL,
    head_branch TEXT,
    status TEXT NOT NULL,
    conclusion TEXT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    UNIQUE (repository_id, head_sha, app_id)
);
CREATE TABLE check_runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    suite_id INTEGER NOT NULL REFERENCES check_suites ON DELETE CASCADE,
    name TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('queued', 'in_progress', 'completed')),
    conclusion TEXT,
    external_id TEXT NOT NULL DEFAULT '',
    details_url TEXT,
    output TEXT NOT NULL,
    started_at TEXT NOT NULL,
    completed_at TEXT
);
CREATE INDEX check_runs_by_suite ON check_runs (suite_id);
CREATE TABLE statuses (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    repository_id INTEGER NOT NULL REFERENCES repositories ON DELETE CASCADE,
    sha TEXT NOT NULL,
    context TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('error', 'failure', 'pending', 'success')),
    description TEXT,
    target_url TEXT,
    creator_id INTEGER NOT NULL REFERENCES accounts,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
);
CREATE INDEX statuses_by_sha ON statuses (repository_id, sha);

CREATE TABLE deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    app_id INTEGER NOT NULL REFERENCES apps,
    guid TEXT NOT NULL,
    event TEXT NOT NULL,
    action TEXT,
    installation_id INTEGER,
    repository_id INTEGER,
    redelivery INTEGER NOT NULL,
    delivered_at TEXT NOT NULL,
    duration REAL NOT NULL,
    status TEXT NOT NULL,
    status_code INTEGER NOT NULL,
    url TEXT NOT NULL,
    request_headers TEXT NOT NULL,
    payload TEXT NOT NULL,
    response_headers TEXT NOT NULL,
    response_body TEXT NOT NULL
);
CREATE INDEX deliveries_by_app ON deliveries (app_id, id);
"""
