"""What the owners of a selection's repositories show."""

from __future__ import annotations

from pydantic import Field

from shared.domain.codeowners import Owner, OwnerKind, OwnersFile
from shared.postgres.owners import Owned, Team

from ..schemas import Shown


class ShownOwner(Shown):
    """A user, a team, or an e-mail address."""

    kind: OwnerKind
    name: str = Field(description="login, organisation/team, or address")


class ShownOwned(Shown):
    """A repository and branch of a selection, and who owns it by its CODEOWNERS."""

    repository: str = Field(description="owner/name")
    branch: str
    path: str | None = Field(description="where its CODEOWNERS is; none: it has none")
    owners: list[ShownOwner] = Field(description="of the path that was asked for, else of all that has no other owner")
    all_owners: list[ShownOwner] = Field(description="everybody that a rule names")
    problems: list[str] = Field(description="lines that GitHub skips, or why the file cannot be read")

    @classmethod
    def of(cls, owned: Owned, *, path: str | None) -> ShownOwned:
        """From what is stored; `path` asks for the owners of one path."""
        file = OwnersFile(owned.document or "")
        owners = file.owners_of(path) if path else file.default_owners
        problems = [f"line {number}: {problem}" for number, problem in file.problems]
        return cls(
            repository=owned.name_with_owner,
            branch=owned.branch,
            path=owned.path,
            owners=shown_owners(owners),
            all_owners=shown_owners(file.all_owners),
            problems=[owned.problem] if owned.problem else problems,
        )


class ShownTeam(Shown):
    """A team that a CODEOWNERS names, as GitHub had it within the last day."""

    slug: str = Field(description="organisation/team")
    name: str
    members: list[str] = Field(description="logins, a hundred at most")
    is_missing: bool = Field(description="GitHub shows no such team")

    @classmethod
    def of(cls, team: Team) -> ShownTeam:
        """From what is stored."""
        return cls(slug=team.slug, name=team.name, members=list(team.members), is_missing=team.is_missing)


class OwnerCount(Shown):
    """How many repositories of a selection an owner owns all of, but for what has another owner."""

    owner: ShownOwner
    repositories: int


class OwnersSummary(Shown):
    """The owners of a selection's repositories."""

    resolved: int = Field(description="repositories whose CODEOWNERS was looked for")
    unowned: int = Field(description="those that have none, or whose CODEOWNERS names nobody for the whole")
    owners: list[OwnerCount] = Field(description="most repositories first")
    teams: list[ShownTeam]


def shown_owners(owners: tuple[Owner, ...]) -> list[ShownOwner]:
    """Owners as they are shown."""
    return [ShownOwner(kind=owner.kind, name=owner.name) for owner in owners]
