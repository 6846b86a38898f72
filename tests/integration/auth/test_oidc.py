"""A workload is believed for what a trusted issuer signed for us, and for nothing else."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from shared.auth.issuers import KEYS_LIVE_SECONDS, PAUSE_SECONDS
from shared.auth.oidc import OidcVerifier, is_like_oidc_token
from shared.domain.principal import PrincipalKind
from shared.errors import NotAuthenticated, Unavailable
from tests.integration.auth.issuer import AUDIENCE, LittleIssuer, running_issuer


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def issuer() -> Iterator[LittleIssuer]:
    with running_issuer() as issuer:
        yield issuer


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=5) as http:
        yield http


@pytest.fixture
def verifier(http: httpx.AsyncClient, issuer: LittleIssuer, clock: Clock) -> OidcVerifier:
    return OidcVerifier(http, issuers=[issuer.url], audience=AUDIENCE, now=clock)


async def refusal(verifier: OidcVerifier, token: str) -> str:
    with pytest.raises(NotAuthenticated) as raised:
        await verifier.verify(token)
    assert token not in str(raised.value)
    return str(raised.value)


def unsigned(header: dict[str, Any], claims: dict[str, Any]) -> str:
    parts = (json.dumps(part).encode() for part in (header, claims))
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


async def test_a_valid_token_tells_who_asks(verifier: OidcVerifier, issuer: LittleIssuer) -> None:
    principal = await verifier.verify(issuer.token())
    assert principal.kind is PrincipalKind.OIDC
    assert (principal.name, principal.issuer) == ("repo:acme/infra:ref:refs/heads/main", issuer.url)
    assert principal.claims["repository_owner"] == "acme"


async def test_elliptic_curves_and_several_audiences_are_known(verifier: OidcVerifier, issuer: LittleIssuer) -> None:
    issuer.rotate("curve", algorithm="ES256")
    assert (await verifier.verify(issuer.token(aud=["other", AUDIENCE]))).claims["aud"] == ["other", AUDIENCE]


async def test_clocks_may_differ_by_a_minute(verifier: OidcVerifier, issuer: LittleIssuer) -> None:
    now = int(time.time())
    await verifier.verify(issuer.token(exp=now - 50, iat=now + 50, nbf=now + 50))


# what is changed in a valid token's claims (times from now) → a part of the reason
WRONG_CLAIMS: list[tuple[dict[str, Any], str]] = [
    ({"exp": timedelta(seconds=-120)}, "has expired: ask its issuer for a new one"),
    ({"nbf": timedelta(minutes=10)}, "is not valid yet"),
    ({"iat": timedelta(minutes=10)}, "is not valid yet"),
    ({"aud": "another"}, "another audience: ask its issuer for one with the audience octobatch"),
    ({"aud": ["another", "octobatch2"]}, "another audience"),
    ({"aud": None}, "has no claim aud"),
    ({"exp": None}, "has no claim exp"),
    ({"sub": None}, "has no claim sub"),
    ({"iss": None}, "issuer is not trusted"),
    ({"iss": "https://evil.example"}, "issuer is not trusted"),
    ({"exp": "soon"}, "is not valid"),
    ({"exp": float("inf")}, "is not valid"),
]


@pytest.mark.parametrize(("changed", "reason"), WRONG_CLAIMS)
async def test_a_wrong_claim_is_refused_with_what_to_put_right(
    verifier: OidcVerifier, issuer: LittleIssuer, changed: dict[str, Any], reason: str
) -> None:
    now = int(time.time())
    claims = {
        name: now + int(value.total_seconds()) if isinstance(value, timedelta) else value
        for name, value in changed.items()
    }
    assert reason in await refusal(verifier, issuer.token(**claims))


async def test_a_token_without_signature_is_refused(verifier: OidcVerifier, issuer: LittleIssuer) -> None:
    for algorithm in ("none", "None", "NONE"):
        token = f"{unsigned({'alg': algorithm, 'typ': 'JWT', 'kid': issuer.key_id}, issuer.claims())}."
        assert "must be signed with one of" in await refusal(verifier, token)


async def test_a_public_key_is_no_shared_secret(verifier: OidcVerifier, issuer: LittleIssuer) -> None:
    public_pem = issuer.private_key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    signed = unsigned({"alg": "HS256", "typ": "JWT", "kid": issuer.key_id}, issuer.claims())
    signature = hmac.new(public_pem, signed.encode(), hashlib.sha256).digest()
    token = f"{signed}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"
    assert "must be signed with one of" in await refusal(verifier, token)


async def test_a_shared_secret_that_an_issuer_publishes_is_no_key(verifier: OidcVerifier, issuer: LittleIssuer) -> None:
    issuer.keys = [{"kty": "oct", "kid": issuer.key_id, "k": "c2VjcmV0", "alg": "HS256"}]
    assert "does not publish" in await refusal(verifier, issuer.token())


async def test_a_key_is_good_for_its_own_algorithm_alone(verifier: OidcVerifier, issuer: LittleIssuer) -> None:
    token = jwt.encode(issuer.claims(), issuer.private_key, "RS512", headers={"kid": issuer.key_id})
    assert "not one for RS512" in await refusal(verifier, token)


async def test_a_token_of_another_key_or_changed_afterwards_is_refused(
    verifier: OidcVerifier, issuer: LittleIssuer
) -> None:
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    forged = jwt.encode(issuer.claims(), other, "RS256", headers={"kid": issuer.key_id})
    assert "is not signed by its issuer" in await refusal(verifier, forged)
    signature = issuer.token().rpartition(".")[2]
    header = {"alg": "RS256", "typ": "JWT", "kid": issuer.key_id}
    changed = f"{unsigned(header, issuer.claims(sub='repo:evil/x'))}.{signature}"
    assert "is not signed by its issuer" in await refusal(verifier, changed)


@pytest.mark.parametrize("token", ["a.b.c", "..", f"{'a' * 20_000}.b.c", "obk_x.y.z"])
async def test_what_is_no_token_is_refused(verifier: OidcVerifier, token: str) -> None:
    await refusal(verifier, token)


async def test_claims_that_are_too_deep_are_refused(verifier: OidcVerifier, issuer: LittleIssuer) -> None:
    payload = base64.urlsafe_b64encode(b"[" * 8000).rstrip(b"=").decode()
    header = unsigned({"alg": "RS256", "kid": issuer.key_id}, {}).partition(".")[0]
    await refusal(verifier, f"{header}.{payload}.x")


async def test_keys_are_asked_for_once_an_hour(verifier: OidcVerifier, issuer: LittleIssuer, clock: Clock) -> None:
    await asyncio.gather(*(verifier.verify(issuer.token()) for _ in range(20)))
    assert issuer.requests == ["/.well-known/openid-configuration", "/keys"]
    clock.seconds += KEYS_LIVE_SECONDS + 1
    await verifier.verify(issuer.token())
    assert issuer.requests.count("/keys") == 2


async def test_a_rotated_key_is_asked_for_and_the_old_one_is_not_believed(
    verifier: OidcVerifier, issuer: LittleIssuer, clock: Clock
) -> None:
    old = issuer.token()
    await verifier.verify(old)
    issuer.rotate("second")
    clock.seconds += PAUSE_SECONDS
    assert (await verifier.verify(issuer.token())).issuer == issuer.url
    assert "does not publish" in await refusal(verifier, old)


async def test_made_up_keys_do_not_flood_the_issuer(verifier: OidcVerifier, issuer: LittleIssuer) -> None:
    await verifier.verify(issuer.token())
    for number in range(20):
        issuer.key_id = f"made-up-{number}"
        assert "does not publish" in await refusal(verifier, issuer.token())
    assert issuer.requests.count("/keys") == 1


async def test_an_issuer_that_is_down_is_named_and_asked_again_later(
    verifier: OidcVerifier, issuer: LittleIssuer, clock: Clock
) -> None:
    issuer.is_down = True
    for _ in range(3):
        with pytest.raises(Unavailable, match=f"OIDC issuer {issuer.url} is not available"):
            await verifier.verify(issuer.token())
    assert len(issuer.requests) == 1
    issuer.is_down = False
    clock.seconds += PAUSE_SECONDS
    await verifier.verify(issuer.token())


async def test_keys_that_are_known_outlive_an_outage(
    verifier: OidcVerifier, issuer: LittleIssuer, clock: Clock
) -> None:
    good = issuer.token()
    await verifier.verify(good)
    issuer.is_down = True
    clock.seconds += PAUSE_SECONDS
    issuer.key_id = "made-up"
    with pytest.raises(Unavailable):
        await verifier.verify(issuer.token())
    await verifier.verify(good)


async def test_an_issuer_that_nobody_answers_for_is_unavailable(http: httpx.AsyncClient, clock: Clock) -> None:
    with running_issuer() as gone:
        token = gone.token()
    verifier = OidcVerifier(http, issuers=[gone.url], audience=AUDIENCE, now=clock)
    with pytest.raises(Unavailable, match="ConnectError"):
        await verifier.verify(token)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"issuer": "https://another.example"}, "names another issuer"),
        ({"jwks_uri": "http://keys.example/keys"}, "no https address of its keys"),
        ({"jwks_uri": "file:///keys"}, "no https address of its keys"),
        ({"jwks_uri": None}, "no https address of its keys"),
    ],
)
async def test_a_discovery_document_that_is_not_right_is_not_followed(
    verifier: OidcVerifier, issuer: LittleIssuer, changed: dict[str, Any], reason: str
) -> None:
    issuer.document = {**issuer.document, **changed}
    with pytest.raises(Unavailable, match=reason):
        await verifier.verify(issuer.token())
    assert issuer.requests == ["/.well-known/openid-configuration"]


async def test_without_trusted_issuers_no_token_is_believed(http: httpx.AsyncClient, issuer: LittleIssuer) -> None:
    verifier = OidcVerifier(http, issuers=[], audience=AUDIENCE)
    assert "no OIDC issuer is trusted here" in await refusal(verifier, issuer.token())
    assert issuer.requests == []


def test_an_api_key_is_not_taken_for_a_token(issuer: LittleIssuer) -> None:
    assert is_like_oidc_token(issuer.token())
    assert not is_like_oidc_token("obk_abcdefgh_secret-secret_secret")
