"""Selections over HTTP."""
