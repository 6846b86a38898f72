"""What the command line hears of an event stream."""

from __future__ import annotations

import httpx

from cli.client import Gateway
from cli.connection import Connection

STREAM = 'id: 1\nevent: snapshot\ndata: {"n":1}\n\n: still here\n\n: still here\n\nid: 2\nevent: x\ndata: {"n":2}\n\n'


def test_a_heartbeat_is_no_event() -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        headers = {"content-type": "text/event-stream"}
        return httpx.Response(200, headers=headers, text=f"{STREAM}event: end\ndata: {{}}\n\n")

    http = httpx.Client(transport=httpx.MockTransport(answer), base_url="http://gateway.test")
    gateway = Gateway(http, Connection(url="http://gateway.test", api_key=""))
    assert [event.json() for event in gateway.events("/runs/1/events", on_reconnect=print)] == [{"n": 1}, {"n": 2}]
