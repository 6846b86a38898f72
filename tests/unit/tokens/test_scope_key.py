"""Which requests share a token."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.ids import InstallationId
from shared.domain.installation import TokenScope
from shared.domain.permissions import Level
from workers.tokens.vault import scope_key


def key(request: TokenScope, *, base_url: str = "https://api.github.com", app_id: str = "1") -> str:
    return scope_key(request, base_url=base_url, app_id=app_id)


BASE = TokenScope(installation_id=InstallationId(1), permissions={"contents": Level.READ}, repository_ids=(1,))


@pytest.mark.parametrize(
    "other",
    [
        TokenScope(installation_id=InstallationId(2), permissions={"contents": Level.READ}, repository_ids=(1,)),
        TokenScope(installation_id=InstallationId(1), permissions={"contents": Level.WRITE}, repository_ids=(1,)),
        TokenScope(installation_id=InstallationId(1), permissions={"contents": Level.ADMIN}, repository_ids=(1,)),
        TokenScope(installation_id=InstallationId(1), permissions={"checks": Level.READ}, repository_ids=(1,)),
        TokenScope(installation_id=InstallationId(1), permissions={}, repository_ids=(1,)),
        TokenScope(installation_id=InstallationId(1), permissions={"contents": Level.READ}, repository_ids=(2,)),
        TokenScope(installation_id=InstallationId(1), permissions={"contents": Level.READ}),
    ],
)
def test_requests_that_differ_in_scope_share_nothing(other: TokenScope) -> None:
    assert key(other) != key(BASE)


def test_apps_and_githubs_share_nothing() -> None:
    assert len({key(BASE), key(BASE, app_id="2"), key(BASE, base_url="https://git.acme.com/api/v3")}) == 3


@given(
    permissions=st.dictionaries(st.sampled_from(["contents", "checks", "issues"]), st.sampled_from(list(Level))),
    repositories=st.lists(st.integers(1, 9)),
)
def test_order_does_not_matter(
    permissions: dict[str, Level],
    repositories: list[int],
) -> None:
    shuffled_permissions = dict(reversed(permissions.items()))
    shuffled_repositories = tuple(reversed(repositories + repositories))
    one = TokenScope(installation_id=InstallationId(1), permissions=permissions, repository_ids=tuple(repositories))
    other = TokenScope(
        installation_id=InstallationId(1), permissions=shuffled_permissions, repository_ids=shuffled_repositories
    )
    assert key(one) == key(other)
