"""Publishing a target: its commit on its branch, its pull request, and neither of them twice.

GitHub and Postgres share no transaction. What holds instead: Postgres says `publishing` before anything is asked of
GitHub; everything made on GitHub carries its mark from its first moment (see `marks`); and whoever finds a hint that
something may be there already looks before making anything. Hints are: a target that was `publishing` when the
command began, a second attempt, another run of the campaign that owns the same branch, and any refusal of GitHub.
Each point at which a process can die, and what the next attempt finds:

* before the request: a branch that is missing. It makes everything.
* after the branch, before the commit: an empty branch, which may be replaced.
* after the commit, before the pull request: a branch with this very change (known by its trailers). It pushes nothing
  and opens the pull request. A git push of the same change makes the same commit, so that repeating it is nothing.
* after the pull request, before Postgres knows: a pull request with this run's mark. It is adopted.
* after replacing the commits of an earlier run, before title and body: this very change below an older mark. Only
  title and body are written. The commits are replaced on a branch beside it and moved in one step which demands that
  the branch still stands where it was looked at: GitHub would close the pull request if its branch went back to the
  base for a moment, and a person's push in between makes the step fail and the next look find a foreign commit.
* two workers at once (one was thought dead): creating the branch, or moving it from where it was looked at, succeeds
  for one only, and GitHub allows one open pull request from a branch to its base. The loser looks and adopts.

`createRef`, `createCommitOnBranch` and `createPullRequest` travel in one document, and GitHub goes on after one that
failed. If the branch was there with foreign commits, then `createRef` and the commit fail (it names the commit that it
must go on top of), yet the pull request can be opened, on somebody else's commits. So success is a commit and a pull
request; without the commit we look, and a pull request that this attempt opened on a branch that turns out to be
foreign is closed at once. Without the document's answer it is found, blocked, and named in the reason.

A run that is cancelled while GitHub is at work cannot become `open`: the transition is refused, and the pull request
that was just opened is closed again (`withdraw`), before the command is completed. A process that dies between the two
leaves the command open, and its next delivery withdraws the pull request by its mark.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from shared.domain.change import PreparedChange
from shared.domain.target import PublishAs, PullRequestRef, Target, TargetState
from shared.errors import Conflict, GitHubError, GitHubInvalid, GitHubNotFound, GitHubUnavailable
from shared.github import branches, pull_requests
from shared.github.pull_requests import BranchView, NewPullRequest, PullRequest, PullRequestState

from ..context import CampaignsContext
from .marks import CommitMark, PullRequestMark, with_mark, with_trailers
from .plan import FRESH, Branch, OwnCommits, PublishPlan, Rules, judge_branch, plan_publishing
from .pushing import push_borrowing

MOST_LOOKS = 3
"""So often the plan is made anew from what stands on GitHub before the command is tried again later."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of publishing, to be recorded."""

    state: TargetState
    reason: str | None = None
    pull_request: PullRequestRef | None = None
    head_oid: str | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Publication:
    """All that is to be published, and by what it is known."""

    target: Target
    change: PreparedChange
    mark: PullRequestMark
    commit_mark: CommitMark
    siblings: Sequence[Target]  # the campaign's targets that own the same branch, this one among them
    signed: bool  # by GitHub, through its API; else pushed by git
    rules: Rules = field(default_factory=Rules)

    @property
    def message(self) -> str:
        """The commit's message with its trailers."""
        return with_trailers(self.change.commit_message, self.commit_mark)

    @property
    def body(self) -> str:
        """The pull request's body with its mark."""
        return with_mark(self.change.body, self.mark)

    def through_api(self, most_bytes: int) -> bool:
        """Whether GitHub's API can make the commit: it knows no modes, and large requests fail."""
        return self.signed and not self.change.needs_git and self.change.size_bytes <= most_bytes


def state_of(pull_request: PullRequest) -> TargetState:
    """The state of a target with that pull request."""
    if pull_request.state is PullRequestState.MERGED:
        return TargetState.MERGED
    if pull_request.state is PullRequestState.CLOSED:
        return TargetState.CLOSED
    return TargetState.DRAFT if pull_request.is_draft else TargetState.OPEN


class Publisher:
    """Publishes one target with one token."""

    def __init__(self, ctx: CampaignsContext, publication: Publication, *, token: str) -> None:
        self._ctx = ctx
        self._github = ctx.github
        self._publication = publication
        self._target = publication.target
        self._token = token
        self._repository = publication.target.repository
        self._opened: PullRequest | None = None

    async def publish(self, *, look_first: bool) -> Outcome:
        """Publishes what is not yet published.

        Raises the errors of GitHub: what it refuses for good as `GitHubInvalid`, `GitHubForbidden`, `GitHubNotFound`.
        """
        plan = await self._plan() if look_first else FRESH
        for _ in range(MOST_LOOKS):
            try:
                return await self._carry_out(plan)
            except (GitHubInvalid, GitHubNotFound, Conflict) as error:
                refused, plan = plan, await self._plan()
                if plan == refused:
                    raise _final(error) from error
        raise GitHubUnavailable("the branch is changed by somebody else at this moment")

    async def _plan(self) -> PublishPlan:
        target = self._target
        view = await pull_requests.look_at_branch(
            self._github, repository_node_id=target.repository_node_id, branch=target.branch, token=self._token
        )
        self._repository = view.repository
        if view.is_archived:
            return PublishPlan(blocked="the repository is archived")
        mark, base = self._publication.mark, target.base_branch
        branch = await self._judge(view)
        return plan_publishing(view, branch, mark=mark, base_branch=base, rules=self._publication.rules)

    async def _judge(self, view: BranchView) -> Branch:
        target = self._target
        if view.head_oid is None:
            return Branch.MISSING
        recorded = {sibling.head_oid: sibling for sibling in self._publication.siblings if sibling.head_oid}
        owner = recorded.get(view.head_oid)
        if view.head_oid == target.base_oid:
            return Branch.OURS
        if owner and owner.id != target.id:
            return Branch.EARLIER
        total, commits = await branches.commits_ahead(
            self._github,
            repository_node_id=target.repository_node_id,
            base_branch=target.base_branch,
            branch=target.branch,
            token=self._token,
        )
        own = OwnCommits(
            viewer=view.viewer,
            recorded_oids=recorded.keys(),
            target_ids={sibling.id for sibling in self._publication.siblings},
        )
        return judge_branch(total, commits, own, self._publication.commit_mark)

    async def _carry_out(self, plan: PublishPlan) -> Outcome:
        if plan.blocked:
            return await self._block(plan)
        if plan.adopted:
            return _outcome(plan.adopted, reason=plan.reason)
        if plan == FRESH and self._through_api:
            return await self._all_at_once()
        head_oid = await self._push(plan) if plan.push else None
        if plan.updated:
            updated = await pull_requests.update_pull_request(
                self._github,
                plan.updated.ref.node_id,
                title=self._publication.change.title,
                body=self._publication.body,
                token=self._token,
            )
            return _outcome(updated, head_oid=head_oid)
        opened = await pull_requests.open_pull_request(self._github, self._new_pull_request(), token=self._token)
        return _outcome(opened, head_oid=head_oid)

    async def _all_at_once(self) -> Outcome:
        answer = await pull_requests.publish_change(
            self._github,
            self._publication.change,
            repository=self._repository,
            message=self._publication.message,
            new=self._new_pull_request(),
            token=self._token,
        )
        if answer.pull_request and answer.commit_oid:
            return _outcome(answer.pull_request, head_oid=answer.commit_oid)
        self._opened = answer.pull_request
        raise answer.error or GitHubUnavailable("GitHub answered in part and named no error")

    async def _push(self, plan: PublishPlan) -> str:
        if self._through_api and plan.expected_oid:
            return await branches.replace_branch(
                self._github,
                self._publication.change,
                repository=self._repository,
                repository_node_id=self._target.repository_node_id,
                branch=self._target.branch,
                expected_oid=plan.expected_oid,
                staging_branch=f"octobatch-staging/{self._target.id}",
                message=self._publication.message,
                token=self._token,
            )
        return await self._github.while_young(self._token, lambda: self._push_by_git(plan))

    async def _push_by_git(self, plan: PublishPlan) -> str:
        workspaces = self._ctx.settings.workspace_dir
        await asyncio.to_thread(workspaces.mkdir, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="publish-", dir=workspaces) as folder:
            return await push_borrowing(
                self._ctx.caches.objects,
                replace(self._publication.change, commit_message=self._publication.message),
                clone_url=self._github.clone_url(self._repository),
                token=self._token,
                branch=self._target.branch,
                expected_oid=plan.expected_oid,
                folder=Path(folder),
                network=self._github.network,
            )

    async def _block(self, plan: PublishPlan) -> Outcome:
        found, reason = plan.adopted, plan.blocked
        if found and self._opened and found.ref == self._opened.ref:
            await pull_requests.close_pull_request(self._github, found.ref.node_id, token=self._token)
            reason = f"{reason}; pull request #{found.ref.number}, opened before this was known, is closed"
        return Outcome(state=TargetState.BLOCKED, reason=reason, pull_request=found.ref if found else None)

    @property
    def _through_api(self) -> bool:
        return self._publication.through_api(self._ctx.settings.api_transport_max_bytes)

    def _new_pull_request(self) -> NewPullRequest:
        target = self._target
        return NewPullRequest(
            repository_node_id=target.repository_node_id,
            base_branch=target.base_branch,
            branch=target.branch,
            title=self._publication.change.title,
            body=self._publication.body,
            draft=target.publish_as is PublishAs.DRAFT,
        )


def _outcome(pull_request: PullRequest, *, reason: str | None = None, head_oid: str | None = None) -> Outcome:
    return Outcome(
        state=state_of(pull_request),
        reason=reason,
        pull_request=pull_request.ref,
        head_oid=head_oid,
        updated_at=pull_request.updated_at,
    )


def _final(error: GitHubError | Conflict) -> Exception:
    """What is refused twice although nothing that stands there explains it."""
    if isinstance(error, Conflict) or "already exists" in str(error):
        return GitHubUnavailable(f"GitHub does not show yet what it says is there: {error}")
    return error
