"""Tokens, asked of the tokens worker. They come sealed: what carries them, and Redis above all, cannot read them.

    tokens = TokenClient(requests)
    token = await tokens.get(TokenRequest(scope=scope, requester=principal, purpose="selection …"))

The requester sends a fresh public key with a nonce; the worker seals its answer to that key, bound to the nonce and
to what was asked (`sealing_context`), so that a box cannot be opened by another process or passed off as the answer
to another request. A token is kept in this process until 60 seconds before it expires.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeAlias
from uuid import uuid4
from weakref import WeakValueDictionary

from ..clock import utcnow
from ..domain.ids import InstallationId
from ..domain.installation import InstallationToken, TokenRequest, TokenScope
from ..domain.operation import Service
from ..domain.permissions import parse_permissions
from ..domain.principal import Principal
from ..errors import InvalidInput
from ..sealing import SealingKey
from .requests import Requests
from .token_errors import error_from_answer

SPARE = timedelta(seconds=60)
"""A token is given to nobody in the last minute of its life."""

MINT_TOKEN = "mint_token"  # noqa: S105
FORGET_TOKEN = "forget_token"  # noqa: S105
RESOLVE_INSTALLATION = "resolve_installation"

_Scope: TypeAlias = tuple[InstallationId, tuple[tuple[str, str], ...], tuple[int, ...]]


class TokenClient:
    """Asks the tokens worker. One for a process; safe for many tasks at once."""

    def __init__(
        self,
        requests: Requests,
        *,
        timeout_seconds: float = 40,
        on_token: Callable[[InstallationToken], None] | None = None,
    ) -> None:
        self._on_token = on_token
        self._requests = requests
        self._timeout = timeout_seconds
        self._tokens: dict[_Scope, InstallationToken] = {}
        self._locks: WeakValueDictionary[_Scope, asyncio.Lock] = WeakValueDictionary()

    async def get(self, request: TokenRequest) -> InstallationToken:
        """A token that lives for a minute at least.

        Raises `InstallationSuspended`, `InstallationNotFound`, `NotPermitted` (the installation does not grant
        what is asked), `GitHubLimited`, `GitHubUnauthorized` (the App key is wrong), `GitHubUnavailable`,
        `Unavailable` (no tokens worker answers).
        """
        scope = _scope(request.scope)
        lock = self._locks.setdefault(scope, asyncio.Lock())
        async with lock:
            kept = self._tokens.get(scope)
            if kept and kept.expires_at - SPARE > utcnow():
                return kept
            token = await self._ask(request)
            self._forget_expired()
            self._tokens[scope] = token
            if self._on_token:
                self._on_token(token)
            return token

    async def invalidate(self, token: InstallationToken) -> None:
        """Forget a token that GitHub no longer accepts, here and in the worker, so that the next is a new one."""
        for scope, kept in list(self._tokens.items()):
            if kept.token == token.token:
                del self._tokens[scope]
                digest = token_sha256(token.token)
                await self._request(FORGET_TOKEN, {**scope_payload(_scope_of(scope)), "token_sha256": digest})

    async def installation_for(self, account: str) -> InstallationId:
        """The installation that serves an organisation's or user's repositories; raises `InstallationNotFound`."""
        answer = await self._request(RESOLVE_INSTALLATION, {"account": account})
        return InstallationId(int(answer["installation_id"]))

    async def _ask(self, request: TokenRequest) -> InstallationToken:
        key = SealingKey.generate()
        payload = {
            **scope_payload(request.scope),
            "requester": request.requester.to_json(),
            "purpose": request.purpose,
            "nonce": uuid4().hex,
            "public_key": base64.b64encode(key.public_bytes).decode(),
        }
        answer = await self._request(MINT_TOKEN, payload)
        secret = key.open(base64.b64decode(answer["box"]), info=sealing_context(payload))
        return InstallationToken(
            token=secret.decode(),
            installation_id=request.scope.installation_id,
            expires_at=datetime.fromisoformat(answer["expires_at"]),
            minted_at=datetime.fromisoformat(answer["minted_at"]),
            permissions=parse_permissions(answer["permissions"]),
            repository_selection=answer["repository_selection"],
        )

    async def _request(self, command: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        answer = await self._requests.ask(Service.TOKENS, command, payload, timeout_seconds=self._timeout)
        if "error" in answer:
            raise error_from_answer(answer["error"])
        return answer

    def _forget_expired(self) -> None:
        now = utcnow()
        self._tokens = {scope: token for scope, token in self._tokens.items() if token.expires_at - SPARE > now}


def scope_payload(scope: TokenScope) -> dict[str, Any]:
    """What is asked for, as JSON with one form for each meaning."""
    return {
        "installation_id": scope.installation_id,
        "permissions": {resource: level.value for resource, level in sorted(scope.permissions.items())},
        "repository_ids": sorted(set(scope.repository_ids)),
    }


def sealing_context(payload: Mapping[str, Any]) -> bytes:
    """What the box of an answer is bound to: the nonce of the request and what it asks for."""
    bound = {key: payload[key] for key in ("nonce", "installation_id", "permissions", "repository_ids")}
    return b"octobatch token " + json.dumps(bound, sort_keys=True, separators=(",", ":")).encode()


def token_sha256(token: str) -> str:
    """The SHA-256 of a token in base64, as GitHub's audit log has it: names a token without giving it away."""
    return base64.b64encode(hashlib.sha256(token.encode()).digest()).decode()


def parse_scope(payload: Mapping[str, Any]) -> TokenScope:
    """The scope that a payload asks for; raises `InvalidInput`."""
    try:
        return TokenScope(
            installation_id=InstallationId(int(payload["installation_id"])),
            permissions=parse_permissions(payload["permissions"]),
            repository_ids=tuple(int(each) for each in payload["repository_ids"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InvalidInput(f"not a request for a token: {error}") from error


def parse_request(payload: Mapping[str, Any]) -> TokenRequest:
    """Who asks for which token; raises `InvalidInput`."""
    try:
        return TokenRequest(
            scope=parse_scope(payload),
            requester=Principal.from_json(payload["requester"]),
            purpose=str(payload["purpose"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InvalidInput(f"not a request for a token: {error}") from error


def _scope_of(scope: _Scope) -> TokenScope:
    installation_id, permissions, repository_ids = scope
    return TokenScope(
        installation_id=installation_id,
        permissions=parse_permissions(dict(permissions)),
        repository_ids=repository_ids,
    )


def _scope(scope: TokenScope) -> _Scope:
    permissions = tuple(sorted((resource, level.value) for resource, level in scope.permissions.items()))
    return scope.installation_id, permissions, tuple(sorted(set(scope.repository_ids)))
