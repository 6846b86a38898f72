"""One address is configured; the others follow from it."""

from __future__ import annotations

import pytest

from shared.errors import InvalidSettings
from shared.github.addresses import Addresses, addresses_of

GITHUB = Addresses(rest="https://api.github.com", graphql="https://api.github.com/graphql", web="https://github.com")
TENANT = Addresses(
    rest="https://api.acme.ghe.com", graphql="https://api.acme.ghe.com/graphql", web="https://acme.ghe.com"
)
SERVER = Addresses(
    rest="https://git.acme.com/api/v3", graphql="https://git.acme.com/api/graphql", web="https://git.acme.com"
)
LOCAL = Addresses(
    rest="http://127.0.0.1:8700/api/v3", graphql="http://127.0.0.1:8700/api/graphql", web="http://127.0.0.1:8700"
)


def with_port(host: str) -> Addresses:
    return Addresses(rest=f"https://{host}/api/v3", graphql=f"https://{host}/api/graphql", web=f"https://{host}")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("https://api.github.com", GITHUB),
        ("https://api.github.com/", GITHUB),
        ("https://github.com", GITHUB),
        ("https://acme.ghe.com", TENANT),
        ("https://api.acme.ghe.com/", TENANT),
        ("https://git.acme.com", SERVER),
        ("https://git.acme.com/api/v3", SERVER),
        ("https://git.acme.com/api/v3/", SERVER),
        ("https://git.acme.com/api", SERVER),
        ("http://127.0.0.1:8700/api/v3", LOCAL),
        (" HTTPS://API.GitHub.com ", GITHUB),
        ("https://api.github.com:443", GITHUB),
        ("https://Git.ACME.com/API/v3//", SERVER),
        ("https://git.acme.com:443/api/graphql", SERVER),
        ("https://git.acme.com:8443/api/v3", with_port("git.acme.com:8443")),
        ("https://[::1]:8443/", with_port("[::1]:8443")),
        ("https://acme.com/github/api/v3/", with_port("acme.com/github")),
    ],
)
def test_every_way_to_write_an_address_leads_to_the_same_github(given: str, expected: Addresses) -> None:
    assert addresses_of(given) == expected


@pytest.mark.parametrize("given", ["", "github.com", "ftp://github.com", "https://", "https://git.acme.com?x=1"])
def test_what_is_no_address_is_refused(given: str) -> None:
    with pytest.raises(InvalidSettings, match="https://"):
        addresses_of(given)


def test_a_port_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidSettings, match="no address of a GitHub"):
        addresses_of("https://git.acme.com:https")


def test_a_password_in_an_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(InvalidSettings, match="must not hold a user or password") as caught:
        addresses_of("https://me:hunter2@git.acme.com/api/v3")
    assert "hunter2" not in str(caught.value)
