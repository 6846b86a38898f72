"""Keys in AWS KMS sign for the App; spoken to a real HTTP server that answers as KMS does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from typing import Any

import aioboto3
import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.serialization import load_der_public_key
from moto.server import ThreadedMotoServer
from pydantic import SecretStr

from sandbox.embedded.servers import free_port
from shared.errors import InvalidSettings, Unavailable
from shared.github.app_auth import AppAuth
from shared.github.client import GitHubClient
from shared.github.key_sources import open_key_ring
from shared.github.kms import open_kms_signers
from shared.settings import TokensSettings

REGION = "us-east-1"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=free_port(), verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")


@pytest.fixture
async def kms(endpoint: str) -> AsyncIterator[Any]:
    async with aioboto3.Session().client("kms", endpoint_url=endpoint, region_name=REGION) as client:
        yield client


async def made(kms: Any, **facts: str) -> str:
    wanted = {"KeyUsage": "SIGN_VERIFY", "KeySpec": "RSA_2048", **facts}
    return (await kms.create_key(**wanted))["KeyMetadata"]["KeyId"]


async def test_a_jwt_is_signed_in_kms_once_for_many_requests(kms: Any, endpoint: str) -> None:
    key_id = await made(kms)
    await kms.create_alias(AliasName="alias/octobatch", TargetKeyId=key_id)
    public_key: Any = load_der_public_key((await kms.get_public_key(KeyId=key_id))["PublicKey"])
    seen: set[str] = set()

    def handler(request: httpx.Request) -> httpx.Response:
        seen.add(request.headers["authorization"].split(" ")[1])
        return httpx.Response(200, json={"slug": "octobatch"})

    settings = TokensSettings(
        postgres_dsn=SecretStr("unused"),
        redis_url=SecretStr("unused"),
        blobstore_url="file:///unused",
        github_app_id="12345",
        github_app_kms_key_ids="alias/octobatch",
        github_app_kms_region=REGION,
        github_app_kms_endpoint=endpoint,
    )
    async with (
        open_key_ring(settings) as keys,
        httpx.AsyncClient(transport=httpx.MockTransport(handler)) as http,
    ):
        app = AppAuth(GitHubClient(http, "https://git.acme.com"), app_id="12345", keys=keys)
        for _ in range(3):
            await app.get_app()
    [text] = seen
    assert jwt.decode(text, public_key, algorithms=["RS256"])["iss"] == "12345"


async def test_an_alias_that_is_moved_does_not_change_the_key_of_a_signer(kms: Any, endpoint: str) -> None:
    first, second = await made(kms), await made(kms)
    await kms.create_alias(AliasName="alias/moved", TargetKeyId=first)
    async with open_kms_signers(["alias/moved", second], region=REGION, endpoint=endpoint) as (signer, other):
        assert signer.key_id != other.key_id
        await kms.update_alias(AliasName="alias/moved", TargetKeyId=second)
        assert await signer.sign(b"message") != await other.sign(b"message")


@pytest.mark.parametrize(
    "facts", [{"KeySpec": "ECC_NIST_P256"}, {"KeySpec": "SYMMETRIC_DEFAULT", "KeyUsage": "ENCRYPT_DECRYPT"}]
)
async def test_a_key_that_cannot_sign_for_github_stops_the_start(
    kms: Any, endpoint: str, facts: dict[str, str]
) -> None:
    key_id = await made(kms, **facts)
    with pytest.raises(InvalidSettings, match=f"OCTOBATCH_GITHUB_APP_KMS_KEY_IDS: {key_id}"):
        async with open_kms_signers([key_id], region=REGION, endpoint=endpoint):
            pass


async def test_a_key_that_is_not_there_stops_the_start(endpoint: str) -> None:
    with pytest.raises(InvalidSettings, match="OCTOBATCH_GITHUB_APP_KMS_KEY_IDS: alias/none"):
        async with open_kms_signers(["alias/none"], region=REGION, endpoint=endpoint):
            pass


async def test_a_region_that_is_not_told_stops_the_start(monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    with pytest.raises(InvalidSettings, match="OCTOBATCH_GITHUB_APP_KMS_REGION"):
        async with open_kms_signers(["alias/none"], region=None, endpoint=endpoint):
            pass


async def test_kms_that_is_away_is_worth_another_try(kms: Any, endpoint: str) -> None:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=free_port(), verbose=False)
    server.start()
    address = "http://{}:{}".format(*server.get_host_and_port())
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(
            aioboto3.Session().client("kms", endpoint_url=address, region_name=REGION)
        )
        key_id = await made(client)
        [signer] = await stack.enter_async_context(open_kms_signers([key_id], region=REGION, endpoint=address))
        server.stop()
        with pytest.raises(Unavailable, match="AWS KMS"):
            await signer.sign(b"message")
