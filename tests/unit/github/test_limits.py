"""What a response of GitHub means. The bodies are GitHub's own, from its documentation and recorded responses."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.errors import (
    GitHubError,
    GitHubForbidden,
    GitHubInvalid,
    GitHubLimited,
    GitHubNotFound,
    GitHubUnauthorized,
    GitHubUnavailable,
    InstallationSuspended,
)
from shared.github.limits import LONGEST_WAIT, error_of, graphql_error, graphql_limit, redacted

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
DATE = "Sun, 01 Mar 2026 12:00:00 GMT"
RESET = str(int((NOW + timedelta(minutes=20)).timestamp()))

SECONDARY = {
    "documentation_url": "https://docs.github.com/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits",
    "message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again. "
    "If you reach out to GitHub Support for help, please include the request ID 1A2B:3C4D.",
}
PRIMARY = {
    "message": "API rate limit exceeded for installation ID 12345.",
    "documentation_url": "https://docs.github.com/rest/overview/rate-limits-for-the-rest-api",
}

LIMITS: list[tuple[str, int, dict[str, str], dict[str, Any], timedelta, bool]] = [
    ("primary, by its reset", 403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": RESET}, PRIMARY,
     timedelta(minutes=20, seconds=1), False),
    ("primary, status 429", 429, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": RESET}, PRIMARY,
     timedelta(minutes=20, seconds=1), False),
    ("primary, without headers", 403, {}, PRIMARY, timedelta(seconds=60), False),
    ("secondary with requests remaining", 403, {"x-ratelimit-remaining": "4321", "x-ratelimit-reset": RESET}, SECONDARY,
     timedelta(seconds=60), True),
    ("secondary with retry-after", 403, {"retry-after": "37", "x-ratelimit-remaining": "4321"}, SECONDARY,
     timedelta(seconds=37), True),
    ("secondary, nothing remaining", 403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": RESET}, SECONDARY,
     timedelta(minutes=20, seconds=1), True),
    ("retry-after and no word of a limit", 403, {"retry-after": "5"}, {"message": "Slow down"},
     timedelta(seconds=5), True),
    ("429 without a word", 429, {}, {}, timedelta(seconds=60), True),
    ("a reset that is past", 403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1"}, PRIMARY,
     timedelta(seconds=1), False),
    ("retry-after that is no number", 429, {"retry-after": "soon"}, {}, timedelta(seconds=60), True),
]  # fmt: skip


@pytest.mark.parametrize(("status", "headers", "body", "wait", "secondary"), [case[1:] for case in LIMITS],
                         ids=[case[0] for case in LIMITS])  # fmt: skip
def test_every_form_of_a_limit_says_when_to_ask_again(
    status: int, headers: dict[str, str], body: dict[str, Any], wait: timedelta, secondary: bool
) -> None:
    error = error_of(status, {"date": DATE, **headers}, json.dumps(body).encode(), now=NOW)
    assert isinstance(error, GitHubLimited)
    assert error.retry_at - NOW == wait
    assert error.secondary is secondary
    assert error.status == status


def test_a_reset_is_measured_by_the_clock_it_was_given_in() -> None:
    """Our clock is ten minutes behind GitHub's: the wait is the same."""
    headers = {"date": DATE, "x-ratelimit-remaining": "0", "x-ratelimit-reset": RESET}
    ours = NOW - timedelta(minutes=10)
    error = error_of(403, headers, json.dumps(PRIMARY).encode(), now=ours)
    assert isinstance(error, GitHubLimited)
    assert error.retry_at - ours == timedelta(minutes=20, seconds=1)


def test_a_reset_far_away_is_not_believed() -> None:
    headers = {"date": DATE, "x-ratelimit-remaining": "0", "x-ratelimit-reset": "99999999999"}
    error = error_of(403, headers, json.dumps(PRIMARY).encode(), now=NOW)
    assert isinstance(error, GitHubLimited)
    assert error.retry_at - NOW == LONGEST_WAIT


ERRORS: list[tuple[int, str | bytes, type[GitHubError]]] = [
    (401, '{"message": "Bad credentials"}', GitHubUnauthorized),
    (401, '{"message": "A JSON web token could not be decoded"}', GitHubUnauthorized),
    (403, '{"message": "Resource not accessible by integration"}', GitHubForbidden),
    (403, '{"message": "This installation has been suspended"}', InstallationSuspended),
    (403, '{"message": "Repository was archived so is read-only."}', GitHubForbidden),
    (404, '{"message": "Not Found", "status": "404"}', GitHubNotFound),
    (409, '{"message": "Git Repository is empty."}', GitHubInvalid),
    (410, '{"message": "Issues are disabled for this repo"}', GitHubNotFound),
    (422, '{"message": "Validation Failed", "errors": [{"resource": "PullRequest", "code": "invalid"}]}',
     GitHubInvalid),
    (451, '{"message": "Repository access blocked"}', GitHubForbidden),
    (500, '{"message": "Server Error"}', GitHubUnavailable),
    (502, b"<html><title>Unicorn! &middot; GitHub</title></html>", GitHubUnavailable),
    (503, b"", GitHubUnavailable),
]  # fmt: skip


@pytest.mark.parametrize(("status", "body", "kind"), ERRORS)
def test_each_status_has_one_meaning(status: int, body: str | bytes, kind: type[GitHubError]) -> None:
    raw = body.encode() if isinstance(body, str) else body
    error = error_of(status, {"x-ratelimit-remaining": "4999"}, raw, now=NOW)
    assert type(error) is kind
    assert error.status == status


@pytest.mark.parametrize("status", [200, 201, 202, 204, 304])
def test_success_is_no_error(status: int) -> None:
    assert error_of(status, {"x-ratelimit-remaining": "0"}, b"", now=NOW) is None


def test_the_details_of_a_refusal_are_told() -> None:
    body = {
        "message": "Validation Failed",
        "errors": [
            {"resource": "PullRequest", "code": "custom", "message": "A pull request already exists for acme:x."},
            {"resource": "Label", "field": "name", "code": "missing_field"},
            "plain text",
        ],
    }
    error = error_of(422, {}, json.dumps(body).encode(), now=NOW)
    assert str(error) == (
        "Validation Failed: A pull request already exists for acme:x.; Label name missing_field; plain text"
    )


@pytest.mark.parametrize("error_type", ["RATE_LIMITED", "RATE_LIMIT"])
def test_a_graphql_limit_comes_with_status_200(error_type: str) -> None:
    answer = {"errors": [{"type": error_type, "message": "API rate limit already exceeded for installation ID 1."}]}
    headers = {"date": DATE, "x-ratelimit-remaining": "0", "x-ratelimit-reset": RESET}
    limit = graphql_limit(headers, answer, now=NOW)
    assert limit is not None
    assert not limit.secondary
    assert limit.retry_at - NOW == timedelta(minutes=20, seconds=1)


def test_a_secondary_graphql_limit_is_told_by_its_message() -> None:
    limit = graphql_limit({}, {"data": None, "errors": [SECONDARY]}, now=NOW)
    assert limit is not None
    assert limit.secondary
    assert limit.retry_at - NOW == timedelta(seconds=60)


def test_other_graphql_errors_are_no_limit() -> None:
    answer = {"errors": [{"type": "NOT_FOUND", "message": "Could not resolve to a Repository with the name 'a/b'."}]}
    assert graphql_limit({}, answer, now=NOW) is None


@pytest.mark.parametrize(
    ("message", "error_type", "kind"),
    [
        ("Could not resolve to a Repository with the name 'a/b'.", "NOT_FOUND", GitHubNotFound),
        ("Resource not accessible by integration", "FORBIDDEN", GitHubForbidden),
        ("A ref named refs/heads/x already exists", "UNPROCESSABLE", GitHubInvalid),
        (
            "Something went wrong while executing your query. This may be the result of a timeout",
            None,
            GitHubUnavailable,
        ),
        ("Field 'nope' doesn't exist on type 'Query'", None, GitHubInvalid),
    ],
)
def test_each_graphql_error_has_one_meaning(message: str, error_type: str | None, kind: type[GitHubError]) -> None:
    assert type(graphql_error(message, error_type)) is kind


@pytest.mark.parametrize(
    "token",
    [
        "ghs_16C7e42F292c6912E7710c838347Ae178B4a",
        "ghs_12345_eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiIxIn0.c2lnbmF0dXJl-_c2lnbmF0dXJl",
        "v1.1f699f1069f60xxx".replace("xxx", "a" * 27),
        "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiIxIn0.c2lnbmF0dXJl",
    ],
)
def test_a_message_never_shows_a_token(token: str) -> None:
    error = error_of(422, {}, json.dumps({"message": f"{token} is not valid"}).encode(), now=NOW)
    assert str(error) == "[redacted] is not valid"


def test_a_message_is_never_endless() -> None:
    assert len(redacted("x" * 10_000)) == 500
