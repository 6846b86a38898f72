"""Webhook deliveries: is one really from GitHub, and which worker is it for. Pure.

GitHub signs the raw body with HMAC-SHA-256 (docs.github.com, "Validating webhook deliveries"). The older SHA-1
signature is not accepted.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Any

from ..domain.operation import Service

_PREFIX = "sha256="
_HEADS = "refs/heads/"

_SERVICES = {
    "installation": Service.TOKENS,
    "installation_repositories": Service.TOKENS,
    "installation_target": Service.TOKENS,
    "pull_request": Service.CAMPAIGNS,
    "pull_request_review": Service.CAMPAIGNS,
    "check_suite": Service.CAMPAIGNS,
}

SUBSCRIPTIONS = ("check_suite", "pull_request", "pull_request_review", "push", "repository")
"""What an App subscribes to of these events. Those of installations GitHub sends to every App: a manifest that names
them is refused ("Default events unsupported"), as is one with events that its permissions do not cover."""


def signature_is_valid(body: bytes, signature: str | None, *, secrets: Sequence[bytes]) -> bool:
    """Whether `signature` (the header `X-Hub-Signature-256`) was made over `body` with one of `secrets`.

    Several secrets are valid at once while one is being replaced. Takes the same time for every wrong signature.
    """
    if not signature or not signature.startswith(_PREFIX):
        return False
    given = signature.removeprefix(_PREFIX).encode()
    digests = [hmac.new(secret, body, hashlib.sha256).hexdigest().encode() for secret in secrets]
    return any([hmac.compare_digest(digest, given) for digest in digests])  # noqa: C419 - compares with all of them


def service_for(event: str) -> Service | None:
    """The worker that takes in an event (the header `X-GitHub-Event`); None for events that change nothing here."""
    return _SERVICES.get(event)


def pushed_branch(event: str, payload: Mapping[str, Any]) -> tuple[str, str] | None:
    """The repository's node id and the branch that somebody has pushed to; None for all else."""
    repository, ref = payload.get("repository"), str(payload.get("ref"))
    if event != "push" or not repository or not ref.startswith(_HEADS):
        return None
    return repository["node_id"], ref.removeprefix(_HEADS)


def changed_repositories(event: str, payload: Mapping[str, Any]) -> list[str]:
    """The node ids of the repositories that a delivery says have changed, as far as a listing shows it."""
    if event == "installation_repositories":
        moved = [*payload.get("repositories_added", ()), *payload.get("repositories_removed", ())]
        return [repository["node_id"] for repository in moved]
    repository = payload.get("repository")
    if not repository or event not in {"repository", "push", "custom_property_values"}:
        return []
    if event == "push" and payload.get("ref") != f"refs/heads/{repository.get('default_branch')}":
        return []
    return [repository["node_id"]]
