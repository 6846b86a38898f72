"""The versions of the API."""

V1 = "/v1"
"""Every address of the API begins with it."""
