"""Only what GitHub signed is taken in."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from shared.domain.operation import Service
from shared.github.webhooks import pushed_branch, service_for, signature_is_valid


def test_the_example_of_githubs_documentation_is_valid() -> None:
    signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert signature_is_valid(b"Hello, World!", signature, secrets=[b"It's a Secret to Everybody"])


def test_each_of_several_secrets_is_accepted_while_one_is_replaced() -> None:
    for secret in (b"old", b"new"):
        signature = "sha256=" + hmac.new(secret, b"{}", hashlib.sha256).hexdigest()
        assert signature_is_valid(b"{}", signature, secrets=[b"new", b"old"])


@pytest.mark.parametrize(
    "signature",
    [
        None,
        "",
        "sha256=",
        "sha256=é",
        "sha256=" + hmac.new(b"other", b"{}", hashlib.sha256).hexdigest(),
        "sha256=" + hmac.new(b"secret", b"{ }", hashlib.sha256).hexdigest(),
        "sha1=" + hmac.new(b"secret", b"{}", hashlib.sha1).hexdigest(),
        hmac.new(b"secret", b"{}", hashlib.sha256).hexdigest(),
    ],
)
def test_nothing_else_is_valid(signature: str | None) -> None:
    assert not signature_is_valid(b"{}", signature, secrets=[b"secret"])


def test_without_a_secret_nothing_is_valid() -> None:
    signature = "sha256=" + hmac.new(b"", b"{}", hashlib.sha256).hexdigest()
    assert not signature_is_valid(b"{}", signature, secrets=[])


def test_a_push_names_its_branch_and_a_tag_is_none() -> None:
    repository = {"node_id": "R_1", "default_branch": "main"}
    assert pushed_branch("push", {"repository": repository, "ref": "refs/heads/release/1"}) == ("R_1", "release/1")
    assert pushed_branch("push", {"repository": repository, "ref": "refs/tags/v1"}) is None
    assert pushed_branch("create", {"repository": repository, "ref": "main"}) is None


def test_each_event_goes_to_the_worker_that_knows_it() -> None:
    assert service_for("installation") is Service.TOKENS
    assert service_for("pull_request") is Service.CAMPAIGNS
    assert service_for("star") is None
