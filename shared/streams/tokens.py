"""Tokens, asked of the tokens worker. They come sealed: what carries them, and Redis above all, cannot read them.

    tokens = TokenClient(requests)
    token = await tokens.get(TokenRequest(scope=scope, requester=principal, purpose="selection …"))

The requester sends a fresh public key with a nonce; the worker seals its answer to that key, bound to the nonce and
all that was asked (`sealing_context`), so that a box cannot be opened by another process or passed off as the answer
to another request.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4
from weakref import WeakValueDictionary

from ..clock import utcnow
from ..domain.ids import InstallationId, RunId
from ..domain.installation import InstallationToken, TokenRequest, TokenScope
from ..domain.operation import Service
from ..domain.permissions import parse_permissions
from ..domain.principal import Principal
from ..domain.token import token_sha256
from ..errors import InvalidInput
from ..sealing import SealingKey
from .requests import Requests
from .token_errors import error_from_answer

SPARE = timedelta(seconds=60)
"""A token is given to nobody in the last minute of its life."""

MINT_TOKEN = "mint_token"  # noqa: S105
FORGET_TOKEN = "forget_token"  # noqa: S105
RESOLVE_INSTALLATION = "resolve_installation"


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
        self._tokens: dict[str, InstallationToken] = {}
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def get(self, request: TokenRequest) -> InstallationToken:
        """A token that lives for a minute and `min_ttl`, kept in this process for who asks for the same run again.

        Raises `InstallationSuspended`, `InstallationNotFound`, `NotPermitted` (the installation does not grant
        what is asked, or the requester may not have it), `GitHubLimited`, `GitHubUnauthorized` (the App key is
        wrong), `GitHubUnavailable`, `Unavailable` (no tokens worker answers).
        """
        key = _kept_as(request)
        lock = self._locks.setdefault(key, asyncio.Lock())
        async with lock:
            kept = self._tokens.get(key)
            if kept and kept.expires_at - SPARE - request.min_ttl > utcnow():
                return kept
            token = await self.ask(request)
            self._forget_expired()
            self._tokens[key] = token
            if self._on_token:
                self._on_token(token)
            return token

    async def ask(self, request: TokenRequest) -> InstallationToken:
        """The same from the tokens worker itself, which decides and records it each time; nothing is kept here."""
        key = SealingKey.generate()
        payload = {
            **request_payload(request),
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

    async def invalidate(self, token: InstallationToken) -> None:
        """Forget a token that GitHub no longer accepts, here and in the worker, so that the next is a new one."""
        forgotten = [key for key, kept in self._tokens.items() if kept.token == token.token]
        for key in forgotten:
            del self._tokens[key]
        if forgotten:
            await self._request(FORGET_TOKEN, {"token_sha256": token_sha256(token.token)})

    async def installation_for(self, account: str) -> InstallationId:
        """The installation that serves an organisation's or user's repositories; raises `InstallationNotFound`."""
        answer = await self._request(RESOLVE_INSTALLATION, {"account": account})
        return InstallationId(int(answer["installation_id"]))

    async def _request(self, command: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        answer = await self._requests.ask(Service.TOKENS, command, payload, timeout_seconds=self._timeout)
        if "error" in answer:
            raise error_from_answer(answer["error"])
        return answer

    def _forget_expired(self) -> None:
        now = utcnow()
        self._tokens = {key: token for key, token in self._tokens.items() if token.expires_at - SPARE > now}


def scope_payload(scope: TokenScope) -> dict[str, Any]:
    """What a token may do, as JSON with one form for each meaning."""
    return {
        "installation_id": scope.installation_id,
        "permissions": {resource: level.value for resource, level in sorted(scope.permissions.items())},
        "repository_ids": sorted(set(scope.repository_ids)),
    }


def request_payload(request: TokenRequest) -> dict[str, Any]:
    """Who asks for which token, as JSON."""
    return {
        **scope_payload(request.scope),
        "repository_names": sorted(set(request.repository_names)),
        "min_ttl_seconds": request.min_ttl.total_seconds(),
        "requester": request.requester.to_json(),
        "purpose": request.purpose,
        "run_id": str(request.run_id) if request.run_id else None,
    }


def sealing_context(payload: Mapping[str, Any]) -> bytes:
    """What the box of an answer is bound to: the nonce of the request, who asks, and all that it asks for."""
    bound = {key: value for key, value in payload.items() if key != "public_key"}
    return b"octobatch token " + json.dumps(bound, sort_keys=True, separators=(",", ":")).encode()


def parse_request(payload: Mapping[str, Any]) -> TokenRequest:
    """Who asks for which token; raises `InvalidInput`."""
    try:
        return TokenRequest(
            scope=TokenScope(
                installation_id=InstallationId(int(payload["installation_id"])),
                permissions=parse_permissions(payload["permissions"]),
                repository_ids=tuple(int(each) for each in payload["repository_ids"]),
            ),
            repository_names=tuple(str(each) for each in payload["repository_names"]),
            min_ttl=timedelta(seconds=float(payload["min_ttl_seconds"])),
            requester=Principal.from_json(payload["requester"]),
            purpose=str(payload["purpose"]),
            run_id=RunId(UUID(payload["run_id"])) if payload["run_id"] else None,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InvalidInput(f"not a request for a token: {error}") from error


def _kept_as(request: TokenRequest) -> str:
    """What requests share a token: those for the same scope, and for the same run, which may give it back."""
    return json.dumps([scope_payload(request.scope), str(request.run_id)])
