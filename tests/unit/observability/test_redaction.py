"""No secret reaches a log, in whatever shape it comes."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from shared.observability.logs import configure_logging
from shared.observability.redaction import REDACTED, redact

PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nIBAAKC\n-----END RSA PRIVATE KEY-----"
SECRETS = [
    "ghs_16C7e42F292c6912E7710c838347Ae178B4a",
    "ghp_abcdefgh",
    "github_pat_11ABCDEFG0abcdefghijkl",
    "v1.1f699f1069f60xxx",
    "obk_AbCd-1234_efgh",
    "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
    "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiIxIn0.c2lnbmF0dXJl",
    PEM,
]


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_is_taken_out_of_its_sentence(secret: str) -> None:
    assert redact(f"before {secret} after") == f"before {REDACTED} after"


def test_a_key_that_was_cut_short_is_taken_out_to_the_end() -> None:
    assert redact(f"key: {PEM[:50]}") == f"key: {REDACTED}"


def test_the_password_of_an_address_is_taken_out_and_the_address_stays() -> None:
    assert redact("redis://:hunter2@host:6379/0") == f"redis://{REDACTED}@host:6379/0"
    assert redact("postgresql://me:p%40ss@host/db") == f"postgresql://{REDACTED}@host/db"
    assert redact("https://github.com/owner/name") == "https://github.com/owner/name"


@pytest.mark.parametrize("text", ["ghost_writer", "high_scores", "v1.2.3", "v1.10", "a-----b", "obk"])
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact(text) == text


@pytest.fixture
def _logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.mark.usefixtures("_logging")
def test_no_way_of_logging_lets_a_secret_through(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("INFO", "json", "tests")
    log = structlog.stdlib.get_logger("test")
    secret = SECRETS[0]
    log.info(f"in_the_event {secret}")
    log.info("in_a_value", token=secret, nested={"list": [secret, {"deep": secret}]}, raw=secret.encode())
    log.info("in_an_object", error=ValueError(secret))
    try:
        int(secret)
    except ValueError:
        log.exception("in_a_traceback")
        logging.getLogger("somebody.else").exception("in another's traceback: %s", secret)
    logging.getLogger("somebody.else").warning("in an argument: %s", secret)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 6
    assert secret not in "\n".join(lines)
    assert all(json.loads(line)["service"] == "tests" for line in lines)


@pytest.mark.usefixtures("_logging")
def test_what_is_below_the_level_is_not_written(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("WARNING", "console", "tests")
    structlog.stdlib.get_logger("test").info("quiet")
    structlog.stdlib.get_logger("test").warning("loud", number=1)
    output = capsys.readouterr().err
    assert "quiet" not in output
    assert "loud" in output
