"""Claims of an OIDC issuer are granted what the rules say, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from shared.domain.oidc_grants import granted_by, parse_grant_rules
from shared.domain.roles import Grant, Role

SSO = "https://sso.example"


def rule(**changed: Any) -> dict[str, Any]:
    return {"issuer": SSO, "claims": {"groups": "payments-.*"}, "role": "author", "namespace": "payments"} | changed


RULES = parse_grant_rules(
    json.dumps(
        [
            rule(),
            rule(claims={"groups": "platform", "email_verified": True}, role="admin", namespace="*"),
            rule(claims={"sub": "alice"}, role="viewer", namespace="search"),
            rule(issuer="https://other.example", claims={"sub": ".*"}, role="admin", namespace="*"),
        ]
    )
)


@pytest.mark.parametrize(
    ("claims", "grants"),
    [
        ({"sub": "bob"}, []),
        ({"sub": "alice"}, [Grant(Role.VIEWER, "search")]),
        ({"sub": "alice2"}, []),
        ({"groups": "payments-team"}, [Grant(Role.AUTHOR, "payments")]),
        ({"groups": ["x", "payments-a", "payments-b"]}, [Grant(Role.AUTHOR, "payments")]),
        ({"groups": ["old-payments-a", "payments-", ["payments-a"]]}, [Grant(Role.AUTHOR, "payments")]),
        ({"groups": ["old-payments-a", ["payments-a"], {"payments-a": 1}, None]}, []),
        ({"groups": ["payments-a\nplatform"]}, []),
        ({"groups": ["platform"]}, []),
        ({"groups": ["platform"], "email_verified": False}, []),
        ({"groups": ["platform"], "email_verified": True}, [Grant(Role.ADMIN, "*")]),
        (
            {"groups": ["platform", "payments-a"], "email_verified": True, "sub": "alice"},
            [Grant(Role.ADMIN, "*"), Grant(Role.AUTHOR, "payments"), Grant(Role.VIEWER, "search")],
        ),
    ],
)
def test_claims_have_the_grants_of_the_rules_that_hold(claims: dict[str, Any], grants: list[Grant]) -> None:
    assert list(granted_by(RULES, SSO, claims)) == grants


@pytest.mark.parametrize(
    "document",
    [
        "{}",
        "nothing",
        json.dumps([rule(claims={})]),
        json.dumps([rule(claims={"groups": "("})]),
        json.dumps([rule(role="owner")]),
        json.dumps([rule(namespace="Payments")]),
        json.dumps([rule(issuer="sso")]),
        json.dumps([rule(issuers=SSO)]),
        json.dumps([{name: value for name, value in rule().items() if name != "claims"}]),
    ],
)
def test_a_rule_that_says_nothing_clear_is_refused(document: str) -> None:
    with pytest.raises(ValidationError):
        parse_grant_rules(document)
