"""Pages for people who would rather look than call an API. Read-only; no build step, nothing from elsewhere."""
