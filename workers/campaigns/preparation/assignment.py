"""What one preparation works with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.domain.codeowners import PLACES
from shared.domain.spec import CampaignSpec, SplitBy
from shared.domain.templates import TemplateContext
from shared.github.client import GitHubClient
from shared.settings import CampaignsSettings

from ..isolation.object_cache import ObjectCache
from ..steps.log import StepLog
from ..steps.memory import KnownResults
from ..steps.run import RunContainer
from ..steps.secrets import StepSecrets
from .reading import Reader


@dataclass(frozen=True, kw_only=True)
class Caches:
    """What earlier preparations left: results of steps, and git's objects."""

    results: KnownResults | None = None
    objects: ObjectCache | None = None


@dataclass(frozen=True, kw_only=True)
class Assignment:
    """A spec, a repository's commit, and what there is to prepare it with; `at` is the date of its commits."""

    spec: CampaignSpec
    repository_node_id: str
    base_oid: str
    github: GitHubClient
    reader: Reader
    settings: CampaignsSettings
    context: TemplateContext
    secrets: StepSecrets
    log: StepLog
    at: datetime
    caches: Caches
    containers: RunContainer | None = None

    @property
    def repository(self) -> str:
        """The repository's owner/name."""
        return self.context.repository.name

    @property
    def owners_places(self) -> Sequence[str]:
        """Where CODEOWNERS is looked for, where the spec divides by it."""
        transform = self.spec.transform_changes
        return PLACES if transform and transform.split_by is SplitBy.CODEOWNERS else ()
