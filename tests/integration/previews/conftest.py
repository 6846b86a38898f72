"""Worlds of one campaign, as the tests of following have them."""

from tests.integration.following.conftest import make_settings, make_world

__all__ = ["make_settings", "make_world"]
