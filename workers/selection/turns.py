"""Turns at the worker: long work gives way to others after a while, and a hiccup in its midst costs no attempt."""

from __future__ import annotations

from datetime import timedelta

from shared.clock import utcnow
from shared.errors import Defer, GitHubUnavailable

LONGEST_TURN = timedelta(minutes=5)

_GO_ON_SECONDS = 2.0


class Turn:
    """One turn. `pages` counts what was stored in it, so that the next turn need not ask for it again."""

    def __init__(self) -> None:
        self._ends_at = utcnow() + LONGEST_TURN
        self.pages = 0

    def check(self) -> None:
        """Raises `Defer` where others should get a turn."""
        if utcnow() > self._ends_at:
            raise Defer(utcnow(), "others get a turn")

    def excuse(self, error: GitHubUnavailable) -> Exception:
        """The error to raise: where pages were stored in this turn, the next turn is no further attempt."""
        if not self.pages:
            return error
        return Defer(utcnow() + timedelta(seconds=_GO_ON_SECONDS), str(error))
