"""One GitHub: REST through gidgethub, GraphQL through httpx, each answer judged by `limits`.

    async with GitHubClient.open(base_url="https://api.github.com", timeout_seconds=30) as github:
        repository = await github.rest("GET", "/repos/acme/api", token=token)
        answer = await github.graphql("list_repositories", {"owner": "acme"}, token=token)

Raises the `GitHub…` errors of `shared.errors`, whose texts name the host and never hold a token. Nothing is
cached: gidgethub's cache is keyed by address alone and would show one token's answer to another.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar, cast
from urllib.parse import urlencode, urljoin, urlsplit

import httpx
from gidgethub import GitHubException
from gidgethub.httpx import GitHubAPI

from ..clock import utcnow
from ..errors import (
    GitHubError,
    GitHubInvalid,
    GitHubLimited,
    GitHubUnauthorized,
    GitHubUnavailable,
)
from .addresses import addresses_of
from .api_versions import API_VERSION, HEADER, choose, is_refusal, versions_in
from .gate import Cost, Gate, OpenGate, graphql_cost, rest_cost
from .graphql import GraphQLAnswer, document_text, parse_answer
from .limits import answered_at, error_of, graphql_limit, redacted
from .network import MACHINES_OWN, Network
from .young_tokens import YOUNG_SECONDS, TokenAges

USER_AGENT = "octobatch"
ACCEPT = "application/vnd.github+json"

_MOST_REDIRECTS = 3
T = TypeVar("T")


@dataclass
class Usage:
    """What somebody asked of GitHub: requests of both kinds, and the points that GraphQL queries said they cost."""

    requests: int = 0
    points: int = 0


class GitHubClient:
    """Asks one GitHub. Shared by all tasks of a process; holds no token and no state of any installation.

    `network` is how it is reached, for git too; `api_version` is what requests name, None for none.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        base_url: str,
        *,
        gate: Gate | None = None,
        network: Network = MACHINES_OWN,
        usage: Usage | None = None,
        ages: TokenAges | None = None,
    ) -> None:
        self._gate = gate or OpenGate()
        self.addresses = addresses_of(base_url)
        self.network = network
        self.api_version: str | None = API_VERSION
        self._host = urlsplit(self.addresses.rest).netloc
        self._http = http
        self._api = _RestApi(http, self._send, base_url=self.addresses.rest)
        self._base_url = base_url
        self._usage = usage or Usage()
        self._ages = ages or TokenAges()

    @classmethod
    @asynccontextmanager
    async def open(
        cls, *, base_url: str, timeout_seconds: float, gate: Gate | None = None, network: Network = MACHINES_OWN
    ) -> AsyncIterator[GitHubClient]:
        """A client with connections of its own, closed at the end; `gate` keeps the limits, none = nobody does."""
        limits = httpx.Limits(max_connections=100, max_keepalive_connections=50)  # GitHub allows 100 at once
        options = network.httpx_options(addresses_of(base_url).rest)
        async with httpx.AsyncClient(timeout=timeout_seconds, limits=limits, **options) as http:
            yield cls(http, base_url, gate=gate, network=network)

    def counting(self, usage: Usage) -> GitHubClient:
        """The same client, whose requests are added up in `usage` besides."""
        counting = GitHubClient(
            self._http, self._base_url, gate=self._gate, network=self.network, usage=usage, ages=self._ages
        )
        counting.api_version = self.api_version
        return counting

    def clone_url(self, name_with_owner: str) -> str:
        """The address of a repository for git over HTTPS, without credentials."""
        return f"{self.addresses.web}/{name_with_owner}.git"

    async def rest(
        self, method: str, path: str, *, token: str, json: Any = None, params: Mapping[str, Any] | None = None
    ) -> Any:
        """The decoded body of one REST answer, None where it is empty.

        `token` may be a JWT of the App too, or "" where nobody need sign in.
        """
        data, _ = await self.while_young(token, lambda: self._api.call(method, _target(path, params), token, json))
        return data

    async def look(self, path: str, *, token: str = "") -> httpx.Response:
        """Whatever anybody, or the holder of `token`, is answered there; raises `GitHubUnavailable` for no answer."""
        url = f"{self.addresses.rest}{path}"
        headers = {"authorization": f"Bearer {token}"} if token else {}
        return await self._exchange("GET", url, headers, b"", rest_cost("GET", url), version=None)

    def speak(self, versions: Sequence[str]) -> None:
        """The server has these versions of its API: requests name the best of them from now on."""
        self.api_version = choose(versions)

    async def revoke(self, token: str, *, minted_at: datetime | None = None) -> None:
        """Ends an installation token; one that GitHub no longer knows, expired or revoked already, is ended too.

        A replica may not have heard of a token that is younger than `YOUNG_SECONDS`: say when it was minted, and its
        refusal is not taken for an answer until then. Raises `InstallationSuspended`, in which case the token is
        dead only until the installation is not.
        """
        age = (utcnow() - minted_at).total_seconds() if minted_at else YOUNG_SECONDS
        with suppress(GitHubUnauthorized):
            await self._ages.until_known(
                max(0.0, YOUNG_SECONDS - age), lambda: self._api.call("DELETE", "/installation/token", token, None)
            )

    async def rest_pages(self, path: str, *, token: str, params: Mapping[str, Any] | None = None) -> AsyncIterator[Any]:
        """The body of each page of a listing, following `Link: rel="next"`."""
        following: str | None = _target(path, {"per_page": 100, **(params or {})})
        while following:
            address = self._on_this_host(following)
            data, following = await self.while_young(token, lambda a=address: self._api.call("GET", a, token, None))
            yield data

    async def graphql(self, document: str, variables: Mapping[str, Any], *, token: str) -> GraphQLAnswer:
        """The answer to a document: the name of one in `documents/`, or the text of a generated one.

        Parts that GitHub could not answer stand in `errors`; an answer without any data raises.
        """
        text = document if "{" in document else document_text(document)
        body = json.dumps({"query": text, "variables": dict(variables)}).encode()
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        cost = graphql_cost(text)

        async def ask() -> GraphQLAnswer:
            response = await self._send("POST", self.addresses.graphql, headers, body, cost)
            payload = _payload(response)
            limit = graphql_limit(response.headers, payload, now=utcnow())
            if limit:
                await self._gate.heard(token, cost, response.headers, limit)
                raise limit
            answer = parse_answer(payload)
            if answer.rate:
                self._usage.points += answer.rate.cost
                here = answered_at(response.headers) or utcnow()
                left = (answer.rate.reset_at - here).total_seconds()
                await self._gate.priced(token, answer.rate, seconds_to_reset=left)
            return answer

        return await self.while_young(token, ask)

    async def while_young(self, token: str, call: Callable[[], Awaitable[T]]) -> T:
        """What `call` gives, which asks with `token`, by git too; see `TokenAges.while_young`."""
        return await self._ages.while_young(token, call)

    async def _send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, cost: Cost | None = None
    ) -> httpx.Response:
        """A request and its answer, once more where the server does not speak our version of its API but another.

        Raises what `limits` says.
        """
        cost, version = cost or rest_cost(method, url), self.api_version
        try:
            return await self._send_as(version, method, url, headers, body, cost)
        except GitHubError as error:
            if not is_refusal(error):
                raise
            if self.api_version == version:
                self.speak(versions_in(decoded(await self.look("/versions", token=_token_in(headers)))))
            if self.api_version == version:
                raise self._not_spoken(error) from error
        try:
            return await self._send_as(self.api_version, method, url, headers, body, cost)
        except GitHubError as error:
            if not is_refusal(error):
                raise
            raise self._not_spoken(error) from error

    async def _send_as(
        self, version: str | None, method: str, url: str, headers: Mapping[str, str], body: bytes, cost: Cost
    ) -> httpx.Response:
        """A request and its answer; a GET follows the redirects of renamed repositories. Raises what `limits` says."""
        response = await self._exchange(method, url, headers, body, cost, version=version)
        redirects = 0
        while method == "GET" and response.has_redirect_location and redirects < _MOST_REDIRECTS:
            redirects += 1
            url = self._on_this_host(urljoin(url, response.headers["location"]))
            response = await self._exchange(method, url, headers, body, cost, version=version)
        if response.has_redirect_location:
            raise GitHubInvalid(f"{self._host} redirects {method} {urlsplit(url).path}", status=response.status_code)
        error = error_of(response.status_code, response.headers, response.content, now=utcnow())
        limit = error if isinstance(error, GitHubLimited) else None
        await self._gate.heard(_token_in(headers), cost, response.headers, limit)
        if error:
            raise error
        return response

    async def _exchange(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, cost: Cost, *, version: str | None
    ) -> httpx.Response:
        named = {HEADER: version} if version else {}
        sent = {"user-agent": USER_AGENT, "accept": ACCEPT, **named, **headers}
        try:
            async with self._gate.passing(_token_in(headers), cost):
                self._usage.requests += 1
                return await self._http.request(method, url, headers=sent, content=body)
        except httpx.TimeoutException as error:
            raise GitHubUnavailable(f"{self._host} did not answer in time ({type(error).__name__})") from error
        except httpx.TransportError as error:
            why = redacted(str(error))
            if "CERTIFICATE_VERIFY_FAILED" in why:
                why += "; an authority of your own is named with OCTOBATCH_GITHUB_CA_BUNDLE"
            raise GitHubUnavailable(f"{self._host} cannot be reached: {why}") from error

    def _not_spoken(self, error: GitHubError) -> GitHubInvalid:
        asked = f"version {self.api_version}" if self.api_version else "requests without a version"
        return GitHubInvalid(
            f"{self._host} no longer takes {asked} of its REST API ({error.message}): use a newer Octobatch",
            status=error.status,
        )

    def _on_this_host(self, url: str) -> str:
        """`url`, if it leads to where the token may be sent."""
        host = urlsplit(url).netloc
        if host not in {"", self._host}:
            raise GitHubError(f"{self._host} leads to {host}, where its tokens must not go")
        return url


class _RestApi(GitHubAPI):
    """gidgethub's request building and answer decoding around our own exchange, which judges errors first."""

    def __init__(
        self, http: httpx.AsyncClient, send: Callable[..., Awaitable[httpx.Response]], *, base_url: str
    ) -> None:
        super().__init__(http, USER_AGENT, base_url=base_url)  # pyright: ignore[reportArgumentType]
        self._send = send

    async def call(self, method: str, path: str, token: str, body: Any) -> tuple[Any, str | None]:
        """The decoded body and the address of the next page."""
        try:
            # `jwt` makes it a Bearer header, which GitHub takes for tokens and JWTs alike
            data, following, _ = await self._make_request(
                method, path, {}, b"" if body is None else body, ACCEPT, jwt=token or None
            )
        except (GitHubException, ValueError) as error:
            raise GitHubUnavailable(f"the answer cannot be read: {redacted(str(error))}") from error
        return data, following

    async def _request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes = b""
    ) -> tuple[int, Mapping[str, str], bytes]:
        response = await self._send(method, url, headers, body)
        return response.status_code, response.headers, response.content


def _token_in(headers: Mapping[str, str]) -> str:
    return headers.get("authorization", "").partition(" ")[2]


def _target(path: str, params: Mapping[str, Any] | None) -> str:
    """`path` with its query; braces are escaped because gidgethub would expand them as a URI template."""
    query = f"?{urlencode(dict(params), doseq=True)}" if params else ""
    return f"{path}{query}".replace("{", "%7B").replace("}", "%7D")


def decoded(response: httpx.Response) -> Any:
    """The JSON of an answer that is no error; None where there is none."""
    try:
        return response.json() if response.is_success else None
    except ValueError:
        return None


def _payload(response: httpx.Response) -> Mapping[str, Any]:
    try:
        payload = response.json()
    except ValueError as error:
        raise GitHubUnavailable("the GraphQL answer is not JSON", status=response.status_code) from error
    if not isinstance(payload, dict):
        raise GitHubUnavailable("the GraphQL answer is not an object", status=response.status_code)
    return cast("Mapping[str, Any]", payload)
