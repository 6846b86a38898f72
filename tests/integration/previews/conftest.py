"""Worlds of one campaign, as the tests of following have them."""

from tests.integration.following.conftest import make_settings, make_world, rows

__all__ = ["make_settings", "make_world", "rows"]
