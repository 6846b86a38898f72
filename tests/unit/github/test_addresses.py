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
    ],
)
def test_every_way_to_write_an_address_leads_to_the_same_github(given: str, expected: Addresses) -> None:
    assert addresses_of(given) == expected


@pytest.mark.parametrize("given", ["", "github.com", "ftp://github.com", "https://"])
def test_what_is_no_address_is_refused(given: str) -> None:
    with pytest.raises(InvalidSettings, match="https://"):
        addresses_of(given)
