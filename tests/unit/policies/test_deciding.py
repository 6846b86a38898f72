"""Who may have which token, as a table; and that no decision ever gives more than one policy's ceiling."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.operation import Service
from shared.domain.permissions import Level, missing_permissions, parse_permissions
from shared.domain.policy import Decision, PolicyVerdict, TrustPolicy, Wanted, decide, service_ceiling
from shared.domain.principal import Principal, PrincipalKind

ACTIONS = "https://token.actions.githubusercontent.com"


def make_policy(name: str = "deployers", **facts: object) -> TrustPolicy:
    document = {
        "name": name,
        "principals": [{"apiKey": "ci-.*"}],
        "installations": ["acme"],
        "permissions": {"contents": "read"},
    }
    return TrustPolicy.from_document(document | facts)


POLICIES = (
    make_policy(
        "release-bots",
        principals=[
            {"apiKey": "ci-.*"},
            {
                "issuer": ACTIONS,
                "subject": "repo:acme/.*:ref:refs/heads/main",
                "audience": "octobatch",
                "claims": {"repository_owner": "acme", "private": True, "run_attempt": 1},
            },
        ],
        repositories=["acme/svc-.*"],
        permissions={"contents": "read", "pull_requests": "write"},
    ),
    make_policy(
        "readers",
        principals=[{"apiKey": "reader|ci-1"}],
        installations=["acme", "octo-.*"],
        permissions={"contents": "read", "issues": "write"},
    ),
    make_policy(
        "writers", principals=[{"apiKey": "ci-1"}], repositories=["acme/web"], permissions={"contents": "write"}
    ),
)
GRANTED = {
    "metadata": "read",
    "contents": "write",
    "pull_requests": "write",
    "issues": "read",
    "administration": "write",
}
CLAIMS = {"aud": "octobatch", "repository_owner": "acme", "private": True, "run_attempt": 1}
MAIN = "repo:acme/infra:ref:refs/heads/main"


def key(name: str) -> Principal:
    return Principal(name=name)


def job(subject: str = MAIN, issuer: str = ACTIONS, **claims: object) -> Principal:
    changed = {name: value for name, value in {**CLAIMS, **claims}.items() if value is not None}
    return Principal(kind=PrincipalKind.OIDC, name=subject, issuer=issuer, claims=changed)


def asked(
    principal: Principal, account: str = "acme", repositories: tuple[str, ...] = (), **permissions: str
) -> Decision:
    wanted = Wanted(
        account=account,
        granted=parse_permissions(GRANTED),
        repositories=repositories,
        permissions=parse_permissions(permissions),
    )
    return decide(POLICIES, principal, wanted)


A, B = "acme/svc-a", "acme/svc-b"

# who, on which account, for which repositories, with which permissions → the policy and what it gives
ALLOWED = [
    (key("ci-1"), "acme", (A,), {"contents": "read"}, "release-bots", {"contents": "read"}),
    (key("ci-1"), "acme", (A, B), {"pull_requests": "read"}, "release-bots", {"pull_requests": "read"}),
    (key("ci-1"), "ACME", ("Acme/SVC-a",), {"contents": "read"}, "release-bots", {"contents": "read"}),
    (key("ci-2"), "acme", (A,), {"metadata": "read"}, "release-bots", {"metadata": "read"}),
    (
        key("ci-2"),
        "acme",
        (A,),
        {},
        "release-bots",
        {"metadata": "read", "contents": "read", "pull_requests": "write"},
    ),
    (key("ci-1"), "acme", (), {"contents": "read"}, "readers", {"contents": "read"}),
    (key("ci-1"), "acme", ("acme/web",), {"contents": "write"}, "writers", {"contents": "write"}),
    (key("reader"), "octo-labs", (), {}, "readers", {"metadata": "read", "contents": "read", "issues": "read"}),
    (key("reader"), "acme", ("acme/web", A), {"contents": "read"}, "readers", {"contents": "read"}),
    (job(), "acme", (A,), {"contents": "read"}, "release-bots", {"contents": "read"}),
    (job(aud=["other", "octobatch"]), "acme", (A,), {"contents": "read"}, "release-bots", {"contents": "read"}),
]


@pytest.mark.parametrize(("principal", "account", "repositories", "permissions", "policy", "given"), ALLOWED)
def test_what_one_policy_covers_is_allowed(
    principal: Principal,
    account: str,
    repositories: tuple[str, ...],
    permissions: dict[str, str],
    policy: str,
    given: dict[str, str],
) -> None:
    decision = asked(principal, account, repositories, **permissions)
    assert (decision.allowed, decision.policy, decision.permissions) == (True, policy, given), decision.reason
    assert decision.reason.startswith(f"policy {policy} allows ")


# who, on which account, for which repositories, with which permissions → parts of the reason
REFUSED = [
    (key("nobody"), "acme", (A,), {"contents": "read"}, ["no trust policy names API key nobody"]),
    (key("xci-1"), "acme", (A,), {"contents": "read"}, ["no trust policy names"]),
    (key("CI-2"), "acme", (A,), {"contents": "read"}, ["no trust policy names"]),
    (key("ci-2\nreader"), "acme", (A,), {"contents": "read"}, ["no trust policy names"]),
    (key("nobody\nci-2"), "acme", (A,), {"contents": "read"}, ["no trust policy names"]),
    (key("ci-2"), "octo-labs", (), {}, ["of octo-labs: policy release-bots: it is for installations on acme"]),
    (key("reader"), "octo", (), {}, ["installations on acme or octo-.*, not on octo"]),
    (key("ci-2"), "acme\n", (A,), {}, ["it is for installations on acme"]),
    (
        key("ci-2"),
        "acme",
        (A,),
        {"contents": "write"},
        ["policy release-bots allows contents: read, ", " on acme/svc-.*", "contents: write is more"],
    ),
    (key("ci-2"), "acme", (A,), {"contents": "admin"}, ["contents: admin is more"]),
    (key("ci-2"), "acme", (A,), {"administration": "read"}, ["administration: read is more"]),
    (key("ci-2"), "acme", (), {"contents": "read"}, ["all repositories are more: name those that it is for"]),
    (key("ci-2"), "acme", (A, "acme/web"), {"contents": "read"}, ["acme/web: not among these repositories"]),
    (key("ci-2"), "acme", ("acme/my-svc-a",), {"contents": "read"}, ["not among these"]),
    (key("ci-2"), "acme", ("acme/svc-a\nx",), {"contents": "read"}, ["not among these"]),
    (key("ci-2"), "acme", ("acme/web\nacme/svc-a",), {"contents": "read"}, ["not among these"]),
    (key("reader"), "acme", ("octo-labs/x",), {"contents": "read"}, ["octo-labs/x: not a repository of acme"]),
    # one policy has the repository, another the level: they do not add up
    (
        key("ci-1"),
        "acme",
        (A,),
        {"contents": "write"},
        ["policy release-bots allows", "policy readers", "policy writers"],
    ),
    (key("ci-1"), "acme", ("acme/web",), {"contents": "write", "issues": "read"}, ["issues: read is more"]),
    # allowed by a policy, and not granted by the installation
    (key("reader"), "acme", (), {"issues": "write"}, ["does not grant issues: write", "an owner of acme must approve"]),
    # workloads
    (job("repo:acme/infra:ref:refs/heads/main2"), "acme", (A,), {}, ["no trust policy names repo:acme/infra"]),
    (job("repo:acme/infra:ref:refs/heads/main\n"), "acme", (A,), {}, ["no trust policy names"]),
    (job("x\nrepo:acme/infra:ref:refs/heads/main"), "acme", (A,), {}, ["no trust policy names"]),
    (job(issuer=ACTIONS + "/"), "acme", (A,), {}, ["no trust policy names"]),
    (job(issuer="https://evil.example"), "acme", (A,), {}, ["of https://evil.example"]),
    (job(aud="other"), "acme", (A,), {}, ["no trust policy names"]),
    (job(aud=None), "acme", (A,), {}, ["no trust policy names"]),
    (job(repository_owner=None), "acme", (A,), {}, ["no trust policy names"]),
    (job(repository_owner="acme-evil"), "acme", (A,), {}, ["no trust policy names"]),
    (job(repository_owner=["acme"]), "acme", (A,), {}, ["no trust policy names"]),
    (job(repository_owner={"acme": 1}), "acme", (A,), {}, ["no trust policy names"]),
    (job(private=False), "acme", (A,), {}, ["no trust policy names"]),
    (job(private=1), "acme", (A,), {}, ["no trust policy names"]),
    (job(run_attempt=11), "acme", (A,), {}, ["no trust policy names"]),
    # an API key is no workload of the same name, nor the other way round
    (key(MAIN), "acme", (A,), {}, ["no trust policy names"]),
    (job("ci-1"), "acme", (A,), {}, ["no trust policy names"]),
]


@pytest.mark.parametrize(("principal", "account", "repositories", "permissions", "parts"), REFUSED)
def test_what_no_policy_covers_is_refused_with_what_would_be_allowed(
    principal: Principal,
    account: str,
    repositories: tuple[str, ...],
    permissions: dict[str, str],
    parts: list[str],
) -> None:
    decision = asked(principal, account, repositories, **permissions)
    assert not decision.allowed
    assert decision.policy is None
    assert decision.permissions == {}
    for part in parts:
        assert part in decision.reason


def test_each_policy_is_considered_in_order_and_says_why() -> None:
    decision = asked(key("ci-2"), "acme", ("acme/web",), contents="read")
    assert [(each.policy, each.verdict) for each in decision.considered] == [
        ("release-bots", PolicyVerdict.TOO_MUCH),
        ("readers", PolicyVerdict.OTHER_PRINCIPAL),
        ("writers", PolicyVerdict.OTHER_PRINCIPAL),
    ]
    assert decision.considered[1].reason == "it does not name API key ci-2"


def test_a_refusal_tells_the_requester_nothing_of_policies_that_do_not_name_it() -> None:
    assert "readers" not in asked(key("ci-2"), "octo-labs", (), contents="write").reason
    assert "writers" not in asked(key("nobody"), "acme", ("acme/web",), contents="write").reason


def test_without_policies_nothing_is_allowed() -> None:
    decision = decide((), key("ci-1"), Wanted(account="acme", granted={"metadata": Level.READ}))
    assert not decision.allowed
    assert decision.reason == "there are no trust policies, so none names API key ci-1"


def test_an_installation_that_grants_nothing_gives_nothing_rather_than_everything() -> None:
    decision = decide(POLICIES, key("reader"), Wanted(account="acme", granted={}))
    assert not decision.allowed
    assert "does not grant" in decision.reason


CAMPAIGNS = Principal.of_service(Service.CAMPAIGNS)
PUBLISH = {"metadata": Level.READ, "contents": Level.WRITE, "pull_requests": Level.WRITE}
WANTED = Wanted(account="acme", granted=parse_permissions(GRANTED), permissions=PUBLISH)


def test_our_workers_need_no_policy() -> None:
    decision = decide((), CAMPAIGNS, WANTED)
    assert decision.allowed
    assert decision.policy is None
    assert decision.permissions == PUBLISH


def test_our_workers_are_refused_above_their_ceiling() -> None:
    decision = decide((), CAMPAIGNS, replace(WANTED, permissions={"administration": Level.READ}))
    assert not decision.allowed
    assert "the campaigns worker may have checks: read, contents: write" in decision.reason
    assert not decide((), Principal.of_service(Service.SELECTION), WANTED).allowed
    assert not decide((), Principal(kind=PrincipalKind.SERVICE, name="another"), WANTED).allowed


def test_a_dry_run_reads_alone() -> None:
    refused = decide((), CAMPAIGNS, WANTED, dry_run=True)
    assert not refused.allowed
    assert "in a dry run" in refused.reason
    assert decide((), CAMPAIGNS, replace(WANTED, permissions={"contents": Level.READ}), dry_run=True).allowed
    everything = decide((), CAMPAIGNS, replace(WANTED, permissions={}), dry_run=True)
    assert set(everything.permissions.values()) == {Level.READ}
    for service in Service:
        assert set(service_ceiling(service, dry_run=True).values()) == {Level.READ}


# -- For any policies and any request ------------------------------------------------------------------------

LEVELS = st.sampled_from(Level)
RESOURCES = st.sampled_from(["metadata", "contents", "pull_requests", "issues"])
PERMISSIONS = st.dictionaries(RESOURCES, LEVELS, max_size=4)
REPOSITORIES = ["acme/a", "acme/b", "acme/svc-a", "octo/a"]
ACCOUNTS = ["acme", "octo"]
KEYS = ["ci-1", "ci-2", "reader"]
ANY_POLICY = st.builds(
    make_policy,
    st.sampled_from(["one", "two", "three"]),
    principals=st.lists(st.sampled_from([{"apiKey": name} for name in [*KEYS, "ci-.*", ".*"]]), min_size=1, max_size=2),
    installations=st.lists(st.sampled_from([*ACCOUNTS, ".*"]), min_size=1, max_size=2),
    repositories=st.just("all") | st.lists(st.sampled_from([*REPOSITORIES, "acme/.*"]), min_size=1, max_size=2),
    permissions=st.dictionaries(RESOURCES, LEVELS, min_size=1, max_size=4),
)
ANY_WANTED = st.builds(
    Wanted,
    account=st.sampled_from(ACCOUNTS),
    granted=PERMISSIONS,
    repositories=st.lists(st.sampled_from(REPOSITORIES), max_size=3, unique=True).map(tuple),
    permissions=PERMISSIONS,
)


@given(st.lists(ANY_POLICY, max_size=4), st.sampled_from(KEYS), ANY_WANTED)
def test_no_decision_gives_more_than_one_policy_allows_nor_more_than_is_granted(
    policies: list[TrustPolicy], name: str, wanted: Wanted
) -> None:
    decision = decide(policies, key(name), wanted)
    if not decision.allowed:
        assert decision.permissions == {}
        return
    assert decision.permissions
    assert not missing_permissions(decision.permissions, wanted.granted)
    assert not missing_permissions(wanted.permissions, decision.permissions)
    assert any(
        policy.name == decision.policy
        and policy.names(key(name))
        and policy.covers_installation(wanted.account)
        and (not policy.repositories or wanted.repositories)
        and all(policy.covers_repository(each) for each in wanted.repositories)
        and not missing_permissions(decision.permissions, policy.ceiling)
        for policy in policies
    )


@given(st.sampled_from(Service), ANY_WANTED, st.booleans())
def test_no_worker_gets_more_than_its_ceiling_nor_more_than_is_granted(
    service: Service, wanted: Wanted, dry_run: bool
) -> None:
    decision = decide((), Principal.of_service(service), wanted, dry_run=dry_run)
    assert not missing_permissions(decision.permissions, service_ceiling(service, dry_run=dry_run))
    assert not missing_permissions(decision.permissions, wanted.granted)
    assert decision.allowed == bool(decision.permissions)
