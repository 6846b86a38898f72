"""The App's JWTs: dated by GitHub's clock, and kept for most of their life, since a signature may cost a request.

Source: docs.github.com "Generating a JSON Web Token (JWT) for a GitHub App" (RS256; `iat` a minute ago against clock
drift, `exp` within ten minutes, `iss` the App's id as text).
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from jwt.utils import base64url_encode

from ..clock import utcnow
from .signers import Signer

ISSUED_BEFORE = timedelta(seconds=60)
LIVES_FOR = timedelta(seconds=540)
KEPT_FOR = timedelta(seconds=420)
"""So long a JWT is used again: two minutes of its life remain then for requests on their way and clocks that drift."""

_HEADER = {"alg": "RS256", "typ": "JWT"}


def is_jwt(token: str) -> bool:
    """Whether a credential is a JWT of an App, and no token of an installation."""
    return token.startswith("eyJ")


class AppJwts:
    """Makes JWTs of one App. Where GitHub's clock is not ours, tell it by `learn_clock`.

    `clock_offset` is GitHub's clock minus ours, as far as it was learnt.
    """

    def __init__(self, app_id: str) -> None:
        self._app_id = app_id
        self.clock_offset = timedelta()
        self._kept: dict[str, tuple[str, datetime]] = {}  # by key: a JWT and when it was made, by our clock

    async def signed_by(self, signer: Signer) -> str:
        """A JWT that lives for two minutes at least; raises what the signer does."""
        now = utcnow()
        text, made_at = self._kept.get(signer.key_id, ("", now))
        if text and timedelta() <= now - made_at < KEPT_FOR:
            return text
        offset = self.clock_offset
        text = await self._make(signer, now + offset)
        if offset == self.clock_offset:
            fresh = {key: kept for key, kept in self._kept.items() if now - kept[1] < KEPT_FOR}
            self._kept = {**fresh, signer.key_id: (text, now)}
        return text

    def learn_clock(self, theirs: datetime) -> None:
        """It is `theirs` at GitHub now: JWTs dated otherwise are good no more."""
        self.clock_offset = theirs - utcnow()
        self._kept = {}

    async def _make(self, signer: Signer, now: datetime) -> str:
        claims = {
            "iat": int((now - ISSUED_BEFORE).timestamp()),
            "exp": int((now + LIVES_FOR).timestamp()),
            "iss": self._app_id,
        }
        message = b".".join(base64url_encode(json.dumps(each).encode()) for each in (_HEADER, claims))
        return b".".join([message, base64url_encode(await signer.sign(message))]).decode()
