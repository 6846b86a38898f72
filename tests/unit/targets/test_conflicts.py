"""When a conflict is rebased, line by line of its table; what a target takes in of what GitHub says."""

from __future__ import annotations

from typing import Any

import pytest

from shared.clock import utcnow
from shared.domain.ids import CampaignId, InstallationId, RunId, TargetId, new_id
from shared.domain.spec import ConflictStrategy, OnForeignCommits
from shared.domain.target import ChecksState, PullRequestRef, ReviewState, Target, TargetState
from shared.github.following import FollowedPullRequest
from shared.github.pull_requests import PullRequest, PullRequestState
from workers.campaigns.following.conflicts import is_owner, wants_rebase
from workers.campaigns.following.observations import state_to_take
from workers.campaigns.publication.marks import CommitMark, PullRequestMark, with_mark, with_trailers
from workers.campaigns.publication.plan import Rules

OLD_BASE, NEW_BASE, OURS, THEIRS = (letter * 40 for letter in "abcd")
REBASE = Rules(conflict_strategy=ConflictStrategy.REBASE)
OVERWRITE = Rules(on_foreign_commits=OnForeignCommits.OVERWRITE)
S = TargetState


def make_target() -> Target:
    return Target(
        id=TargetId(new_id()),
        run_id=RunId(new_id()),
        campaign_id=CampaignId(new_id()),
        repository_node_id="R_1",
        repository="acme/api",
        installation_id=InstallationId(7),
        base_branch="main",
        base_oid=OLD_BASE,
        branch="octobatch/a",
        group="",
        state=TargetState.CONFLICTED,
        review_state=ReviewState.NONE,
        checks_state=ChecksState.UNKNOWN,
        reason=None,
        diff_stat=None,
        pull_request=PullRequestRef(number=1, node_id="PR_1", url="https://github.test/pull/1"),
        head_oid=OURS,
        created_at=utcnow(),
        updated_at=utcnow(),
    )


def followed(
    *, head: str = OURS, base: str | None = NEW_BASE, message: str = "", body: str = ""
) -> FollowedPullRequest:
    pull_request: dict[str, Any] = {"is_draft": False, "base_branch": "main", "from_fork": False}
    return FollowedPullRequest(
        pull_request=PullRequest(
            ref=PullRequestRef(number=1, node_id="PR_1", url="https://github.test/pull/1"),
            state=PullRequestState.OPEN,
            body=body,
            head_oid=head,
            updated_at=utcnow(),
            **pull_request,
        ),
        conflicts=True,
        review_state=ReviewState.NONE,
        checks_state=ChecksState.UNKNOWN,
        base_oid=base,
        head_message=message,
    )


def test_a_conflict_is_rebased_on_a_base_that_moved_and_over_nobodys_commits() -> None:
    target = make_target()
    assert wants_rebase(target, followed(), REBASE)
    assert not wants_rebase(target, followed(base=OLD_BASE), REBASE)
    assert not wants_rebase(target, followed(base=None), REBASE)
    assert not wants_rebase(target, followed(head=THEIRS), REBASE)
    assert wants_rebase(target, followed(head=THEIRS), OVERWRITE)


@pytest.mark.parametrize("strategy", [ConflictStrategy.SKIP, ConflictStrategy.REPLACE])
def test_other_strategies_never_rebase(strategy: ConflictStrategy) -> None:
    assert not wants_rebase(make_target(), followed(), Rules(conflict_strategy=strategy))


def test_a_commit_of_ours_whose_oid_was_never_recorded_is_known_by_its_trailers() -> None:
    target = make_target()
    message = with_trailers("Set a", CommitMark(target_id=target.id, change="e" * 16))
    assert wants_rebase(target, followed(head=THEIRS, message=message), REBASE)
    other = with_trailers("Set a", CommitMark(target_id=TargetId(new_id()), change="e" * 16))
    assert not wants_rebase(target, followed(head=THEIRS, message=other), REBASE)


def test_only_the_target_of_the_newest_run_acts_on_a_shared_pull_request() -> None:
    target = make_target()
    mark = PullRequestMark(campaign="a", target_key="f" * 16, run_id=target.run_id)
    assert is_owner(target, followed(body=with_mark("Body", mark)))
    assert not is_owner(make_target(), followed(body=with_mark("Body", mark)))
    assert not is_owner(target, followed(body="Body"))


@pytest.mark.parametrize(
    ("current", "said", "taken"),
    [
        (S.OPEN, S.DRAFT, S.DRAFT),
        (S.CLOSED, S.OPEN, S.OPEN),
        (S.CONFLICTED, S.OPEN, S.CONFLICTED),
        (S.CONFLICTED, S.MERGED, S.MERGED),
        (S.BLOCKED, S.OPEN, S.BLOCKED),
        (S.BLOCKED, S.CLOSED, S.CLOSED),
        (S.PUBLISHING, S.DRAFT, S.PUBLISHING),
        (S.PENDING, S.MERGED, S.MERGED),
        (S.CANCELLED, S.CLOSED, S.CANCELLED),
        (S.CANCELLED, S.MERGED, S.MERGED),
    ],
)
def test_a_target_that_is_not_followed_takes_in_only_how_its_pull_request_ended(
    current: TargetState, said: TargetState, taken: TargetState
) -> None:
    assert state_to_take(current, said) is taken
