"""Acting on the pull request of one target: look, do what is left, and tell how it stands then."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime

from shared.domain.bulk import BulkAction, BulkOperation, BulkTargetState
from shared.domain.target import Target, TargetState
from shared.errors import GitHubInvalid
from shared.github import pull_request_acts as acts
from shared.github.client import GitHubClient
from shared.github.pull_request_acts import PullRequestView
from shared.github.pull_requests import PullRequest, PullRequestState, close_pull_request, look_at_branch

from ..publication.marks import comment_mark
from .act_plan import FOREIGN, may_delete, plan_act, state_after


@dataclass(frozen=True, kw_only=True)
class ActOutcome:
    """What came of acting on a target: its row's state and reason, and the state that the target is in now."""

    state: BulkTargetState
    target_state: TargetState
    reason: str | None = None
    updated_at: datetime | None = None  # of the pull request, by GitHub


class Actor:
    """Acts on one target for one bulk operation, with one token; see `plan_act` for `own_heads`."""

    def __init__(
        self, github: GitHubClient, bulk: BulkOperation, target: Target, *, own_heads: Collection[str], token: str
    ) -> None:
        self._github = github
        self._action = bulk.action
        self._parameters = bulk.parameters
        self._target = target
        self._own_heads = own_heads
        self._mark = comment_mark(bulk.id, target.id)
        self._token = token

    async def act(self) -> ActOutcome:
        """Does what is not done yet. What GitHub refuses is looked at once more, and tried once more where it is left.

        Raises the errors of GitHub, but for `GitHubInvalid`, which is the outcome `failed` with GitHub's words.
        """
        if self._target.pull_request is None:
            return await self._delete_lone_branch()
        node_id, refusal = self._target.pull_request.node_id, ""
        for _ in range(2):
            view = await acts.look_at_pull_request(self._github, node_id, token=self._token)
            plan = plan_act(self._action, self._parameters, view, mark=self._mark, own_heads=self._own_heads)
            if plan.skipped:
                return self._outcome(BulkTargetState.SKIPPED, view.pull_request, plan.skipped)
            if not plan.is_left:
                return self._outcome(BulkTargetState.DONE, view.pull_request)
            try:
                pull_request, note = await self._do(node_id, view)
            except GitHubInvalid as error:
                refusal = str(error)
            else:
                return self._outcome(BulkTargetState.DONE, pull_request, note)
        return self._outcome(BulkTargetState.FAILED, view.pull_request, refusal)  # pyright: ignore[reportPossiblyUnboundVariable]

    def _outcome(self, state: BulkTargetState, pull_request: PullRequest, reason: str | None = None) -> ActOutcome:
        return ActOutcome(
            state=state,
            reason=reason,
            target_state=state_after(self._action, self._target, pull_request),
            updated_at=pull_request.updated_at,
        )

    async def _do(self, node_id: str, view: PullRequestView) -> tuple[PullRequest, str | None]:
        """The pull request after the act, and what is to be said of it."""
        if self._action is BulkAction.CLOSE:
            return await self._close(node_id, view)
        changed = await self._acts()[self._action](node_id, view)
        return changed or view.pull_request, None

    def _acts(self) -> dict[BulkAction, Callable[[str, PullRequestView], Awaitable[PullRequest | None]]]:
        return {
            BulkAction.PUBLISH: self._mark_ready,
            BulkAction.UNDRAFT: self._mark_ready,
            BulkAction.COMMENT: self._comment,
            BulkAction.LABEL: self._label,
            BulkAction.REQUEST_REVIEW: self._request_reviews,
            BulkAction.MERGE: self._merge,
            BulkAction.ENABLE_AUTO_MERGE: self._enable_auto_merge,
            BulkAction.REOPEN: self._reopen,
        }

    async def _mark_ready(self, node_id: str, _: PullRequestView) -> PullRequest:
        return await acts.mark_ready_for_review(self._github, node_id, token=self._token)

    async def _comment(self, node_id: str, _: PullRequestView) -> None:
        body = f"{(self._parameters.body or '').rstrip()}\n\n{self._mark}"
        await acts.comment(self._github, node_id, body=body, token=self._token)

    async def _label(self, node_id: str, _: PullRequestView) -> None:
        repository, labels = self._target.repository_node_id, self._parameters.labels
        await acts.add_labels(self._github, node_id, repository_node_id=repository, labels=labels, token=self._token)

    async def _request_reviews(self, node_id: str, view: PullRequestView) -> None:
        asked = self._parameters
        await acts.request_reviews(
            self._github,
            node_id,
            repository=view.repository,
            users=asked.users,
            teams=asked.teams,
            token=self._token,
        )

    async def _merge(self, node_id: str, view: PullRequestView) -> PullRequest:
        return await acts.merge_pull_request(
            self._github,
            node_id,
            method=self._parameters.merge_method,
            expected_head_oid=view.pull_request.head_oid,
            token=self._token,
        )

    async def _enable_auto_merge(self, node_id: str, view: PullRequestView) -> None:
        await acts.enable_auto_merge(
            self._github,
            node_id,
            method=self._parameters.merge_method,
            expected_head_oid=view.pull_request.head_oid,
            token=self._token,
        )

    async def _reopen(self, node_id: str, _: PullRequestView) -> PullRequest:
        return await acts.reopen_pull_request(self._github, node_id, token=self._token)

    async def _close(self, node_id: str, view: PullRequestView) -> tuple[PullRequest, str | None]:
        if view.pull_request.state is PullRequestState.OPEN:
            await close_pull_request(self._github, node_id, token=self._token)
        closed = replace(view.pull_request, state=PullRequestState.CLOSED)
        if not self._parameters.delete_branch or view.branch_oid is None:
            return closed, None
        if not may_delete(view.branch_oid, self._own_heads):
            return closed, f"the branch stays: {FOREIGN}"
        await self._delete_branch(view.branch_oid)
        return closed, None

    async def _delete_branch(self, expected_oid: str) -> None:
        await acts.delete_branch(
            self._github,
            repository_node_id=self._target.repository_node_id,
            branch=self._target.branch,
            expected_oid=expected_oid,
            token=self._token,
        )

    async def _delete_lone_branch(self) -> ActOutcome:
        """Deletes a branch from which no pull request was opened."""
        view = await look_at_branch(
            self._github,
            repository_node_id=self._target.repository_node_id,
            branch=self._target.branch,
            token=self._token,
        )
        outcome = ActOutcome(state=BulkTargetState.DONE, target_state=self._target.state)
        if view.head_oid is None:
            return outcome
        if not may_delete(view.head_oid, self._own_heads):
            return replace(outcome, state=BulkTargetState.SKIPPED, reason=FOREIGN)
        try:
            await self._delete_branch(view.head_oid)
        except GitHubInvalid as error:
            return replace(outcome, state=BulkTargetState.FAILED, reason=str(error))
        return outcome
