"""The plan of publishing, line by line of its table, and its two promises over everything that can stand on GitHub."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from shared.clock import utcnow
from shared.domain.ids import RunId, TargetId, new_id
from shared.domain.spec import ConflictStrategy, OnForeignCommits
from shared.domain.target import PullRequestRef
from shared.github.branches import BranchCommit
from shared.github.git import AUTHOR_EMAIL
from shared.github.pull_requests import BranchView, PullRequest, PullRequestState
from workers.campaigns.publication.marks import CommitMark, PullRequestMark, with_mark, with_trailers
from workers.campaigns.publication.plan import (
    GITHUB_COMMITTER,
    Branch,
    OwnCommits,
    PublishPlan,
    Rules,
    judge_branch,
    plan_publishing,
)

HEAD = "b" * 40
MARK = PullRequestMark(campaign="bump-go", target_key="a" * 16, run_id=RunId(new_id()))
EARLIER = PullRequestMark(campaign="bump-go", target_key="a" * 16, run_id=RunId(new_id()))
OTHER = PullRequestMark(campaign="other", target_key="a" * 16, run_id=RunId(new_id()))
OPEN, CLOSED, MERGED = PullRequestState.OPEN, PullRequestState.CLOSED, PullRequestState.MERGED


def make_pull_request(mark: PullRequestMark | None, state: PullRequestState, **values: Any) -> PullRequest:
    number = values.pop("number", 5)
    fields: dict[str, Any] = {
        "ref": PullRequestRef(number=number, node_id=f"PR_{number}", url=f"https://github.test/pull/{number}"),
        "state": state,
        "is_draft": False,
        "body": with_mark("Body", mark) if mark else "Body",
        "base_branch": "main",
        "from_fork": False,
        "head_oid": HEAD,
        "updated_at": utcnow(),
    }
    return PullRequest(**{**fields, **values})


SKIP = Rules(conflict_strategy=ConflictStrategy.SKIP)
OVERWRITE = Rules(on_foreign_commits=OnForeignCommits.OVERWRITE)


def plan(branch: Branch, *pull_requests: PullRequest, rules: Rules | None = None) -> PublishPlan:
    view = BranchView(
        viewer="octobatch[bot]",
        repository="acme/api",
        is_archived=False,
        head_oid=None if branch is Branch.MISSING else HEAD,
        pull_requests=pull_requests,
    )
    return plan_publishing(view, branch, mark=MARK, base_branch="main", rules=rules or Rules())


def test_a_missing_branch_is_made_and_a_pull_request_opened() -> None:
    assert plan(Branch.MISSING) == PublishPlan(push=True)


def test_a_branch_with_this_change_only_lacks_its_pull_request() -> None:
    assert plan(Branch.THIS_CHANGE) == PublishPlan(expected_oid=HEAD)


def test_our_own_commits_are_replaced_only_where_they_were_looked_at() -> None:
    assert plan(Branch.OURS) == PublishPlan(push=True, expected_oid=HEAD)


@pytest.mark.parametrize("state", PullRequestState)
def test_a_pull_request_of_this_run_is_adopted_in_whatever_state(state: PullRequestState) -> None:
    found = make_pull_request(MARK, state)
    assert plan(Branch.THIS_CHANGE, found) == PublishPlan(adopted=found) or state is OPEN
    assert plan(Branch.THIS_CHANGE, found).adopted == found


def test_an_open_pull_request_of_an_earlier_run_gets_the_new_commits_title_and_body() -> None:
    found = make_pull_request(EARLIER, OPEN)
    assert plan(Branch.OURS, found) == PublishPlan(push=True, expected_oid=HEAD, updated=found)
    assert plan(Branch.THIS_CHANGE, found) == PublishPlan(expected_oid=HEAD, updated=found)


def test_a_pull_request_that_a_person_closed_stays_closed_and_says_how_to_go_on() -> None:
    found = make_pull_request(EARLIER, CLOSED)
    planned = plan(Branch.OURS, found)
    assert (planned.push, planned.adopted) == (False, found)
    assert planned.reason == (
        "pull request #5 of an earlier run was closed without being merged;"
        " reopen it and start another run to have it updated"
    )


def test_after_a_merge_the_next_change_gets_a_pull_request_of_its_own() -> None:
    merged = make_pull_request(EARLIER, MERGED)
    assert plan(Branch.MISSING, merged) == PublishPlan(push=True)
    assert plan(Branch.OURS, merged) == PublishPlan(push=True, expected_oid=HEAD)


def test_an_open_one_counts_before_a_newer_closed_one() -> None:
    still_open = make_pull_request(EARLIER, OPEN, number=4)
    assert plan(Branch.OURS, make_pull_request(EARLIER, CLOSED, number=6), still_open).updated == still_open


@pytest.mark.parametrize("mark", [None, OTHER])
def test_a_branch_that_somebody_elses_pull_request_uses_is_left_alone(mark: PullRequestMark | None) -> None:
    planned = plan(Branch.OURS, make_pull_request(mark, OPEN, number=9))
    assert planned == PublishPlan(blocked="pull request #9 uses the branch and is not Octobatch's")


def test_pull_requests_of_forks_and_to_other_bases_are_somebody_elses_business() -> None:
    fork = make_pull_request(MARK, OPEN, from_fork=True)
    other_base = make_pull_request(MARK, OPEN, base_branch="release-1")
    assert plan(Branch.MISSING, fork, other_base) == PublishPlan(push=True)


def test_skip_leaves_alone_what_an_earlier_run_has_made_but_not_what_this_one_has() -> None:
    earlier, own = make_pull_request(EARLIER, OPEN), make_pull_request(MARK, OPEN)
    left = plan(Branch.EARLIER, earlier, rules=SKIP)
    assert (left.push, left.adopted) == (False, earlier)
    assert (
        left.reason == "pull request #5 of an earlier run is there already; conflictStrategy: skip leaves it as it is"
    )
    assert plan(Branch.EARLIER, rules=SKIP).blocked
    assert plan(Branch.OURS, own, rules=SKIP) == PublishPlan(push=True, expected_oid=HEAD, updated=own)
    assert plan(Branch.OURS, rules=SKIP) == PublishPlan(push=True, expected_oid=HEAD)
    assert plan(Branch.EARLIER, earlier) == PublishPlan(push=True, expected_oid=HEAD, updated=earlier)


def test_overwrite_replaces_a_persons_commits_where_they_were_looked_at_and_takes_nobodys_pull_request() -> None:
    own = make_pull_request(MARK, OPEN)
    assert plan(Branch.FOREIGN, own, rules=OVERWRITE) == PublishPlan(push=True, expected_oid=HEAD, updated=own)
    assert plan(Branch.FOREIGN, rules=OVERWRITE) == PublishPlan(push=True, expected_oid=HEAD)
    assert plan(Branch.FOREIGN, make_pull_request(OTHER, OPEN), rules=OVERWRITE).blocked


def test_whatever_stands_there_foreign_commits_are_never_pushed_over_and_no_second_one_is_opened() -> None:
    marks = [None, MARK, EARLIER, OTHER]
    kinds = [make_pull_request(mark, state, number=n) for n, (mark, state) in enumerate(product(marks, OPEN.__class__))]
    for branch, first, second, rules in product(Branch, [None, *kinds], [None, *kinds], [Rules(), SKIP]):
        present = [pull_request for pull_request in (first, second) if pull_request]
        planned = plan(branch, *present, rules=rules)
        if branch is Branch.FOREIGN:
            assert not planned.push
        opens_new = not (planned.adopted or planned.updated or planned.blocked)
        if any(pull_request.state is OPEN for pull_request in present):
            assert not opens_new
        if planned.push and branch is not Branch.MISSING:
            assert planned.expected_oid == HEAD


# -- Whose commits ----------------------------------------------------------------------------------------

TARGET, SIBLING = TargetId(new_id()), TargetId(new_id())
COMMIT_MARK = CommitMark(target_id=TARGET, change="c" * 16)
OWN = OwnCommits(viewer="octobatch[bot]", recorded_oids={"1" * 40}, target_ids={TARGET, SIBLING})


def make_commit(mark: CommitMark | None = None, **values: str) -> BranchCommit:
    fields = {
        "oid": "2" * 40,
        "message": with_trailers("Bump", mark) if mark else "Bump",
        "author_name": "octobatch[bot]",
        "author_email": "1+octobatch[bot]@users.noreply.github.com",
        "committer_email": GITHUB_COMMITTER,
    }
    return BranchCommit(**{**fields, **values})


EARLIER_COMMIT = CommitMark(target_id=SIBLING, change="d" * 16)


@pytest.mark.parametrize(
    ("commits", "expected"),
    [
        ([], Branch.OURS),
        ([make_commit(COMMIT_MARK)], Branch.THIS_CHANGE),
        ([make_commit(CommitMark(target_id=TARGET, change="d" * 16))], Branch.OURS),
        ([make_commit(EARLIER_COMMIT)], Branch.EARLIER),
        ([make_commit(EARLIER_COMMIT, author_email=AUTHOR_EMAIL, committer_email=AUTHOR_EMAIL)], Branch.EARLIER),
        ([make_commit(oid="1" * 40)], Branch.EARLIER),
        ([make_commit()], Branch.FOREIGN),
        ([make_commit(EARLIER_COMMIT), make_commit()], Branch.FOREIGN),
        ([make_commit(EARLIER_COMMIT, committer_email="person@acme.test")], Branch.FOREIGN),
        ([make_commit(EARLIER_COMMIT, author_name="person")], Branch.FOREIGN),
        ([make_commit(CommitMark(target_id=TargetId(new_id()), change="d" * 16))], Branch.FOREIGN),
        ([make_commit(COMMIT_MARK), make_commit(author_name="person")], Branch.THIS_CHANGE),
    ],
    ids=[
        "none", "this change", "an earlier attempt", "another target of the campaign", "pushed by git", "recorded",
        "no mark", "a person's on top", "amended by a person", "written by a person", "unknown target", "built upon",
    ],
)  # fmt: skip
def test_whose_a_branch_is(commits: list[BranchCommit], expected: Branch) -> None:
    assert judge_branch(len(commits), commits, OWN, COMMIT_MARK) is expected


def test_a_branch_with_more_commits_than_were_read_is_not_taken_for_ours() -> None:
    assert judge_branch(101, [make_commit(EARLIER_COMMIT)] * 100, OWN, COMMIT_MARK) is Branch.FOREIGN
