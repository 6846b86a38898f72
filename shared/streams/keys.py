"""The names of keys in Redis.

All keys of one service share a hash tag, so that a script may touch them together on Redis Cluster; so do those of
one run's events.
"""

from __future__ import annotations

from ..domain.ids import RunId
from ..domain.operation import Service

PREFIX = "octobatch"
GROUP = "workers"
"""The consumer group of every command stream, made at id 0 so that nothing appended before it is missed."""


class ServiceKeys:
    """The keys of one service's commands."""

    def __init__(self, service: Service) -> None:
        self._stem = f"{PREFIX}:{{{service}}}"
        # What stands before the stream (lanes, order keys) is named in `scripts/lanes.lua`, from the stream's name.
        self.commands = f"{self._stem}:commands"  # stream of envelopes
        self.delayed = f"{self._stem}:delayed"  # sorted set: due time in ms of the server's clock → item
        self.open = f"{self._stem}:open"  # set of operation ids that Redis holds, wherever
        self.dead_letters = f"{self._stem}:dead-letters"  # stream of what was given up, with its error
        self.quarantine = f"{self._stem}:quarantine"  # lock: which consumer runs suspects alone
        self.arq = f"{self._stem}:arq"  # arq's own queue, always empty: commands come from the stream
        self.health = f"{self._stem}:health"  # prefix of arq's health keys, one a process

    def dedupe(self, dedupe_key: str) -> str:
        """Holds the id of the first entry that was appended for `dedupe_key`."""
        return f"{self._stem}:dedupe:{dedupe_key}"

    def periodic(self, name: str) -> str:
        """The lock of a periodic job, kept until it is due again."""
        return f"{self._stem}:periodic:{name}"


def run_events(run_id: RunId | None) -> str:
    """The capped stream of one run's events, or of those that are about runs themselves, of all runs."""
    return f"{_run_stem(run_id)}:events"


def run_events_seen(run_id: RunId | None) -> str:
    """Ids of events appended lately to that stream, so that each is appended once."""
    return f"{_run_stem(run_id)}:seen"


def _run_stem(run_id: RunId | None) -> str:
    return f"{PREFIX}:{{run:{run_id}}}" if run_id else f"{PREFIX}:{{runs}}"


def replies(process: str) -> str:
    """The list that answers to one process's requests come to."""
    return f"{PREFIX}:{{replies:{process}}}"
