"""Schemathesis over the whole API."""
