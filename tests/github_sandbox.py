"""The GitHub sandbox in a process of its own, for tests.

with running_sandbox(tmp_path) as github:
    installation_id = github.add_organization("acme")
    token = github.token(installation_id)
    httpx.get(f"{github.api_base}/installation/repositories", headers={"authorization": f"Bearer {token}"})
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
import jwt

from sandbox.embedded.servers import free_port, stop, wait_until
from shared.github.key_ring import KeyRing
from shared.github.signers import local_signers


@dataclass(kw_only=True)
class RunningSandbox:
    """A sandbox that answers. `control` is a client of its control API; paths are below `/_sandbox/`."""

    url: str
    folder: Path
    control: httpx.Client

    @property
    def api_base(self) -> str:
        """The root of REST, as `OCTOBATCH_GITHUB_API_BASE` takes it."""
        return f"{self.url}/api/v3"

    @property
    def graphql_url(self) -> str:
        """Where GraphQL is."""
        return f"{self.url}/api/graphql"

    @cached_property
    def app_id(self) -> int:
        """The App's id."""
        return int(self._facts()["app_id"])

    @cached_property
    def client_id(self) -> str:
        """The App's client id."""
        return str(self._facts()["client_id"])

    @cached_property
    def private_key(self) -> str:
        """The App's key, PEM."""
        return (self.folder / "app.pem").read_text()

    @cached_property
    def webhook_secret(self) -> str:
        """What webhooks are signed with."""
        return (self.folder / "webhook-secret").read_text()

    def installation_id(self, owner: str) -> int:
        """The App's installation on that account."""
        return int(self.ask("GET", "")["installations"][owner])

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Asks the control API and expects it to do as told."""
        response = self.control.request(method, path, json=body)
        assert response.is_success, f"{method} {path}: {response.status_code} {response.text}"
        return response.json() if response.content else None

    def add_organization(self, login: str, **facts: Any) -> int:
        """A new organisation with the App installed; the installation's id."""
        return int(self.ask("POST", "accounts", {"login": login, **facts})["installation_id"])

    def add_repository(self, owner: str, name: str, **facts: Any) -> dict[str, Any]:
        """A new repository: its `id`, `node_id`, `full_name`, `default_branch` and `head`."""
        body = {"owner": owner, "repositories": [{"name": name, **facts}]}
        made: dict[str, Any] = self.ask("POST", "repositories", body)["repositories"][0]
        return made

    def jwt(self, *, key: str | None = None, **claims: Any) -> str:
        """The App's JWT, with other claims or another key where asked."""
        now = int(time.time())
        facts = {"iat": now - 60, "exp": now + 540, "iss": str(self.app_id), **claims}
        return jwt.encode({k: v for k, v in facts.items() if v is not None}, key or self.private_key, "RS256")

    def token(self, installation_id: int, **asked: Any) -> str:
        """A new token of an installation."""
        response = httpx.post(
            f"{self.api_base}/app/installations/{installation_id}/access_tokens",
            headers={"authorization": f"Bearer {self.jwt()}"},
            json=asked,
        )
        assert response.status_code == 201, response.text
        return str(response.json()["token"])

    def client(self, token: str) -> httpx.Client:
        """A client of REST with that token or JWT; paths are below the API's root."""
        headers = {"authorization": f"Bearer {token}", "accept": "application/vnd.github+json"}
        return httpx.Client(base_url=f"{self.api_base}/", headers=headers)

    def _facts(self) -> dict[str, Any]:
        facts: dict[str, Any] = json.loads((self.folder / "app.json").read_text())
        return facts


@contextmanager
def running_sandbox(
    folder: Path, *, port: int | None = None, webhook_url: str | None = None, arguments: tuple[str, ...] = ()
) -> Iterator[RunningSandbox]:
    """Starts the sandbox on the data in `folder`, and stops it at the end; the data stays."""
    folder.mkdir(parents=True, exist_ok=True)
    url = f"http://127.0.0.1:{port or free_port()}"
    command = [sys.executable, "-m", "sandbox.github", "--port", url.rpartition(":")[2], "--folder", str(folder)]
    command += ["--webhook-url", webhook_url] if webhook_url else []
    log = folder / "sandbox.log"
    with log.open("ab") as output, httpx.Client(base_url=f"{url}/_sandbox/", timeout=60) as control:
        process = subprocess.Popen([*command, *arguments], stdout=output, stderr=output, stdin=subprocess.DEVNULL)
        try:
            wait_until(lambda: _answers(control), process, name="the GitHub sandbox", log=log)
            yield RunningSandbox(url=url, folder=folder, control=control)
        finally:
            stop(process)


def key_ring(*pems: str) -> KeyRing:
    """The App's keys, from PEM, the first of them tried first."""
    signers = local_signers("".join(pems), source="the key of the test")
    return KeyRing(lambda: signers)


def _answers(control: httpx.Client) -> bool:
    try:
        return control.get("").is_success
    except httpx.TransportError:
        return False
