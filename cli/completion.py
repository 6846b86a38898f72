"""Names that the shell completes. Where they cannot be known, nothing is completed and nothing is said.

Those of the gateway are kept for a few seconds, so that each press of the tab key is not a request.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx

from .client import Gateway, open_gateway
from .connection import Connection, find_connection
from .failures import CommandFailed
from .invocation import invocation

KEPT_SECONDS = 5.0
PATIENCE = httpx.Timeout(2)
MOST = 200

Words = list[tuple[str, str]]
"""Words, and what each is, as shells show it beside them."""


def complete_campaigns(incomplete: str) -> Words:
    """Names of campaigns."""
    return _matching(incomplete, "campaigns", _campaigns)


def complete_runs(incomplete: str) -> Words:
    """Names of campaigns, for their latest runs; ids of runs once one is begun."""
    return _matching(incomplete, "campaigns", _campaigns) or _matching(incomplete, "runs", _runs)


def complete_selections(incomplete: str) -> Words:
    """Names of selections."""
    return _matching(incomplete, "selections", _selections)


def complete_repositories(incomplete: str) -> Words:
    """Repositories of the latest run."""
    return _matching(incomplete, "repositories", _repositories)


def complete_installations(incomplete: str) -> Words:
    """Accounts that the App is installed in."""
    return _matching(incomplete, "installations", _installations)


def complete_policies(incomplete: str) -> Words:
    """Names of trust policies."""
    return _matching(incomplete, "policies", lambda gateway: [(each["name"], "") for each in _policies(gateway)])


def complete_schedules(incomplete: str) -> Words:
    """Names of selections' schedules."""
    return _matching(incomplete, "schedules", _schedules)


def _campaigns(gateway: Gateway) -> Words:
    return [(each["name"], each["description"]) for each in gateway.items("/campaigns", limit=MOST)]


def _runs(gateway: Gateway) -> Words:
    found = gateway.items("/runs", limit=MOST)
    return [(each["id"], f"{each['campaign_name']}, {each['state']}") for each in found]


def _selections(gateway: Gateway) -> Words:
    found = gateway.items("/selections", limit=MOST)
    return list({each["name"]: (each["name"], each["state"]) for each in found if each["name"]}.values())


def _repositories(gateway: Gateway) -> Words:
    latest = next(gateway.items("/runs", limit=1), None)
    if latest is None:
        return []
    found = gateway.items(f"/runs/{latest['id']}/targets", limit=MOST)
    return list({each["repository"]: (each["repository"], each["state"]) for each in found}.values())


def _policies(gateway: Gateway) -> Iterable[dict[str, Any]]:
    return gateway.get("/policies")["items"]


def _installations(gateway: Gateway) -> Words:
    return [(each["account"], str(each["id"])) for each in gateway.short_list("/installations")]


def _schedules(gateway: Gateway) -> Words:
    return [(each["name"], each["cron"]) for each in gateway.items("/selection-schedules", limit=MOST)]


def _matching(incomplete: str, kind: str, ask: Callable[[Gateway], Words]) -> Words:
    try:
        words = _known(find_connection(context=invocation().context), kind, ask)
    except (CommandFailed, OSError, ValueError, KeyError, TypeError):
        return []  # a line between a person's keys would be worse than no names
    return [(word, about) for word, about in words if word.lower().startswith(incomplete.lower())]


def _known(connection: Connection, kind: str, ask: Callable[[Gateway], Words]) -> Words:
    file = _kept_in(connection, kind)
    with suppress(OSError, ValueError):
        if time.time() - file.stat().st_mtime < KEPT_SECONDS:
            return [(word, about) for word, about in json.loads(file.read_text(encoding="utf-8"))]
    with open_gateway(connection, timeout=PATIENCE) as gateway:
        words = ask(gateway)
    with suppress(OSError):
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(json.dumps(words), encoding="utf-8")
    return words


def _kept_in(connection: Connection, kind: str) -> Path:
    base = os.environ.get("XDG_CACHE_HOME")
    folder = Path(base) if base and Path(base).is_absolute() else Path.home() / ".cache"
    # what one key may see is not shown to another
    whose = hashlib.sha256(f"{connection.url} {connection.api_key}".encode()).hexdigest()[:16]
    return folder / "octobatch" / f"{kind}-{whose}.json"
