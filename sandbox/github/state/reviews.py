"""Reviews of pull requests and the comments below them."""

from __future__ import annotations

from dataclasses import dataclass

from .node_ids import Kind, encode
from .store import Store, record, records


@dataclass(frozen=True, kw_only=True)
class Review:
    """A submitted review; `state` as GraphQL and REST name it (`APPROVED`, `CHANGES_REQUESTED`, …)."""

    id: int
    pull_id: int
    author_id: int
    state: str
    body: str
    commit_sha: str
    submitted_at: str

    def node_id(self, repository_id: int) -> str:
        """`PRR_…`."""
        return encode(Kind.REVIEW, repository_id, self.id)


@dataclass(frozen=True, kw_only=True)
class Comment:
    """A comment on a pull request (an issue comment in GitHub's words)."""

    id: int
    pull_id: int
    author_id: int
    body: str
    created_at: str
    updated_at: str

    def node_id(self, repository_id: int) -> str:
        """`IC_…`."""
        return encode(Kind.ISSUE_COMMENT, repository_id, self.id)


class Reviews:
    """Reviews and comments, oldest first."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, *, pull_id: int, author_id: int, state: str, body: str, commit_sha: str, now: str) -> Review:
        """A new review; who gave it is no longer asked for one."""
        row_id = self._store.insert(
            "reviews",
            pull_id=pull_id,
            author_id=author_id,
            state=state,
            body=body,
            commit_sha=commit_sha,
            submitted_at=now,
        )
        self._store.execute("DELETE FROM review_requests WHERE pull_id = ? AND account_id = ?", [pull_id, author_id])
        return self.get(row_id)

    def get(self, review_id: int) -> Review:
        """The review of that id; raises `KeyError`."""
        row = self._store.row("SELECT * FROM reviews WHERE id = ?", [review_id])
        if row is None:
            raise KeyError(review_id)
        return record(Review, row)

    def of_pull(self, pull_id: int) -> list[Review]:
        """All reviews of a pull request."""
        return records(Review, self._store.rows("SELECT * FROM reviews WHERE pull_id = ? ORDER BY id", [pull_id]))

    def latest_opinions(self, pull_id: int) -> list[Review]:
        """The last approval, request for changes or dismissal of each reviewer."""
        rows = self._store.rows(
            "SELECT * FROM reviews WHERE id IN (SELECT max(id) FROM reviews"
            " WHERE pull_id = ? AND state <> 'COMMENTED' GROUP BY author_id) ORDER BY id",
            [pull_id],
        )
        return records(Review, rows)

    def dismiss(self, review_id: int) -> Review:
        """Sets a review aside."""
        self._store.update("reviews", review_id, state="DISMISSED")
        return self.get(review_id)

    def add_comment(self, *, pull_id: int, author_id: int, body: str, now: str) -> Comment:
        """A new comment."""
        row_id = self._store.insert(
            "comments", pull_id=pull_id, author_id=author_id, body=body, created_at=now, updated_at=now
        )
        return self.get_comment(row_id)

    def get_comment(self, comment_id: int) -> Comment:
        """The comment of that id; raises `KeyError`."""
        row = self._store.row("SELECT * FROM comments WHERE id = ?", [comment_id])
        if row is None:
            raise KeyError(comment_id)
        return record(Comment, row)

    def comments(self, pull_id: int) -> list[Comment]:
        """All comments on a pull request."""
        rows = self._store.rows("SELECT * FROM comments WHERE pull_id = ? ORDER BY id", [pull_id])
        return records(Comment, rows)
