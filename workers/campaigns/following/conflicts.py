"""What is done about a pull request that conflicts with its base branch. Pure: no I/O.

| conflictStrategy | the branch ends in            | its base branch               | then                         |
| --- | --- | --- | --- |
| skip, replace    | any commit                    | anywhere                      | it stays conflicted          |
| rebase           | a commit that is not ours (1) | anywhere                      | it stays conflicted          |
| rebase           | a commit of ours              | gone, or where the steps ran  | it stays conflicted          |
| rebase           | a commit of ours              | has moved since the steps ran | the steps run again on it (2) |

1. With `onForeignCommits: overwrite` it is replaced as if it were ours.
2. At most `MOST_REBASES` times a day, so that a branch that conflicts at once after each rebase is left to a person.
"""

from __future__ import annotations

from datetime import timedelta

from shared.domain.spec import ConflictStrategy
from shared.domain.target import Target
from shared.github.following import FollowedPullRequest

from ..publication.marks import read_mark, read_trailers
from ..publication.plan import Rules

MOST_REBASES = 5
REBASES_COUNTED_FOR = timedelta(days=1)
BECAUSE = "rebase:"
"""How the reason of an attempt begins that a conflict has caused."""


def is_owner(target: Target, followed: FollowedPullRequest) -> bool:
    """Whether a pull request is this run's: of the targets of several runs that share one, only the newest acts."""
    mark = read_mark(followed.pull_request.body)
    return mark is not None and mark.run_id == target.run_id


def ends_in_ours(target: Target, followed: FollowedPullRequest) -> bool:
    """Whether the branch ends in a commit that Octobatch made for the target."""
    if followed.pull_request.head_oid == target.head_oid:
        return True
    mark = read_trailers(followed.head_message)
    return mark is not None and mark.target_id == target.id


def wants_rebase(target: Target, followed: FollowedPullRequest, rules: Rules) -> bool:
    """Whether the steps are to run again, by the table above."""
    return (
        rules.conflict_strategy is ConflictStrategy.REBASE
        and (rules.overwrites or ends_in_ours(target, followed))
        and followed.base_oid not in (None, target.base_oid)
    )


def rebase_reason(target: Target, followed: FollowedPullRequest) -> str:
    """Why the steps run again."""
    oid = followed.base_oid or ""
    return f"{BECAUSE} it conflicts with {target.base_branch}, so the steps run again on {oid[:12]}"


def too_often_reason(target: Target) -> str:
    """Why a conflict is left to a person."""
    return (
        f"it conflicts with {target.base_branch} again after {MOST_REBASES} rebases within a day; run it again by hand"
    )
