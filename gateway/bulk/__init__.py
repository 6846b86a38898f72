"""Bulk operations over HTTP."""
