"""How this machine reaches GitHub, the same for HTTP and for git: whom it trusts, and through which proxy.

| | trusted authorities | proxy |
| --- | --- | --- |
| by default | those of the machine | that of `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`; `NO_PROXY` is heeded |
| `OCTOBATCH_GITHUB_CA_BUNDLE` | those of the file besides; for git, those of the file | |
| `OCTOBATCH_GITHUB_PROXY` | | that one, whatever the environment says |

What runs on this machine itself is never asked for through a proxy.
"""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from ..errors import InvalidSettings
from ..settings import Settings

CA_BUNDLE, PROXY = "OCTOBATCH_GITHUB_CA_BUNDLE", "OCTOBATCH_GITHUB_PROXY"


@dataclass(frozen=True, kw_only=True)
class Network:
    """`ca_bundle` is a file of certificates in PEM, `proxy` an address `http://[user:password@]host:port`.

    Raises `InvalidSettings` for what cannot be used.
    """

    ca_bundle: Path | None = None
    proxy: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.proxy and not _is_proxy(self.proxy):
            raise InvalidSettings(f"{PROXY}: must be http://[user:password@]HOST:PORT, or https://…")
        if self.ca_bundle:
            _add(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), self.ca_bundle)

    def httpx_options(self, base_url: str) -> Mapping[str, Any]:
        """What `httpx.AsyncClient` is made with."""
        trust = httpx.create_ssl_context()
        if self.ca_bundle:
            _add(trust, self.ca_bundle)
        if is_loopback(base_url):
            return {"verify": trust, "trust_env": False}
        if self.proxy:
            return {"verify": trust, "trust_env": False, "proxy": self.proxy}
        return {"verify": trust}

    def git_config(self, url: str) -> Mapping[str, str]:
        """The configuration with which git reaches `url`."""
        if is_loopback(url):
            return {"http.proxy": ""}  # also for a proxy of the environment
        return {"http.proxy": self.proxy} if self.proxy else {}

    def git_environment(self) -> Mapping[str, str]:
        """Variables that git must see otherwise than this process does."""
        environment = {"NO_PROXY": "", "no_proxy": ""} if self.proxy else {}
        if self.ca_bundle:
            environment["GIT_SSL_CAINFO"] = str(self.ca_bundle)  # the configuration yields to this process's own
        return environment


MACHINES_OWN = Network()
"""As the machine and the environment say."""


def network_of(settings: Settings) -> Network:
    """The network of a process's settings; raises `InvalidSettings`."""
    proxy = settings.github_proxy.get_secret_value() if settings.github_proxy else None
    return Network(ca_bundle=settings.github_ca_bundle, proxy=proxy)


def network_of_environment(environment: Mapping[str, str]) -> Network:
    """The same for a command that needs no other setting; raises `InvalidSettings`."""
    bundle = environment.get(CA_BUNDLE)
    return Network(ca_bundle=Path(bundle) if bundle else None, proxy=environment.get(PROXY) or None)


def is_loopback(url: str) -> bool:
    """Whether `url` leads to this machine itself."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _add(trust: ssl.SSLContext, bundle: Path) -> None:
    where = f"{CA_BUNDLE}: {bundle}"
    try:
        trust.load_verify_locations(cafile=bundle)
    except ssl.SSLError as error:
        raise InvalidSettings(f"{where} holds no certificates in PEM") from error
    except OSError as error:
        raise InvalidSettings(f"{where} cannot be read: {error.strerror}") from error


def _is_proxy(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False
