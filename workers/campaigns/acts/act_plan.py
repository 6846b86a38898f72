"""Whether an act on a pull request is still to be done, by what stands on GitHub. Pure: no I/O.

GitHub and Postgres share no transaction: whoever is to act looks first, so that what a process did just before it
died is found and not done twice. Of most acts the pull request itself tells; a comment carries a hidden mark.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from shared.domain.bulk import BulkAction, BulkParameters
from shared.domain.target import Target, TargetState
from shared.github.pull_request_acts import PullRequestView
from shared.github.pull_requests import PullRequest, PullRequestState

from ..publication.publishing import state_of

FOREIGN = "somebody has pushed commits to its branch"
_MOVING = frozenset({BulkAction.PUBLISH, BulkAction.UNDRAFT, BulkAction.MERGE, BulkAction.CLOSE, BulkAction.REOPEN})


@dataclass(frozen=True)
class ActPlan:
    """What is left of an act: all of it, nothing, or nothing because it does not apply, for a reason."""

    is_left: bool = False
    skipped: str | None = None


DO, DONE = ActPlan(is_left=True), ActPlan()


def plan_act(
    action: BulkAction, parameters: BulkParameters, view: PullRequestView, *, mark: str, own_heads: Collection[str]
) -> ActPlan:
    """What is left of the act on that pull request. `own_heads` are the commits that Octobatch put on its branch."""
    if view.is_archived:
        return ActPlan(skipped="is archived")
    if action is BulkAction.COMMENT:
        return DONE if view.has_comment(mark) else DO
    if action is BulkAction.LABEL:
        return _unless(_has_all(view.labels, parameters.labels))
    if action is BulkAction.CLOSE:
        return _closing(parameters, view, own_heads)
    if view.pull_request.state is PullRequestState.MERGED:
        return DONE if action is BulkAction.MERGE else ActPlan(skipped="is merged already")
    if action is BulkAction.REOPEN:
        return _reopening(view)
    if view.pull_request.state is PullRequestState.CLOSED:
        return ActPlan(skipped="is closed")
    return _of_an_open_one(action, parameters, view, own_heads)


def _of_an_open_one(
    action: BulkAction, parameters: BulkParameters, view: PullRequestView, own_heads: Collection[str]
) -> ActPlan:
    if action in {BulkAction.PUBLISH, BulkAction.UNDRAFT}:
        return _unless(not view.pull_request.is_draft)
    if action is BulkAction.REQUEST_REVIEW:
        teams = [team.rpartition("/")[2] for team in parameters.teams]
        asked = [name.rpartition("/")[2] for name in view.requested]
        return _unless(_has_all(asked, [*parameters.users, *teams]))
    if view.pull_request.is_draft:
        return ActPlan(skipped="is a draft: undraft it first")
    if own_heads and view.pull_request.head_oid not in own_heads:
        return ActPlan(skipped=FOREIGN)
    if action is BulkAction.ENABLE_AUTO_MERGE:
        return _unless(view.auto_merge is parameters.merge_method)
    return ActPlan(skipped="conflicts with its base: rebase it first") if view.conflicts else DO


def _closing(parameters: BulkParameters, view: PullRequestView, own_heads: Collection[str]) -> ActPlan:
    if view.pull_request.state is PullRequestState.MERGED:
        return ActPlan(skipped="is merged already")
    is_open = view.pull_request.state is PullRequestState.OPEN
    return DO if is_open or (parameters.delete_branch and may_delete(view.branch_oid, own_heads)) else DONE


def _reopening(view: PullRequestView) -> ActPlan:
    if view.pull_request.state is PullRequestState.OPEN:
        return DONE
    return DO if view.branch_oid else ActPlan(skipped="has no branch any more")


def may_delete(branch_oid: str | None, own_heads: Collection[str]) -> bool:
    """Whether the branch is there, and stands where Octobatch put it."""
    return branch_oid is not None and branch_oid in own_heads


def state_after(action: BulkAction, target: Target, pull_request: PullRequest) -> TargetState:
    """The target's state once the act is done; that of a conflict stands while the pull request is open."""
    state = state_of(pull_request)
    if action not in _MOVING or (
        target.state is TargetState.CONFLICTED and state in {TargetState.OPEN, TargetState.DRAFT}
    ):
        return target.state
    return state


def _unless(done: bool) -> ActPlan:
    return DONE if done else DO


def _has_all(there: tuple[str, ...] | list[str], wanted: tuple[str, ...] | list[str]) -> bool:
    return {each.lower() for each in wanted} <= {each.lower() for each in there}
