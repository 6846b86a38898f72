"""GitHub behind a certificate of an authority of one's own, and behind a proxy: for HTTP and for git alike."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
import trustme

from shared.errors import GitHubUnavailable, InvalidSettings
from shared.github.client import GitHubClient
from shared.github.git_process import create_repository, fetch_commit
from shared.github.network import MACHINES_OWN, Network, network_of_environment
from tests.github_sandbox import RunningSandbox

NAME = "git.acme.test"
"""A name that nothing but the test's proxy can resolve."""


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError, ssl.SSLError):
        while chunk := await reader.read(65536):
            writer.write(chunk)
            await writer.drain()


async def _join(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, port: int, greeting: bytes = b""
) -> None:
    """Carries what either side says to the other, until one of them has ended."""
    there_reader, there_writer = await asyncio.open_connection(host, port)
    writer.write(greeting)
    pipes = [asyncio.create_task(_pipe(*pair)) for pair in ((reader, there_writer), (there_reader, writer))]
    try:
        await asyncio.wait(pipes, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for pipe in pipes:
            pipe.cancel()
        there_writer.transport.abort()


@asynccontextmanager
async def serving(
    handle: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
    trust: ssl.SSLContext | None = None,
) -> AsyncIterator[int]:
    """A server on a port of the loopback interface."""
    tasks: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        tasks.add(task)
        try:
            with suppress(ConnectionError, asyncio.CancelledError):
                await handle(reader, writer)
        finally:
            writer.transport.abort()
            tasks.discard(task)

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=trust)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)  # what was aborted is closed in the loop's next turn


@dataclass
class Proxy:
    """A proxy for CONNECT that finds `NAME` on this machine. `asked` is where it was asked to go."""

    port: int = 0
    asked: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = (await reader.readuntil(b"\r\n\r\n")).decode()
        target = request.split(" ")[1]
        self.asked.append(target)
        await _join(reader, writer, "127.0.0.1", int(target.rpartition(":")[2]), b"HTTP/1.1 200 Connected\r\n\r\n")


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def bundle(authority: trustme.CA, tmp_path: Path) -> Path:
    path = tmp_path / "authorities.pem"
    authority.cert_pem.write_to_path(path)
    return path


@pytest.fixture
async def tls_port(github: RunningSandbox, authority: trustme.CA) -> AsyncIterator[int]:
    """The sandbox behind TLS, with a certificate of the authority."""
    trust = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(NAME, "127.0.0.1").configure_cert(trust)
    address = urlsplit(github.url)

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _join(reader, writer, str(address.hostname), int(address.port or 80))

    async with serving(handle, trust) as port:
        yield port


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    proxy = Proxy()
    async with serving(proxy.handle) as proxy.port:
        yield proxy


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@dataclass(frozen=True, kw_only=True)
class Target:
    """A repository, and what reads it."""

    name: str
    head: str
    token: str


@pytest.fixture
def target(github: RunningSandbox) -> Target:
    owner = f"org-{uuid4().hex[:12]}"
    installation_id = github.add_organization(owner)
    made = github.add_repository(owner, "api", files={"README.md": "hello\n"})
    return Target(name=f"{owner}/api", head=str(made["head"]), token=github.token(installation_id))


async def reached(target: Target, base_url: str, network: Network, folder: Path) -> None:
    """Asks REST and GraphQL and fetches with git; raises what the first that fails does."""
    async with GitHubClient.open(base_url=base_url, timeout_seconds=10, network=network) as client:
        assert (await client.rest("GET", "/installation/repositories", token=target.token))["total_count"] == 1
        await client.graphql("query { viewer { login } }", {}, token=target.token)
        await fetched(client, target.name, target.head, target.token, folder)


async def fetched(client: GitHubClient, name: str, oid: str, token: str, folder: Path) -> None:
    repository = await create_repository(folder / f"git-{uuid4().hex}")
    clone_url = client.clone_url(name)
    await fetch_commit(repository, clone_url=clone_url, token=token, oid=oid, network=client.network)


async def test_an_authority_of_ones_own_is_trusted_by_http_and_git(
    target: Target, tls_port: int, bundle: Path, tmp_path: Path
) -> None:
    await reached(target, f"https://127.0.0.1:{tls_port}", Network(ca_bundle=bundle), tmp_path)


async def test_without_it_the_certificate_is_refused_and_the_setting_is_named(tls_port: int, tmp_path: Path) -> None:
    async with GitHubClient.open(base_url=f"https://127.0.0.1:{tls_port}", timeout_seconds=10) as client:
        with pytest.raises(GitHubUnavailable, match="OCTOBATCH_GITHUB_CA_BUNDLE"):
            await client.rest("GET", "/meta", token="")
        with pytest.raises(GitHubUnavailable, match="certificate"):
            await fetched(client, "acme/api", "0" * 40, "token", tmp_path)


async def test_a_proxy_of_the_settings_carries_http_and_git_whatever_the_environment_excepts(
    target: Target, tls_port: int, bundle: Path, proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    network = Network(ca_bundle=bundle, proxy=proxy.url)
    await reached(target, f"https://{NAME}:{tls_port}", network, tmp_path)
    assert set(proxy.asked) == {f"{NAME}:{tls_port}"}
    assert len(proxy.asked) >= 2


async def test_a_proxy_of_the_environment_carries_http_and_git(
    target: Target, tls_port: int, bundle: Path, proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    await reached(target, f"https://{NAME}:{tls_port}", Network(ca_bundle=bundle), tmp_path)
    assert len(proxy.asked) >= 2


async def test_a_host_that_the_environment_excepts_is_asked_directly(
    tls_port: int, bundle: Path, proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    monkeypatch.setenv("NO_PROXY", "acme.test")
    base_url = f"https://{NAME}:{tls_port}"
    async with GitHubClient.open(base_url=base_url, timeout_seconds=10, network=Network(ca_bundle=bundle)) as client:
        with pytest.raises(GitHubUnavailable):
            await client.rest("GET", "/meta", token="")
        with pytest.raises(GitHubUnavailable, match="resolve"):
            await fetched(client, "acme/api", "0" * 40, "token", tmp_path)
    assert proxy.asked == []


@pytest.mark.parametrize("of_the_settings", [True, False])
async def test_this_machine_is_never_asked_for_through_a_proxy(
    target: Target,
    github: RunningSandbox,
    proxy: Proxy,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    of_the_settings: bool,
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, proxy.url)
    network = Network(proxy=proxy.url) if of_the_settings else MACHINES_OWN
    await reached(target, github.api_base, network, tmp_path)
    assert proxy.asked == []


def test_a_bundle_that_cannot_be_used_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match=r"OCTOBATCH_GITHUB_CA_BUNDLE: .*none cannot be read"):
        Network(ca_bundle=tmp_path / "none")
    (tmp_path / "empty").write_text("nothing")
    with pytest.raises(InvalidSettings, match=r"OCTOBATCH_GITHUB_CA_BUNDLE: .*empty holds no certificates"):
        Network(ca_bundle=tmp_path / "empty")


@pytest.mark.parametrize("proxy", ["proxy.acme.test:3128", "socks5://proxy", "http://", "http://me:hunter2@host:x"])
def test_a_proxy_that_is_none_stops_the_start_and_is_not_repeated(proxy: str) -> None:
    with pytest.raises(InvalidSettings, match="OCTOBATCH_GITHUB_PROXY") as caught:
        network_of_environment({"OCTOBATCH_GITHUB_PROXY": proxy})
    assert "hunter2" not in str(caught.value)


def test_a_network_does_not_show_its_proxys_password() -> None:
    assert "hunter2" not in repr(Network(proxy="http://me:hunter2@proxy:3128"))
