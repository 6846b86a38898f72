"""From a spec and a repository to the change that its pull request will hold."""

from __future__ import annotations

from shared.domain.change import FileChange, PreparedChange
from shared.domain.spec import CampaignSpec
from shared.domain.templates import RepositoryContext
from shared.github.client import GitHubClient
from shared.settings import CampaignsSettings

__all__ = ["FileChange", "PreparedChange", "RepositoryContext", "prepare_change"]


async def prepare_change(
    *,
    spec: CampaignSpec,
    repository: RepositoryContext,
    base_oid: str,
    github: GitHubClient,
    token: str,
    settings: CampaignsSettings,
    campaign_link: str,
) -> PreparedChange:
    """Runs the spec's steps on the repository at `base_oid`; publishes nothing.

    Specs of edits read what they need through GitHub's API; a `run` step takes a shallow clone. Raises `StepFailed`
    (its `log` says what the steps said until then) and the errors of GitHub.
    """
    raise NotImplementedError
