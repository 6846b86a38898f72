"""How Octobatch knows its own again on GitHub: a comment in each pull request's body, trailers in each commit.

A mark is written in the same request as the thing that it marks. So what a crash hides from Postgres can be read
back from GitHub. Pure text, no I/O.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from uuid import UUID

from shared.domain.ids import BulkOperationId, RunId, TargetId
from shared.domain.target import NewTarget, Target

_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_MARK = re.compile(rf"<!-- octobatch campaign=([a-z0-9-]+) target=([0-9a-f]{{16}}) run=({_UUID}) -->")
_TARGET = re.compile(rf"^Octobatch-Target: ({_UUID})$", re.MULTILINE)
_CHANGE = re.compile(r"^Octobatch-Change: ([0-9a-f]{16})$", re.MULTILINE)
_TRAILER = re.compile(r"[A-Za-z0-9-]+: \S.*")


@dataclass(frozen=True, kw_only=True)
class PullRequestMark:
    """Whose a pull request is: `target_key` is the same in every run of the campaign, `run_id` the newest."""

    campaign: str
    target_key: str
    run_id: RunId


@dataclass(frozen=True, kw_only=True)
class CommitMark:
    """Whose a commit is: the target that made it, and of which change."""

    target_id: TargetId
    change: str


def pull_request_mark(target: Target | NewTarget, *, campaign: str) -> PullRequestMark:
    """The mark of a target's pull request."""
    identity = "\n".join((target.repository_node_id, target.base_branch, target.group))
    key = hashlib.sha256(identity.encode()).hexdigest()[:16]
    return PullRequestMark(campaign=campaign, target_key=key, run_id=target.run_id)


def with_mark(body: str, mark: PullRequestMark) -> str:
    """A body with the mark at its end, where it is not seen on the page."""
    comment = f"<!-- octobatch campaign={mark.campaign} target={mark.target_key} run={mark.run_id} -->"
    return f"{body.rstrip()}\n\n{comment}\n".lstrip()


def read_mark(body: str) -> PullRequestMark | None:
    """The mark of a body, the last one where a template wrote others before it."""
    found = _MARK.findall(body)
    if not found:
        return None
    campaign, target_key, run_id = found[-1]
    return PullRequestMark(campaign=campaign, target_key=target_key, run_id=RunId(UUID(run_id)))


def with_trailers(message: str, mark: CommitMark) -> str:
    """A commit message with the mark as trailers, added to those that it has."""
    text = message.rstrip()
    last = text.rpartition("\n\n")[2] if "\n\n" in text else ""
    gap = "\n" if last and all(map(_TRAILER.fullmatch, last.splitlines())) else "\n\n"
    return f"{text}{gap}Octobatch-Target: {mark.target_id}\nOctobatch-Change: {mark.change}\n"


def read_trailers(message: str) -> CommitMark | None:
    """The mark of a commit message."""
    targets, changes = _TARGET.findall(message), _CHANGE.findall(message)
    if not targets or not changes:
        return None
    return CommitMark(target_id=TargetId(UUID(targets[-1])), change=changes[-1])


def comment_mark(bulk_id: BulkOperationId, target_id: TargetId) -> str:
    """The mark of the comment that a bulk operation makes below a target's pull request."""
    return f"<!-- octobatch bulk={bulk_id} target={target_id} -->"
