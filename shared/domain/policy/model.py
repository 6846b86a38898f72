"""The words of a trust policy, as they stand in a document."""

from __future__ import annotations

from typing import Annotated, Any, Literal, cast

from pydantic import BeforeValidator, Discriminator, Field, StringConstraints, Tag, WithJsonSchema

from ..permissions import Level, Permissions
from ..principal import Principal, PrincipalKind
from ..spec.fields import AsTuple, SpecModel, wrong
from .fields import MAX_PATTERN_CHARACTERS, ClaimPattern, FullPattern, claim_text, exactly, ignoring_case, is_match

MAX_POLICIES = 500

PolicyName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", max_length=100)]
Resource = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]*$", max_length=100)]


class ApiKeyMatcher(SpecModel):
    """API keys by their names."""

    api_key: FullPattern = Field(description="Pattern of the whole name of the key", examples=["ci-.*"])

    def matches(self, principal: Principal) -> bool:
        """Whether the principal is such a key."""
        return principal.kind is PrincipalKind.KEY and is_match(exactly(self.api_key), principal.name)


class WorkloadMatcher(SpecModel):
    """Workloads that an OIDC issuer vouches for, such as a job of GitHub Actions."""

    issuer: Annotated[str, StringConstraints(pattern=r"^https?://[^\s?#]+$", max_length=500)] = Field(
        description="The issuer, exactly as its tokens name it",
        examples=["https://token.actions.githubusercontent.com"],
    )
    subject: FullPattern = Field(
        description="Pattern of the whole subject", examples=["repo:acme/.*:ref:refs/heads/main"]
    )
    audience: Annotated[str, StringConstraints(min_length=1, max_length=500)] | None = Field(
        None, description="An audience that the token must have been made for", examples=["octobatch"]
    )
    claims: dict[Annotated[str, StringConstraints(min_length=1, max_length=200)], ClaimPattern] = Field(
        default_factory=dict[str, str],
        max_length=50,
        description="Patterns of other claims, each of the whole value; a claim that is not there does not match",
        examples=[{"repository_owner": "acme"}],
    )

    def matches(self, principal: Principal) -> bool:
        """Whether the principal is such a workload."""
        return (
            principal.kind is PrincipalKind.OIDC
            and principal.issuer == self.issuer
            and is_match(exactly(self.subject), principal.name)
            and (self.audience is None or self.audience in _audiences(principal))
            and all(self._matches_claim(principal, name) for name in self.claims)
        )

    def _matches_claim(self, principal: Principal, name: str) -> bool:
        text = claim_text(principal.claims.get(name))
        return text is not None and is_match(exactly(self.claims[name]), text)


def _audiences(principal: Principal) -> list[Any]:
    audience = principal.claims.get("aud")
    return cast("list[Any]", audience) if isinstance(audience, list) else [audience]


def _kind(entry: Any) -> str | None:
    """Which form an entry of a document has; that of a matcher is asked for when it is written."""
    keys = cast("dict[str, Any]", entry) if isinstance(entry, dict) else {}
    if isinstance(entry, ApiKeyMatcher) or "apiKey" in keys:
        return "<apiKey>"
    return "<issuer>" if isinstance(entry, WorkloadMatcher) or keys.keys() & {"issuer", "subject"} else None


Matcher = Annotated[
    Annotated[ApiKeyMatcher, Tag("<apiKey>")] | Annotated[WorkloadMatcher, Tag("<issuer>")],
    Discriminator(
        _kind,
        custom_error_type="spec",
        custom_error_message="must have the key apiKey, or the keys issuer and subject",
    ),
]


def _repositories(value: Any) -> Any:
    if value == "all":
        return ()
    if value == []:
        raise wrong("must not be empty; leave it out, or say all, for every repository")
    return value


_REPOSITORIES_SCHEMA = {
    "anyOf": [
        {"const": "all"},
        {
            "type": "array",
            "minItems": 1,
            "maxItems": 100,
            "items": {"type": "string", "minLength": 1, "maxLength": MAX_PATTERN_CHARACTERS},
        },
    ]
}


class TrustPolicy(SpecModel):
    """Principals, and the most that a token for one of them may have: all of it in one policy, or not at all."""

    name: PolicyName = Field(description="Unique name: lower-case letters, digits and hyphens", examples=["deployers"])
    principals: Annotated[tuple[Matcher, ...], AsTuple] = Field(
        min_length=1, max_length=100, description="Who it is for: any of the entries"
    )
    installations: Annotated[tuple[FullPattern, ...], AsTuple] = Field(
        min_length=1, max_length=100, description="Patterns of logins of accounts that the App is installed on"
    )
    repositories: Annotated[
        tuple[FullPattern, ...], AsTuple, BeforeValidator(_repositories), WithJsonSchema(_REPOSITORIES_SCHEMA)
    ] = Field(
        (),
        max_length=100,
        description="Patterns of owner/name; left out, or all = every repository of the installation",
    )
    permissions: dict[Resource, Annotated[Level, Field(strict=False)]] = Field(
        min_length=1, max_length=100, description="The most that a token may have", examples=[{"contents": "read"}]
    )

    @property
    def ceiling(self) -> Permissions:
        """The most that a token may have; GitHub adds `metadata: read` to every token."""
        return {"metadata": Level.READ, **self.permissions}

    def names(self, principal: Principal) -> bool:
        """Whether it is for this principal."""
        return any(matcher.matches(principal) for matcher in self.principals)

    def covers_installation(self, account: str) -> bool:
        """Whether it is for installations on this account."""
        return any(is_match(ignoring_case(pattern), account) for pattern in self.installations)

    def covers_repository(self, repository: str) -> bool:
        """Whether it is for this repository (owner/name) of its installations."""
        patterns = self.repositories
        return not patterns or any(is_match(ignoring_case(pattern), repository) for pattern in patterns)

    def to_document(self) -> dict[str, Any]:
        """The policy as JSON, with the keys of the document; what was left out is left out."""
        return self.model_dump(mode="json", exclude_defaults=True)

    @classmethod
    def from_document(cls, facts: Any) -> TrustPolicy:
        """The policy that `to_document` told of."""
        return cls.model_validate(facts)


class PolicyDocument(SpecModel):
    """Trust policies, in the order in which they are considered."""

    version: Literal[1] = Field(description="Version of the document's format")
    policies: Annotated[tuple[TrustPolicy, ...], AsTuple] = Field(
        max_length=MAX_POLICIES, description="The policies; the first that covers a request decides it"
    )
