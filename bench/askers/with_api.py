"""Octobatch's API: `POST /tokens/installations/{id}` through the gateway."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bench.askers.http import Http, open_http
from bench.askers.protocol import PERMISSIONS, Asker, Facts, serve


class ApiAsker:
    """One for a process."""

    def __init__(self, http: Http) -> None:
        self._http = http

    async def token(self, installation_id: int, repository_id: int) -> str:
        """Of the gateway, each time."""
        body = json.dumps({"permissions": PERMISSIONS, "repository_ids": [repository_id]}).encode()
        answer = await self._http.request("POST", f"/v1/tokens/installations/{installation_id}", body)
        return str(json.loads(answer)["token"])


@asynccontextmanager
async def opened(facts: Facts) -> AsyncIterator[Asker]:
    """With an API key, and a connection for each of the requests at once."""
    headers = {"authorization": f"Bearer {facts['api_key']}", "content-type": "application/json"}
    async with open_http(facts["gateway_port"], headers) as http:
        yield ApiAsker(http)


if __name__ == "__main__":
    serve(opened)
