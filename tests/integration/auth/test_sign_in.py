"""A provider changes its keys while people sign in with them."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from shared.auth.issuers import PAUSE_SECONDS
from shared.auth.sign_in import SignInAttempt, SignInProvider
from shared.domain.principal import Principal
from shared.errors import NotAuthenticated
from tests.integration.auth.provider import CLIENT_ID, CLIENT_SECRET, running_provider


async def test_a_key_that_is_not_known_is_asked_for_once() -> None:
    seconds = 1000.0
    with running_provider() as provider:
        provider.redirect_uri = "http://gateway/callback"
        async with httpx.AsyncClient(timeout=5) as http:
            client = SignInProvider(
                http,
                issuer=provider.url,
                client_id=CLIENT_ID,
                client_secret=CLIENT_SECRET,
                scopes="openid",
                redirect_uri=provider.redirect_uri,
                grants=(),
                now=lambda: seconds,
            )

            async def sign_in() -> Principal:
                attempt = SignInAttempt.fresh()
                back = await http.get(await client.address(attempt))
                code = parse_qs(urlsplit(back.headers["location"]).query)["code"][0]
                return await client.redeem(attempt, code=code)

            assert (await sign_in()).name == "alice@acme.example"
            provider.rotate("second")
            seconds += PAUSE_SECONDS
            assert (await sign_in()).issuer == provider.url
            assert provider.requests.count("/keys") == 2
            provider.key_id = "never published"
            for _ in range(3):
                with pytest.raises(NotAuthenticated, match="does not publish"):
                    await sign_in()
            assert provider.requests.count("/keys") == 2
