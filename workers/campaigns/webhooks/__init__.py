"""Outgoing webhooks: their sending, and what becomes of it."""
