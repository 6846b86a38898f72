"""What stands in a token's way is named, with who can change it and where."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from shared.domain.ids import InstallationId
from shared.domain.installation import Installation
from shared.domain.permissions import EXPECTED, Level
from shared.domain.policy import Decision
from shared.domain.scopes import AppFacts, Lacking, Missing, ScopeReport, WantedScope, judge

NOW = datetime(2026, 1, 2, tzinfo=UTC)
APP = AppFacts(
    slug="octobatch",
    owner="tools",
    owner_is_organization=True,
    permissions=EXPECTED,
    web="https://github.test",
    page="https://github.test/apps/octobatch",
)
INSTALLATION = Installation(
    id=InstallationId(7),
    account="acme",
    account_type="Organization",
    repository_selection="selected",
    permissions={**EXPECTED, "contents": Level.READ},
    suspended_at=None,
    updated_at=NOW,
)


def ask(wanted: WantedScope, *, app: AppFacts = APP, installation: Installation = INSTALLATION) -> ScopeReport:
    return judge(wanted, app, installation, Decision(allowed=True, permissions=wanted.permissions, reason="allowed"))


def only(report: ScopeReport) -> Missing:
    assert not report.allowed
    assert report.permissions == {}
    [missing] = report.missing
    return missing


def test_what_is_granted_would_be_given_with_metadata() -> None:
    report = ask(WantedScope(permissions={"pull_requests": Level.WRITE}, found=(("acme/api", 1),)))
    assert report.allowed
    assert report.permissions == {"metadata": "read", "pull_requests": "write"}
    assert report.repositories == ("acme/api",)


def test_what_only_the_installation_lacks_is_for_the_accounts_owner() -> None:
    missing = only(ask(WantedScope(permissions={"contents": Level.WRITE})))
    assert (missing.lacking, missing.wanted, missing.granted) == (Lacking.INSTALLATION, "write", "read")
    assert missing.approval == "an owner of acme accepts the App's new permissions"
    assert missing.address == "https://github.test/organizations/acme/settings/installations/7"


def test_what_the_app_lacks_is_for_its_owner_first() -> None:
    missing = only(ask(WantedScope(permissions={"workflows": Level.WRITE})))
    assert (missing.lacking, missing.wanted, missing.granted) == (Lacking.APP, "write", None)
    assert missing.approval.startswith("an owner of tools adds workflows: write to the App octobatch; then an owner of")
    assert missing.address == "https://github.test/organizations/tools/settings/apps/octobatch/permissions"


def test_pages_of_users_are_their_own_settings() -> None:
    app = replace(APP, owner="jo", owner_is_organization=False)
    user = replace(INSTALLATION, account="jo", account_type="User")
    wanted = WantedScope(permissions={"workflows": Level.WRITE, "contents": Level.WRITE})
    addresses = [each.address for each in ask(wanted, app=app, installation=user).missing]
    assert addresses == [
        "https://github.test/settings/installations/7",
        "https://github.test/settings/apps/octobatch/permissions",
    ]


def test_a_repository_that_is_not_there_is_for_the_accounts_owner() -> None:
    missing = only(ask(WantedScope(not_found=("secrets",))))
    assert (missing.lacking, missing.name) == (Lacking.REPOSITORY, "secrets")
    assert "an owner of acme gives the installation the repository secrets" in missing.approval


def test_suspended_and_uninstalled_are_said() -> None:
    suspended = only(ask(WantedScope(), installation=replace(INSTALLATION, suspended_at=NOW)))
    assert suspended.lacking is Lacking.SUSPENDED
    gone = only(ask(WantedScope(not_found=("x",)), installation=replace(INSTALLATION, deleted_at=NOW)))
    assert gone.lacking is Lacking.UNINSTALLED
    assert gone.address == "https://github.test/apps/octobatch/installations/new"


def test_what_policies_refuse_is_not_allowed_though_github_would_give_it() -> None:
    wanted = WantedScope(permissions={"checks": Level.READ})
    report = judge(wanted, APP, INSTALLATION, Decision(allowed=False, reason="no trust policy names you"))
    assert (report.allowed, dict(report.permissions), report.missing) == (False, {}, ())
