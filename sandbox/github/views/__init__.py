"""How REST and webhooks show what the state holds: JSON objects as GitHub's OpenAPI description has them.

Each function takes the `World` (for addresses and what hangs on a record) and a record, and is named for
GitHub's schema.
"""
