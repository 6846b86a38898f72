"""`network: true` gives a step public addresses through a proxy, and nothing of the worker's own surroundings."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

import pytest

from sandbox.embedded.postgres import EmbeddedPostgres
from workers.campaigns.isolation.egress import Egress, is_public
from workers.campaigns.isolation.sandboxes import Network
from workers.campaigns.steps.commands import CommandFailed

from .conftest import Copy

PUBLIC = "127.0.0.2"
"""Stands for an address that may be reached; all others of this machine may not."""


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """A web server on every address of this machine."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\nConnection: close\r\n\r\nREACHED")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "0.0.0.0")
    async with server:
        yield server.sockets[0].getsockname()[1]


def allowing(copy: Copy) -> Copy:
    """The copy, whose steps may reach `PUBLIC`."""
    return copy.with_runner(allowed_networks=(ip_network(f"{PUBLIC}/32"),))


async def test_what_is_allowed_is_reached_through_the_proxy(copy: Copy, port: int) -> None:
    result = await allowing(copy).run(
        f"curl -sS http://{PUBLIC}:{port}/x; curl -sS --proxytunnel http://{PUBLIC}:{port}/y", network=True
    )
    assert result.stdout == "REACHEDREACHED"
    assert b"public addresses through a proxy" in copy.log.content()


async def test_nothing_around_the_worker_is_reached_by_whatever_name(copy: Copy, port: int) -> None:
    own = socket.gethostbyname(socket.gethostname())
    hosts = ["127.0.0.1", "localhost", own, "169.254.169.254", "10.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0"]
    script = "".join(
        f"curl -sS -m 5 http://{host}:{port}/; curl -sS -m 5 --proxytunnel http://{host}:{port}/\n"
        f"curl -sS -m 5 --noproxy '*' http://{host}:{port}/\n"
        for host in hosts
    )
    result = await allowing(copy).run(f"{script}true", network=True)
    assert "REACHED" not in result.stdout
    assert b"refused: 169.254.169.254" in copy.log.content()


@pytest.mark.parametrize("network", [False, True])
async def test_postgres_and_redis_are_out_of_reach(
    copy: Copy, postgres: EmbeddedPostgres, redis_url: str, network: bool
) -> None:
    for port in (urlsplit(postgres.dsn()).port, urlsplit(redis_url).port):
        socket.create_connection(("127.0.0.1", port or 0)).close()  # this test reaches it
        result = await copy.run(
            f"exec 3<>/dev/tcp/127.0.0.1/{port} && echo REACHED\n"
            f"curl -sS -m 5 --proxytunnel http://127.0.0.1:{port}/ && echo REACHED\n"
            "true",
            network=network,
        )
        assert result.stdout == ""
        assert (f"refused: 127.0.0.1:{port}".encode() in copy.log.content()) is network


async def test_without_network_there_is_no_proxy(copy: Copy, port: int) -> None:
    result = await allowing(copy).run(f"curl -sS -x http://127.0.0.1:3128 http://{PUBLIC}:{port}/ 2>&1; env; true")
    assert "REACHED" not in result.stdout
    assert "proxy" not in result.stdout.lower().replace("could not connect to proxy", "")


@pytest.mark.parametrize("isolation_setting", ["process"])
async def test_a_plain_process_is_given_no_network(copy: Copy) -> None:
    with pytest.raises(CommandFailed, match="network: true needs bubblewrap"):
        await copy.run("true", network=True)


async def test_a_worker_may_refuse_the_network_or_share_its_own(copy: Copy, port: int) -> None:
    with pytest.raises(CommandFailed, match="not allowed by this worker"):
        await copy.with_runner(network=Network.NONE).run("true", network=True)
    shared = copy.with_runner(network=Network.SHARED)
    assert (await shared.run(f"curl -sS http://127.0.0.1:{port}/", network=True)).stdout == "REACHED"
    assert (await shared.run(f"curl -sS http://127.0.0.1:{port}/; true")).stdout == ""


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("224.0.0.1", False),
        ("fd00::1", False),
        ("fe80::1", False),
        ("64:ff9b::a9fe:a9fe", False),
        ("64:ff9b::808:808", True),
        ("2002:7f00:1::", False),
        ("::ffff:10.0.0.1", False),
    ],
)
def test_addresses_that_carry_others_are_as_public_as_those(address: str, public: bool) -> None:
    assert is_public(ip_address(address)) is public
    assert Egress(allowed=[ip_network("169.254.0.0/16")]).may_reach(ip_address("169.254.169.254"))
