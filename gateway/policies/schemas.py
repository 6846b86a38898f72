"""What is shown of trust policies, and what may be asked of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field, model_validator

from shared.domain.permissions import Level
from shared.domain.policy import PolicyVerdict
from shared.domain.principal import Principal, PrincipalKind
from shared.domain.spec.fields import Login
from shared.postgres.policies import StoredPolicy

from ..schemas import MAX_DOCUMENT, Given, Shown

EXAMPLE_POLICIES = """version: 1
policies:
  - name: release-bots
    principals:
      - apiKey: "ci-.*"
    installations: [acme]
    repositories: ["acme/svc-.*"]
    permissions: {contents: read, pull_requests: write}
"""


class ShownPolicy(BaseModel):
    """A trust policy."""

    name: str
    policy: dict[str, Any] = Field(description="the policy as it stands in a document")
    updated_by: str
    updated_at: datetime

    @classmethod
    def of(cls, stored: StoredPolicy) -> ShownPolicy:
        """What is shown of a stored policy."""
        return cls(
            name=stored.policy.name,
            policy=stored.policy.to_document(),
            updated_by=stored.updated_by,
            updated_at=stored.updated_at,
        )


class GivenPolicies(Given):
    """Trust policies, as YAML text."""

    document: str = Field(max_length=MAX_DOCUMENT, description="the policies, YAML", examples=[EXAMPLE_POLICIES])
    prune: bool = Field(default=False, description="remove the policies that the document does not have")
    dry_run: bool = Field(default=False, description="say what would change, and change nothing")


class ShownPolicyChanges(Shown):
    """Names of policies, by what becomes of them."""

    dry_run: bool
    added: list[str]
    changed: list[str]
    removed: list[str]
    unchanged: list[str]


class GivenPrincipal(Given):
    """Somebody who might ask: an API key, or a workload with an OIDC token."""

    api_key: str | None = Field(default=None, max_length=200, description="an API key's name")
    issuer: str | None = Field(default=None, max_length=500)
    subject: str | None = Field(default=None, max_length=1000)
    claims: dict[str, Any] = Field(default_factory=dict[str, Any], max_length=100)

    @model_validator(mode="after")
    def _is_one(self) -> GivenPrincipal:
        workload = (self.issuer, self.subject)
        one = all(workload) if self.api_key is None else not any(workload) and not self.claims
        if not one:
            raise ValueError("either api_key, or issuer and subject, and claims where they matter")
        return self

    def principal(self) -> Principal:
        """Who is meant."""
        if self.api_key is not None:
            return Principal(name=self.api_key)
        return Principal(kind=PrincipalKind.OIDC, name=self.subject or "", issuer=self.issuer or "", claims=self.claims)


class GivenQuestion(Given):
    """A request for a token, to be decided and not carried out."""

    principal: GivenPrincipal
    account: Login = Field(description="login of the account of the installation")
    repositories: list[str] = Field(
        default_factory=list[str], max_length=500, description="owner/name; none = all of the installation"
    )
    permissions: dict[str, Level] = Field(
        default_factory=dict[str, Level], description="none = all that the principal may have"
    )


class ShownConsidered(Shown):
    """What a policy says of a request."""

    policy: str
    verdict: PolicyVerdict
    reason: str


class ShownDecision(Shown):
    """Whether a token would be given, by which policy, and why."""

    allowed: bool
    policy: str | None
    permissions: dict[str, Level] = Field(description="what the token would have")
    reason: str
    considered: list[ShownConsidered] = Field(description="each policy, in their order")
