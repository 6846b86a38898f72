"""Which webhooks are asked for again, from the log of attempts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from workers.tokens.redelivering import MOST_ATTEMPTS, Attempt, to_redeliver

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def attempt(guid: str, number: int, *, minutes_ago: float, succeeded: bool = False) -> Attempt:
    return Attempt(id=number, guid=guid, delivered_at=NOW - timedelta(minutes=minutes_ago), succeeded=succeeded)


def test_only_what_never_succeeded_is_sent_again_by_its_newest_attempt() -> None:
    attempts = [
        attempt("came", 1, minutes_ago=60),
        attempt("came", 2, minutes_ago=50, succeeded=True),
        attempt("lost", 3, minutes_ago=60),
        attempt("lost", 4, minutes_ago=50),
        attempt("just now", 5, minutes_ago=0.5),
    ]
    assert [each.id for each in to_redeliver(attempts, NOW)] == [4]


def test_the_pause_doubles_and_ends() -> None:
    log: list[Attempt] = []
    minutes = 0
    sent: list[int] = []
    while minutes < 3 * 24 * 60:
        now = NOW + timedelta(minutes=minutes)
        if not log or to_redeliver(log, now):
            log.append(Attempt(id=len(log), guid="g", delivered_at=now, succeeded=False))
            sent.append(minutes)
        minutes += 1
    assert sent == [0, 1, 3, 7, 15, 31]
    assert len(sent) == MOST_ATTEMPTS
