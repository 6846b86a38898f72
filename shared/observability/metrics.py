"""Every Prometheus metric, declared once; names carry their units."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

STREAM_LAG = Gauge("octobatch_stream_lag_messages", "Commands that no worker was given yet", ["service"])
STREAM_PENDING = Gauge("octobatch_stream_pending_messages", "Commands delivered and not finished", ["service"])
STREAM_DELAYED = Gauge("octobatch_stream_delayed_messages", "Commands waiting for their time", ["service"])
STREAM_DUE = Gauge("octobatch_stream_due_messages", "Delayed commands whose time has come", ["service"])
STREAM_HELD = Gauge("octobatch_stream_held_messages", "Commands behind another of their order key", ["service"])
STREAM_OLDEST_AGE = Gauge(
    "octobatch_stream_oldest_age_seconds", "Age of the oldest command that is not finished", ["service"]
)
STREAM_DEAD_LETTERS = Gauge("octobatch_stream_dead_letters", "Entries of the dead-letter stream", ["service"])
STREAM_CONSUMERS = Gauge("octobatch_stream_consumers", "Worker processes heard of lately", ["service"])
STREAM_ACKNOWLEDGED = Gauge(
    "octobatch_stream_acknowledged_messages",
    "Deliveries finished so far: grows by the rate",
    ["service"],
)

COMMAND_ATTEMPTS = Histogram(
    "octobatch_command_attempts",
    "Attempts a command took until it was done or given up",
    ["service", "outcome"],
    buckets=(1, 2, 3, 5, 8, 13),
)
COMMAND_DURATION = Histogram(
    "octobatch_command_duration_seconds",
    "How long a run of a command took, by what became of it",
    ["service", "type", "outcome"],
    buckets=(0.005, 0.02, 0.1, 0.5, 1, 2, 5, 10, 30, 60, 300, 900),
)
COMMAND_RETRIES = Counter("octobatch_command_retries_total", "Runs that ended with an error", ["service", "type"])
COMMAND_FENCED = Counter(
    "octobatch_command_fenced_total", "Runs whose verdict was refused, the delivery being another's", ["service"]
)
COMMANDS_RELAYED = Counter(
    "octobatch_commands_relayed_total", "Commands that the relay appended because Redis did not hold them", ["service"]
)

BUDGET_LEFT = Gauge("octobatch_github_quota_left", "What GitHub said is left", ["identity", "resource"])
GRAPHQL_POINTS = Counter("octobatch_github_graphql_points_total", "What GraphQL queries cost, in points", ["identity"])
BUDGET_DENIALS = Counter("octobatch_github_denials_total", "Requests put off to stay within a limit", ["budget"])
APP_KEY_IN_USE = Gauge(
    "octobatch_github_app_key_in_use", "1 for the key of the App that signs, 0 for its other keys", ["key"]
)
LEASE_WAITS = Counter("octobatch_lease_waits_total", "Times that all leases of a semaphore were taken", ["semaphore"])

RATE_LIMITED = Counter("octobatch_api_rate_limited_requests_total", "Requests refused with 429, by policy", ["policy"])
RATE_LIMITS_SKIPPED = Counter(
    "octobatch_api_rate_limits_skipped_total", "Requests that were not limited because Redis was away"
)

AUDIT_ROWS_LOST = Counter(
    "octobatch_api_audit_rows_lost_total", "Writes whose row in the audit was not written, as Postgres was away"
)

INSTALLATIONS = Gauge("octobatch_installations", "Installations of the App, by active or suspended", ["state"])
INDEX_AGE = Gauge(
    "octobatch_repository_index_age_seconds", "Since an index of repositories was last known to be current", ["account"]
)
INDEX_REPOSITORIES = Gauge("octobatch_repository_index_repositories", "Repositories that an index has", ["account"])
INSTALLATION_DRIFT = Gauge(
    "octobatch_installation_permission_drift",
    "1 for each permission that an installation lacks (missing) or grants beyond what is expected (excessive)",
    ["account", "resource", "kind"],
)
TOKEN_LOOKUPS = Counter("octobatch_token_lookups_total", "Tokens that were found in the vault, or minted", ["source"])
TOKENS_REFUSED = Counter("octobatch_tokens_refused_total", "Requests for a token that were refused", ["reason"])
TOKENS_MINTED = Counter("octobatch_tokens_minted_total", "Tokens that GitHub made")
TOKENS_REVOKED = Counter("octobatch_tokens_revoked_total", "Tokens that were ended before their time", ["outcome"])

WEBHOOK_MESSAGES = Gauge(
    "octobatch_webhook_messages", "Outgoing webhooks that wait to be sent, or were given up", ["state"]
)
NOTIFICATIONS = Gauge("octobatch_notifications", "Notifications that wait to be sent, or were given up", ["state"])
NOTIFICATION_ATTEMPTS = Counter(
    "octobatch_notification_attempts_total", "Notifications that were sent, by what became of them", ["kind", "outcome"]
)
EVENT_WATCHERS = Gauge("octobatch_event_watchers", "Event streams that are open at this process")

WEBHOOK_ATTEMPTS = Counter(
    "octobatch_webhook_attempts_total", "Outgoing webhooks that were sent, by what became of them", ["outcome"]
)
