"""Targets and their artifacts over HTTP."""
