"""Checking the App: with credentials that are here, or through the gateway, whose tokens worker has them."""

from __future__ import annotations

import asyncio
import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shared.domain.app_check import CheckLine
from shared.domain.permissions import EXPECTED, Permissions, parse_permissions_text
from shared.errors import InvalidSettings
from shared.github.app_check import check_app
from shared.github.app_manifest import WEBHOOK_PATH

from ..client import open_gateway
from ..failures import CommandFailed, ExitCode
from .creating import app_with_key, open_github
from .credentials import ENVIRONMENT_FILE, KEY_FILE

_ID, _KEY = "OCTOBATCH_GITHUB_APP_ID", "OCTOBATCH_GITHUB_APP_PRIVATE_KEY"
DEFAULT_API_BASE = "https://api.github.com"


@dataclass(frozen=True, kw_only=True)
class LocalApp:
    """An App whose key this process has."""

    app_id: str
    private_key: str = field(repr=False)
    api_base: str
    webhook_url: str | None
    expected: Permissions


def find_local_app(folder: Path | None) -> LocalApp | None:
    """The App of a folder that `github-app create` wrote, else of the environment; None where neither has one.

    Raises `CommandFailed` where the folder has none, or something of it cannot be used.
    """
    if folder is None:
        return _local_app(os.environ, _key_of(os.environ)) if os.environ.get(_ID) else None
    settings = {**os.environ, **_settings_of(folder / ENVIRONMENT_FILE)}
    if not settings.get(_ID):
        raise _bad_input(f"{folder / ENVIRONMENT_FILE} has no {_ID}")
    return _local_app(settings, _read(folder / KEY_FILE))


def check_locally(local: LocalApp) -> list[CheckLine]:
    """Asks GitHub itself."""

    async def check() -> list[CheckLine]:
        async with open_github(local.api_base) as github:
            app = app_with_key(github, app_id=local.app_id, private_key=local.private_key)
            return await check_app(app, expected=local.expected, webhook_url=local.webhook_url)

    return asyncio.run(check())


def check_through_gateway() -> list[CheckLine]:
    """Asks the gateway."""
    with open_gateway() as gateway:
        found: Sequence[dict[str, Any]] = gateway.get("/github-app/check")["lines"]
    return [CheckLine(**line) for line in found]


def _local_app(settings: Mapping[str, str], private_key: str) -> LocalApp:
    public_url = settings.get("OCTOBATCH_PUBLIC_URL", "").rstrip("/")
    permissions = settings.get("OCTOBATCH_GITHUB_APP_PERMISSIONS")
    try:
        expected = parse_permissions_text(permissions) if permissions else EXPECTED
    except ValueError as error:
        raise InvalidSettings(f"OCTOBATCH_GITHUB_APP_PERMISSIONS: {error}") from None
    return LocalApp(
        app_id=settings[_ID],
        private_key=private_key,
        api_base=settings.get("OCTOBATCH_GITHUB_API_BASE") or DEFAULT_API_BASE,
        webhook_url=public_url + WEBHOOK_PATH if public_url else None,
        expected=expected,
    )


def _key_of(environment: Mapping[str, str]) -> str:
    if key := environment.get(_KEY):
        return key
    if file := environment.get(f"{_KEY}_FILE"):
        return _read(Path(file))
    raise _bad_input(f"{_ID} is set, and neither {_KEY} nor {_KEY}_FILE is")


def _settings_of(file: Path) -> dict[str, str]:
    """The lines NAME=value of a file, as a shell reads them."""
    words = shlex.split(_read(file), comments=True)
    return dict(word.split("=", 1) for word in words if "=" in word)


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise _bad_input(f"{path} cannot be read: {why}") from None


def _bad_input(message: str) -> CommandFailed:
    hint = f"give a folder that 'github-app create' wrote; without one and without {_ID} the gateway looks"
    return CommandFailed(message, exit_code=ExitCode.BAD_INPUT, hint=hint)
