"""Who asks, and what they may: the App by its JWT, or an installation by its token."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .errors import forbidden, not_found
from .state import Account, App, Installation, Repository

LEVELS = {"read": 1, "write": 2, "admin": 3}


@dataclass(frozen=True, kw_only=True)
class Viewer:
    """Who asks. `installation` is None for the App itself, which may nothing with repositories.

    `repository_ids` None means all repositories of the installation's account. `account` is the App's bot.
    """

    app: App
    account: Account
    installation: Installation | None
    permissions: Mapping[str, str]
    repository_ids: frozenset[int] | None
    token: str

    @property
    def kind(self) -> str:
        """`app` or `installation`."""
        return "installation" if self.installation else "app"

    @property
    def limit_key(self) -> str:
        """Whose limits its requests count against."""
        return f"installation {self.installation.id}" if self.installation else f"app {self.app.id}"

    def may(self, resource: str, level: str) -> bool:
        """Whether the permissions cover that level of the resource; everyone may read metadata."""
        if resource == "metadata" and level == "read":
            return True
        return LEVELS.get(self.permissions.get(resource, ""), 0) >= LEVELS[level]

    def has(self, repository: Repository) -> bool:
        """Whether the repository is one of those that the token is for."""
        if self.installation is None or repository.owner_id != self.installation.account_id:
            return False
        return self.repository_ids is None or repository.id in self.repository_ids

    def sees(self, repository: Repository) -> bool:
        """Whether the repository exists for this viewer."""
        return self.has(repository) or (self.installation is not None and not repository.private)

    def require(self, repository: Repository, resource: str, level: str) -> None:
        """Raises `Refused`: not found where the viewer may not know of it, forbidden where a permission lacks."""
        if not self.sees(repository):
            raise not_found()
        public_read = level == "read" and not repository.private
        if not public_read and not (self.has(repository) and self.may(resource, level)):
            raise forbidden()

    def require_change(self, repository: Repository, resource: str) -> None:
        """Like `require` for writing, which archived repositories refuse too."""
        self.require(repository, resource, "write")
        if repository.archived:
            raise forbidden("Repository was archived so is read-only.")

    def require_workflows(self, paths: Iterable[str]) -> None:
        """Raises `Refused` where a path is a workflow's and the viewer may not write those."""
        for path in paths:
            if path.startswith(".github/workflows/") and not self.may("workflows", "write"):
                raise forbidden(
                    "refusing to allow a GitHub App to create or update workflow"
                    f" `{path}` without `workflows` permission"
                )
