"""What is to be done on GitHub to publish a target, decided from what stands there. Pure: no I/O.

The rule behind the table: nothing that a person made is changed, and whatever an earlier attempt or an earlier run
has made is taken over, never made again.

| newest pull request that is ours      | branch                     | plan                                   |
| --- | --- | --- |
| of this run                           | this change, or any if not open | adopt it                          |
| of this run, open                     | only commits of ours       | replace them, write title and body     |
| of an earlier run, open               | this change                | write title and body                   |
| of an earlier run, open               | only commits of ours       | replace them, write title and body (1) |
| of an earlier run, closed unmerged    | any                        | adopt it as closed, with a reason      |
| none, or of an earlier run and merged | missing                    | create it, open a pull request         |
| none, or of an earlier run and merged | this change                | open a pull request                    |
| none, or of an earlier run and merged | only commits of ours       | replace them, open a pull request (2)  |
| none, or one that is open             | a commit that is not ours  | block (3)                              |
| none, but somebody else's is open     | any                        | block                                  |

1. With `conflictStrategy: skip` it is adopted as it stands, with a reason, whatever its branch holds.
2. With `conflictStrategy: skip` commits of an earlier run block; those of this target are replaced all the same.
3. With `onForeignCommits: overwrite` a commit that is not ours is replaced as if it were.

A pull request that was closed without being merged was refused by a person: a later run does not open it, or
another, against their will. To go on they reopen it; the next run updates it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from shared.domain.ids import TargetId
from shared.domain.spec import ChangesetTemplate, ConflictStrategy, OnForeignCommits
from shared.github.branches import BranchCommit
from shared.github.git import AUTHOR_EMAIL
from shared.github.pull_requests import BranchView, PullRequest, PullRequestState

from .marks import CommitMark, PullRequestMark, read_mark, read_trailers

GITHUB_COMMITTER = "noreply@github.com"
"""The committer of commits that GitHub makes and signs."""


class Branch(StrEnum):
    """What a target's branch holds that its base has not."""

    MISSING = "missing"
    THIS_CHANGE = "this_change"  # an earlier attempt has put it there; a person may have gone on from it
    OURS = "ours"  # nothing, or only commits that Octobatch made for this target: they may be replaced
    EARLIER = "earlier"  # only commits of Octobatch, some of them for a target of an earlier run
    FOREIGN = "foreign"


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What the spec says about branches that are there already."""

    conflict_strategy: ConflictStrategy = ConflictStrategy.REBASE
    on_foreign_commits: OnForeignCommits = OnForeignCommits.STOP

    @classmethod
    def of(cls, template: ChangesetTemplate) -> Rules:
        """Those of a spec."""
        return cls(conflict_strategy=template.conflict_strategy, on_foreign_commits=template.on_foreign_commits)

    @property
    def skips(self) -> bool:
        """Whether what an earlier run has made is left alone."""
        return self.conflict_strategy is ConflictStrategy.SKIP

    @property
    def overwrites(self) -> bool:
        """Whether a person's commits are replaced."""
        return self.on_foreign_commits is OnForeignCommits.OVERWRITE


@dataclass(frozen=True, kw_only=True)
class PublishPlan:
    """First push, then the pull request: adopt `adopted` as it is, update `updated`, else open a new one.

    `expected_oid` is where the branch must stand for a push, None where it must not exist. `blocked` says why nothing
    may be done.
    """

    push: bool = False
    expected_oid: str | None = None
    adopted: PullRequest | None = None
    updated: PullRequest | None = None
    blocked: str | None = None
    reason: str | None = None


FRESH = PublishPlan(push=True)
"""Nothing stands there yet."""


@dataclass(frozen=True, kw_only=True)
class OwnCommits:
    """By what our commits are known: the App's login, oids that Postgres has recorded, targets that own the branch."""

    viewer: str
    recorded_oids: Collection[str]
    target_ids: Collection[TargetId]

    def made(self, commit: BranchCommit) -> bool:
        """Whether Octobatch made this commit, and nobody amended it since."""
        if commit.oid in self.recorded_oids:
            return True
        mark = read_trailers(commit.message)
        by_git = commit.author_email == commit.committer_email == AUTHOR_EMAIL
        by_api = commit.author_name == self.viewer and commit.committer_email == GITHUB_COMMITTER
        return bool(mark and mark.target_id in self.target_ids and (by_git or by_api))


def judge_branch(total: int, commits: Sequence[BranchCommit], own: OwnCommits, mark: CommitMark) -> Branch:
    """What a branch that exists holds, from the commits that its base has not. Of many, only the last are known."""
    if any(read_trailers(commit.message) == mark for commit in commits):
        return Branch.THIS_CHANGE
    if total > len(commits) or not all(map(own.made, commits)):
        return Branch.FOREIGN
    return Branch.OURS if all(_is_for(commit, mark.target_id) for commit in commits) else Branch.EARLIER


def _is_for(commit: BranchCommit, target_id: TargetId) -> bool:
    found = read_trailers(commit.message)
    return found is not None and found.target_id == target_id


def plan_publishing(
    view: BranchView, branch: Branch, *, mark: PullRequestMark, base_branch: str, rules: Rules
) -> PublishPlan:
    """The plan of the table above."""
    candidates = [pr for pr in view.pull_requests if not pr.from_fork and pr.base_branch == base_branch]
    ours = _newest_of_ours(candidates, mark)
    if ours and ours.state is not PullRequestState.OPEN:
        this_run = _is_of_run(ours, mark)
        if this_run:
            return PublishPlan(adopted=ours)
        if ours.state is PullRequestState.CLOSED:
            return PublishPlan(adopted=ours, reason=_refused(ours))
        ours = None
    stranger = next((pr for pr in candidates if pr.state is PullRequestState.OPEN and pr is not ours), None)
    if stranger:
        return PublishPlan(blocked=f"pull request #{stranger.ref.number} uses the branch and is not Octobatch's")
    if ours and rules.skips and not _is_of_run(ours, mark):
        return PublishPlan(adopted=ours, reason=_left_alone(f"pull request #{ours.ref.number}"))
    if branch is Branch.EARLIER and rules.skips and not ours:
        return PublishPlan(blocked=_left_alone("the branch"))
    if branch is Branch.FOREIGN and not rules.overwrites:
        why = "the branch holds commits that Octobatch did not make; they are left as they are"
        return PublishPlan(blocked=why, adopted=ours)
    push = branch is not Branch.THIS_CHANGE
    if ours and _is_of_run(ours, mark) and not push:
        return PublishPlan(adopted=ours)
    return PublishPlan(push=push, expected_oid=view.head_oid, updated=ours)


def _newest_of_ours(candidates: Sequence[PullRequest], mark: PullRequestMark) -> PullRequest | None:
    """An open one before all others: there is one at most from a branch to its base."""
    ours = [pr for pr in candidates if _is_ours(pr, mark)]
    still_open = [pr for pr in ours if pr.state is PullRequestState.OPEN]
    return next(iter(still_open or ours), None)


def _is_ours(pull_request: PullRequest, mark: PullRequestMark) -> bool:
    found = read_mark(pull_request.body)
    return found is not None and (found.campaign, found.target_key) == (mark.campaign, mark.target_key)


def _is_of_run(pull_request: PullRequest, mark: PullRequestMark) -> bool:
    return read_mark(pull_request.body) == mark


def _left_alone(what: str) -> str:
    return f"{what} of an earlier run is there already; conflictStrategy: skip leaves it as it is"


def _refused(pull_request: PullRequest) -> str:
    return (
        f"pull request #{pull_request.ref.number} of an earlier run was closed without being merged;"
        " reopen it and start another run to have it updated"
    )
