"""Outgoing webhooks: what becomes of a message, whom it may go to, and what its receiver can check."""

from __future__ import annotations

import ipaddress
import json
from datetime import UTC, datetime, timedelta
from itertools import accumulate

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from shared.auth.webhook_signing import endpoint_secret, signed_headers
from shared.domain.ids import RunId, WebhookEndpointId, WebhookMessageId, new_id
from shared.domain.webhook_retries import Again, Answer, Dead, Delivered, Gone, Outcome, judge, retry_delay
from shared.domain.webhooks import Told, body_of, check_patterns, check_url
from shared.errors import InvalidInput
from workers.campaigns.webhooks.addresses import AddressRefused, is_public, resolve

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)


def at(**after: float) -> datetime:
    return NOW + timedelta(**after)


NOTHING = Answer(error="no answer within 15 s")


@pytest.mark.parametrize(
    ("answer", "attempt", "failures", "age", "outcome"),
    [
        (Answer(status=200), 1, 0, timedelta(), Delivered()),
        (Answer(status=204), 9, 3, timedelta(hours=30), Delivered()),
        (Answer(status=410), 1, 0, timedelta(), Gone("it answered 410")),
        (Answer(status=302), 1, 0, timedelta(), Again(at(seconds=5), "it answered 302")),
        (Answer(status=404), 2, 0, timedelta(), Again(at(seconds=20), "it answered 404")),
        (Answer(status=500), 3, 0, timedelta(), Again(at(seconds=80), "it answered 500")),
        (Answer(status=503), 2, 2, timedelta(), Again(at(seconds=20), "it answered 503", at(seconds=4))),
        (
            Answer(status=429, retry_after="90"),
            1,
            0,
            timedelta(),
            Again(at(seconds=90), "it answered 429", at(seconds=90)),
        ),
        (
            Answer(status=503, retry_after="Sun, 01 Mar 2026 09:02:00 GMT"),
            1,
            0,
            timedelta(),
            Again(at(seconds=120), "it answered 503", at(seconds=120)),
        ),
        (
            Answer(status=429, retry_after="9" * 30),
            1,
            0,
            timedelta(),
            Again(at(hours=1), "it answered 429", at(hours=1)),
        ),
        (
            Answer(status=429, retry_after="soon"),
            1,
            0,
            timedelta(),
            Again(at(seconds=5), "it answered 429", at(seconds=1)),
        ),
        (Answer(status=500, retry_after="90"), 1, 0, timedelta(), Again(at(seconds=5), "it answered 500")),
        (NOTHING, 1, 0, timedelta(), Again(at(seconds=5), NOTHING.error or "", at(seconds=1))),
        (NOTHING, 1, 12, timedelta(), Again(at(minutes=5), NOTHING.error or "", at(minutes=5))),
        (Answer(status=500), 11, 0, timedelta(hours=17), Again(at(hours=6), "it answered 500")),
        (Answer(status=500), 11, 0, timedelta(hours=19), Dead("it answered 500")),
        (NOTHING, 11, 3, timedelta(hours=19), Dead(NOTHING.error or "", at(seconds=8))),
    ],
)
def test_what_becomes_of_a_message(
    answer: Answer, attempt: int, failures: int, age: timedelta, outcome: Outcome
) -> None:
    judged = judge(answer, attempt=attempt, endpoint_failures=failures, tried_since=NOW - age, now=NOW)
    assert judged == outcome


def test_a_message_is_tried_ten_times_in_a_day() -> None:
    waits = list(accumulate(retry_delay(attempt) for attempt in range(1, 11)))
    assert [wait.total_seconds() for wait in waits[:4]] == [5, 25, 105, 425]
    assert sum(wait <= timedelta(days=1) for wait in waits) == 9


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"),
        *("224.0.0.1", "255.255.255.255", "240.0.0.1", "192.0.2.1", "198.18.0.1"),
        *("::1", "::", "fe80::1", "fc00::1", "ff02::1", "2001:db8::1"),
        *("::ffff:127.0.0.1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "64:ff9b:1::1"),
    ],
)
def test_no_webhook_goes_to_a_private_address(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "140.82.121.4", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_a_webhook_goes_to_a_public_address(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("host", ["localhost", "127.1", "2130706433", "0x7f.1", "::1"])
async def test_whatever_a_name_looks_like_its_addresses_decide(host: str) -> None:
    with pytest.raises(AddressRefused, match="not an address of the public internet"):
        await resolve(host, 443, allow_private=False)
    assert await resolve(host, 443, allow_private=True)


ENDPOINT = WebhookEndpointId(new_id())
BODY = body_of(
    Told(type="run.completed", occurred_at=NOW, campaign="notice", run_id=RunId(new_id()), payload={"to": "é"})
)


def sign(*keys: str, generations: tuple[int, ...] = (1,)) -> dict[str, str]:
    return signed_headers(
        BODY,
        message_id=WebhookMessageId(new_id()),
        at=datetime.now(UTC),
        endpoint_id=ENDPOINT,
        generations=generations,
        keys=keys,
    )


def test_the_signature_is_what_standard_webhooks_says() -> None:
    verified = Webhook(endpoint_secret("a" * 32, ENDPOINT, 1)).verify(BODY, sign("a" * 32))
    assert verified == json.loads(BODY)
    assert verified["data"]["campaign"] == "notice"


def test_while_secrets_or_keys_are_exchanged_the_old_one_and_the_new_one_count() -> None:
    old, new = "a" * 32, "b" * 32
    headers = sign(new, old, generations=(2, 1))
    for key in (old, new):
        for generation in (1, 2):
            Webhook(endpoint_secret(key, ENDPOINT, generation)).verify(BODY, headers)
    other = endpoint_secret(new, WebhookEndpointId(new_id()), 2)
    with pytest.raises(WebhookVerificationError):
        Webhook(other).verify(BODY, headers)


def test_patterns_name_events_that_happen() -> None:
    assert check_patterns(["*", "run.*", "target.merged", "run.*"]) == ("*", "run.*", "target.merged")
    assert check_patterns(["run.paused", "target.acted"])
    with pytest.raises(InvalidInput) as refused:
        check_patterns(["run.completed", "target.mergd", "merged", "tar*.open"])
    assert [problem.path for problem in refused.value.problems] == ["events.1", "events.2", "events.3"]


@pytest.mark.parametrize(
    "url",
    ["http://hooks.example", "https://", "ftp://hooks.example", "https://u:p@hooks.example", "https://hooks.example/#a",
     "https://hooks.example/a b", "https://hooks.example:99999", "https://[1", "hooks.example"],
)  # fmt: skip
def test_an_endpoint_is_an_https_address(url: str) -> None:
    with pytest.raises(InvalidInput):
        check_url(url, allow_plain=False)
    assert check_url("https://hooks.example:8443/a?b=c", allow_plain=False)
    assert check_url("http://localhost:1/a", allow_plain=True)
