"""What the control API takes: one model for each body. Unknown keys are errors."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from ..faults import Kind

PERSON = "mona"
"""Who acts where nobody is named."""


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewAccount(_Body):
    """An organisation or user. `install` installs the App on it, on all repositories."""

    login: str
    type: Literal["Organization", "User"] = "Organization"
    email: str | None = None
    install: bool = True
    permissions: dict[str, str] | None = None
    teams: list[str] = Field(default_factory=list)


class TeamBody(_Body):
    """A team of an organisation, made where there is none: all its members, and all its repositories by name."""

    organization: str
    slug: str
    members: list[str] = Field(default_factory=list)
    repositories: list[str] = Field(default_factory=list)


class PropertiesBody(_Body):
    """Custom properties of a repository: all that it has."""

    values: dict[str, str | list[str]] = Field(default_factory=dict)


class ProtectionBody(_Body):
    """What a protected branch demands."""

    reviews: int = 0
    from_owners: bool = False
    checks: list[str] = Field(default_factory=list)


class RulesetBody(_Body):
    """An active ruleset for branches."""

    name: str
    include: list[str] = Field(default_factory=lambda: ["~ALL"])
    exclude: list[str] = Field(default_factory=list)
    rules: list[str] = Field(default_factory=list)


class RulesBody(_Body):
    """Rules for a repository's branches: all that it has. They are shown, and not enforced."""

    protected: dict[str, ProtectionBody] = Field(default_factory=dict)
    rulesets: list[RulesetBody] = Field(default_factory=list)


class NewRepositoryBody(_Body):
    """A repository. `files` are committed as its first commit; without, it has a README when it is touched."""

    name: str
    description: str | None = None
    language: str | None = None
    license: str | None = None
    default_branch: str = "main"
    visibility: Literal["public", "private", "internal"] = "private"
    fork: bool = False
    archived: bool = False
    is_template: bool = False
    empty: bool = False
    topics: list[str] = Field(default_factory=list)
    stars: int = 0
    created_at: str | None = None
    pushed_at: str | None = None
    files: dict[str, str] | None = None


class NewRepositories(_Body):
    """Repositories of one owner: those listed, and `count` ones named `prefix-00001` that are `like` one.

    With `created_since` the counted ones were created evenly from then to now, else all now. With `events` each
    is told to the App.
    """

    owner: str
    repositories: list[NewRepositoryBody] = Field(default_factory=list)
    count: int = 0
    prefix: str = "repository"
    like: NewRepositoryBody | None = None
    created_since: AwareDatetime | None = None
    events: bool = False


class RepositoryChange(_Body):
    """`name` renames, `owner` transfers; the rest is set."""

    name: str | None = None
    owner: str | None = None
    archived: bool | None = None
    is_template: bool | None = None
    visibility: Literal["public", "private", "internal"] | None = None
    description: str | None = None
    language: str | None = None
    default_branch: str | None = None
    topics: list[str] | None = None
    allow_auto_merge: bool | None = None
    allow_squash_merge: bool | None = None
    allow_merge_commit: bool | None = None
    allow_rebase_merge: bool | None = None
    delete_branch_on_merge: bool | None = None


class NewCommit(_Body):
    """A person's commit pushed to a branch, made from `base` where it is not there; None deletes a file."""

    branch: str
    files: dict[str, str | None]
    message: str = "A change"
    login: str = PERSON
    base: str | None = None


class Merge(_Body):
    """How to merge, and who does."""

    method: Literal["merge", "squash", "rebase"] = "merge"
    login: str = PERSON


class By(_Body):
    """Who does it."""

    login: str = PERSON


class NewReview(_Body):
    """A review."""

    event: Literal["APPROVE", "REQUEST_CHANGES", "COMMENT"] = "APPROVE"
    body: str = ""
    login: str = PERSON


class NewCheck(_Body):
    """A check run on the head of a pull request; without a conclusion it is in progress."""

    name: str = "ci"
    conclusion: (
        Literal["success", "failure", "neutral", "cancelled", "skipped", "timed_out", "action_required"] | None
    ) = None


class InstallationChange(_Body):
    """`repositories` are names of the account's; `all` gives it all."""

    suspended: bool | None = None
    permissions: dict[str, str] | None = None
    repositories: list[str] | Literal["all"] | None = None


class FaultBody(_Body):
    """See `sandbox.github.faults`."""

    kind: Kind
    surface: Literal["rest", "graphql", "git", "any"] = "any"
    match: str = ""
    method: str | None = None
    when: Literal["before", "after"] = "before"
    count: int | None = 1
    skip: int = 0
    status: int = 502
    retry_after: int | None = None
    message: str | None = None
    type: str = "INTERNAL"
    seconds: float = 1.0
    larger_than: int = 0


class LimitsBody(_Body):
    """See `sandbox.github.limits`; sending it switches limits on unless `enabled` is false."""

    enabled: bool = True
    scale: float = Field(1.0, gt=0)
    primary: int | None = None
    rest_points: int = 900
    graphql_points: int = 2000
    content_per_minute: int = 80
    content_per_hour: int = 500
    concurrent: int = 100


class Settings(_Body):
    """How far GitHub's clock is wrong, how long new tokens live and what they begin with behind `ghs_` ("" anything),
    how long the code of a manifest is good, where webhooks go ("" nowhere), which versions of REST are spoken, and
    whether only who signs in is shown anything."""

    clock_skew_seconds: float | None = None
    token_lifetime_seconds: float | None = Field(None, gt=0)
    token_canary: str | None = Field(None, pattern="^[A-Za-z0-9]{0,24}$")
    manifest_lifetime_seconds: float | None = Field(None, ge=0)
    webhook_url: str | None = None
    api_versions: list[str] | None = None
    private_mode: bool | None = None


class NewManifest(_Body):
    """A manifest as the person confirmed it for an account; answered with its code."""

    owner: str
    manifest: dict[str, object]
