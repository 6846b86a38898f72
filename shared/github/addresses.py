"""Where one GitHub keeps REST, GraphQL, git and pages, told from the one address that is configured.

| | REST | GraphQL | git and pages |
| --- | --- | --- | --- |
| github.com | api.github.com | api.github.com/graphql | github.com |
| Enterprise Cloud with data residency | api.TENANT.ghe.com | api.TENANT.ghe.com/graphql | TENANT.ghe.com |
| Enterprise Server | HOST/api/v3 | HOST/api/graphql | HOST |
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from ..errors import InvalidSettings

_PORTS = {"http": 80, "https": 443}
_API = re.compile(r"/*(?:/+api(?:/+v3|/+graphql)?)?/*$", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Addresses:
    """The addresses of one GitHub, without a slash at the end."""

    rest: str
    graphql: str
    web: str


def addresses_of(base_url: str) -> Addresses:
    """The addresses that belong to `base_url`, given with or without `/api/v3`; raises `InvalidSettings`."""
    scheme, host, path = _parts(base_url)
    if host == "github.com" or (host.endswith(".ghe.com") and not host.startswith("api.")):
        host = f"api.{host}"
    if host == "api.github.com" or host.endswith(".ghe.com"):
        api = f"{scheme}://{host}"
        return Addresses(rest=api, graphql=f"{api}/graphql", web=f"{scheme}://{host.removeprefix('api.')}")
    web = f"{scheme}://{host}{_API.sub('', path)}"
    return Addresses(rest=f"{web}/api/v3", graphql=f"{web}/api/graphql", web=web)


def _parts(base_url: str) -> tuple[str, str, str]:
    """Scheme, host in small letters with a port that is not the scheme's own, and path."""
    try:
        parts = urlsplit(base_url.strip())
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise InvalidSettings(f"{base_url!r} is no address of a GitHub: {error}") from None
    if parts.username is not None:
        raise InvalidSettings("OCTOBATCH_GITHUB_API_BASE must not hold a user or password: the App's key signs in")
    if parts.scheme not in _PORTS or not host or parts.query or parts.fragment:
        raise InvalidSettings(
            f"{base_url!r} is no address of a GitHub: it must start with https:// and end in its path"
        )
    shown = f"[{host}]" if ":" in host else host
    return parts.scheme, shown if port in {None, _PORTS[parts.scheme]} else f"{shown}:{port}", parts.path
