"""From a complete selection to the targets of its run. Pure: no I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from shared.domain.ids import InstallationId, TargetId, new_id
from shared.domain.run import Run
from shared.domain.selection import SelectedRepository
from shared.domain.spec import CampaignSpec, Published
from shared.domain.target import NewTarget, PublishAs, Target
from shared.domain.templates import InvalidTemplate, RepositoryContext, TemplateContext, render
from shared.errors import InvalidInput

BATCH_SIZE = 100
"""Targets of a batch: what GitHub takes in one query."""

_PUBLISH_AS = {Published.OPEN: PublishAs.OPEN, Published.DRAFT: PublishAs.DRAFT, Published.NO: PublishAs.NONE}


def plan_targets(
    run: Run, spec: CampaignSpec, selected: Iterable[SelectedRepository], *, campaign_link: str
) -> list[NewTarget]:
    """A target for each selected repository and branch; a dry run's are published nowhere.

    Raises `InvalidInput` where the branch's template has no value.
    """
    batches = _Batches()
    return [
        NewTarget(
            id=TargetId(new_id()),
            run_id=run.id,
            campaign_id=run.campaign_id,
            repository_node_id=each.repository.node_id,
            repository_id=each.repository.database_id,
            repository=each.repository.name_with_owner,
            installation_id=each.repository.installation_id,
            base_branch=each.branch,
            base_oid=each.head_oid,
            branch=head_branch(spec, each, campaign_link=campaign_link),
            publish_as=PublishAs.NONE
            if run.dry_run
            else _PUBLISH_AS[spec.published_for(each.repository.name_with_owner)],
            batch=batches.next_of(each.repository.installation_id),
        )
        for each in selected
        if each.included
    ]


def take_over(target: Target, run: Run, spec: CampaignSpec, *, target_id: TargetId) -> NewTarget:
    """The target of a run that publishes a preview: the same as there, but for how it is published."""
    return NewTarget(
        id=target_id,
        run_id=run.id,
        campaign_id=run.campaign_id,
        repository_node_id=target.repository_node_id,
        repository_id=target.repository_id,
        repository=target.repository,
        installation_id=target.installation_id,
        base_branch=target.base_branch,
        base_oid=target.base_oid,
        branch=target.branch,
        group=target.group,
        publish_as=PublishAs.NONE if run.dry_run else _PUBLISH_AS[spec.published_for(target.repository)],
        batch=target.batch,
    )


class _Batches:
    """Numbers batches: so many targets of an installation after each other are read together and share tokens."""

    def __init__(self) -> None:
        self._counts: Counter[InstallationId] = Counter()

    def next_of(self, installation_id: InstallationId) -> int:
        """The batch of the installation's next target."""
        position = self._counts[installation_id]
        self._counts[installation_id] += 1
        return position // BATCH_SIZE


def head_branch(spec: CampaignSpec, selected: SelectedRepository, *, campaign_link: str) -> str:
    """The branch that the change goes to: the same in every run, and one for each base branch of a repository.

    A template that does not name the base branch would give every base branch the same one. So the name of any but
    the default branch is added: `octobatch/bump-go` beside `octobatch/bump-go-release-1`.
    """
    template = spec.changeset_template.branch
    repository = RepositoryContext(name=selected.repository.name_with_owner, branch=selected.branch)
    context = TemplateContext(
        repository=repository,
        campaign_name=spec.name,
        campaign_description=spec.description,
        campaign_link=campaign_link,
    )
    try:
        branch = render(template, context).strip()
    except InvalidTemplate as error:
        name = selected.repository.name_with_owner
        raise InvalidInput(f"changesetTemplate.branch has no value for {name}: {error}") from error
    if selected.branch == selected.repository.default_branch or "repository.branch" in template:
        return branch
    return f"{branch}-{selected.branch}"
