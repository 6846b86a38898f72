"""Where one GitHub keeps REST, GraphQL, git and pages, told from the one address that is configured.

| | REST | GraphQL | git and pages |
| --- | --- | --- | --- |
| github.com | api.github.com | api.github.com/graphql | github.com |
| Enterprise Cloud with data residency | api.TENANT.ghe.com | api.TENANT.ghe.com/graphql | TENANT.ghe.com |
| Enterprise Server | HOST/api/v3 | HOST/api/graphql | HOST |
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from ..errors import InvalidSettings


@dataclass(frozen=True, kw_only=True)
class Addresses:
    """The addresses of one GitHub, without a slash at the end."""

    rest: str
    graphql: str
    web: str


def addresses_of(base_url: str) -> Addresses:
    """The addresses that belong to `base_url`, given with or without `/api/v3`; raises `InvalidSettings`."""
    parts = urlsplit(base_url.strip())
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise InvalidSettings(f"{base_url!r} is no address of a GitHub: it must start with https://")
    scheme, host = parts.scheme, parts.netloc.lower()
    if host == "github.com" or (host.endswith(".ghe.com") and not host.startswith("api.")):
        host = f"api.{host}"
    if host == "api.github.com" or host.endswith(".ghe.com"):
        api = f"{scheme}://{host}"
        return Addresses(rest=api, graphql=f"{api}/graphql", web=f"{scheme}://{host.removeprefix('api.')}")
    prefix = parts.path.rstrip("/").removesuffix("/v3").removesuffix("/api")
    web = f"{scheme}://{parts.netloc}{prefix}"
    return Addresses(rest=f"{web}/api/v3", graphql=f"{web}/api/graphql", web=web)
