"""The spec's `hooks`: done to a pull request whose head is still the commit that they are meant for."""

from __future__ import annotations

from dataclasses import dataclass

from shared.domain.permissions import PUBLISH
from shared.domain.spec import CampaignSpec, Hook
from shared.domain.target import PullRequestRef, Target, TargetState
from shared.domain.templates import RepositoryContext, TemplateContext, render
from shared.github import pull_request_acts as acts
from shared.github.checks import failed_checks
from shared.github.pull_request_acts import PullRequestView
from shared.github.pull_requests import PullRequestState, close_pull_request
from shared.postgres import installations, target_warnings

from ...runtime import Command
from ..access import repository_token
from ..context import CampaignsContext
from ..loading import TargetOfRun, campaign_link, load_spec, load_target
from ..moves import begin_again, move_target
from ..verdicts import JUDGED
from .keeping_up import ACTOR, ON_CI_FAILURE
from .reconciling import permissions_to_follow


@dataclass(frozen=True, kw_only=True)
class _Subject:
    """A pull request that is acted on."""

    loaded: TargetOfRun
    spec: CampaignSpec
    ref: PullRequestRef
    view: PullRequestView
    token: str

    @property
    def target(self) -> Target:
        return self.loaded.target


async def run_hook(ctx: CampaignsContext, command: Command) -> None:
    """Does what the hook says, each part once however often the command is delivered."""
    loaded = await load_target(ctx, command)
    target, head_oid = loaded.target, command.payload["head_oid"]
    async with ctx.pool.acquire() as conn:
        spec = await load_spec(conn, loaded.run)
        installation = await installations.get_installation(conn, target.installation_id)
    permissions = {**permissions_to_follow(installation.permissions), **PUBLISH}
    name = command.payload["hook"]
    hook = spec.hooks.on_ci_failure if name == ON_CI_FAILURE else spec.hooks.on_merge_conflict
    if hook is None or target.pull_request is None:
        return
    try:
        async with repository_token(ctx, target, permissions, purpose=name) as token:
            view = await acts.look_at_pull_request(ctx.github, target.pull_request.node_id, token=token)
            if not _is_meant(view, head_oid):
                return
            subject = _Subject(loaded=loaded, spec=spec, ref=target.pull_request, view=view, token=token)
            await _speak(ctx, subject, hook, mark=f"<!-- octobatch hook={name} head={head_oid} -->")
            state = await _change(ctx, subject, hook)
    except JUDGED as error:
        async with ctx.pool.acquire() as conn:
            await target_warnings.add_warning(conn, target.id, f"hooks.{name}: {error}")
        return
    async with ctx.outbox.transaction(completing=command.operation_id) as work:
        if state:
            await move_target(work, target.id, to=state, reason=f"hooks.{name}")
        if hook.rerun and not hook.close:
            await begin_again(work, target.id, reason=f"hooks.{name}: the steps run again", actor=ACTOR)


def _is_meant(view: PullRequestView, head_oid: str) -> bool:
    pull_request = view.pull_request
    return pull_request.state is PullRequestState.OPEN and pull_request.head_oid == head_oid and not view.is_archived


async def _speak(ctx: CampaignsContext, subject: _Subject, hook: Hook, *, mark: str) -> None:
    """Comments and labels."""
    target, node_id, view = subject.target, subject.ref.node_id, subject.view
    if hook.comment and not view.has_comment(mark):
        failed = "checks" in hook.comment and await failed_checks(ctx.github, node_id, token=subject.token)
        text = render(hook.comment, _context(ctx, subject, failed=", ".join(failed or ())))
        await acts.comment(ctx.github, node_id, body=f"{text.rstrip()}\n\n{mark}", token=subject.token)
    missing = [label for label in hook.labels if label not in view.labels]
    if missing:
        await acts.add_labels(
            ctx.github, node_id, repository_node_id=target.repository_node_id, labels=missing, token=subject.token
        )


async def _change(ctx: CampaignsContext, subject: _Subject, hook: Hook) -> TargetState | None:
    """Closes it or makes it a draft; the target's state after that."""
    if hook.close:
        await close_pull_request(ctx.github, subject.ref.node_id, token=subject.token)
        return TargetState.CLOSED
    if hook.draft and not subject.view.pull_request.is_draft:
        await acts.convert_to_draft(ctx.github, subject.ref.node_id, token=subject.token)
        return None if subject.target.state is TargetState.CONFLICTED else TargetState.DRAFT
    return None


def _context(ctx: CampaignsContext, subject: _Subject, *, failed: str) -> TemplateContext:
    return TemplateContext(
        repository=RepositoryContext(name=subject.view.repository, branch=subject.target.base_branch),
        campaign_name=subject.spec.name,
        campaign_description=subject.spec.description,
        campaign_link=campaign_link(ctx, subject.loaded.run),
        pull_request={"number": subject.ref.number, "url": subject.ref.url},
        failed_checks=failed,
    )
