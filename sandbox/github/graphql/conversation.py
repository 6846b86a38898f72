"""What hangs on pull requests: labels, assignees, requested reviewers, reviews, comments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from graphql import GraphQLResolveInfo

from ..state import Account, Comment, Kind, Label, Pull, Repository, Review, Team, encode
from . import pull_listing
from .nodes import Commit, request
from .pages import Page, list_page
from .pulls import account, repository_of, url
from .resolvers import Resolvers


@dataclass(frozen=True)
class ReviewRequest:
    """A review that is asked for."""

    pull: Pull
    reviewer: Account | Team


def _assignees(pull: Pull, info: GraphQLResolveInfo, **arguments: Any) -> Page[Account]:
    return list_page(info, arguments, request(info).world.state.pulls.assignees(pull.id))


def _comments(pull: Pull, info: GraphQLResolveInfo, **arguments: Any) -> Page[Comment]:
    return list_page(info, arguments, request(info).world.state.reviews.comments(pull.id))


def _labels(
    pull: Pull, info: GraphQLResolveInfo, *, order_by: dict[str, str] | None = None, **arguments: Any
) -> Page[Label]:
    labels = request(info).world.state.pulls.labels(pull.id)
    return list_page(info, arguments, pull_listing.ordered_labels(labels, order_by))


def _opinions(pull: Pull, info: GraphQLResolveInfo, **arguments: Any) -> Page[Review]:
    return list_page(info, arguments, request(info).world.state.reviews.latest_opinions(pull.id))


def _latest_reviews(pull: Pull, info: GraphQLResolveInfo, **arguments: Any) -> Page[Review]:
    latest = {review.author_id: review for review in request(info).world.state.reviews.of_pull(pull.id)}
    return list_page(info, arguments, list(latest.values()))


def _reviews(
    pull: Pull,
    info: GraphQLResolveInfo,
    *,
    states: list[str] | None = None,
    author: str | None = None,
    **arguments: Any,
) -> Page[Review]:
    state = request(info).world.state
    found = state.reviews.of_pull(pull.id)
    if states:
        found = [review for review in found if review.state in states]
    if author is not None:
        found = [each for each in found if state.accounts.get(each.author_id).login.lower() == author.lower()]
    return list_page(info, arguments, found)


def _review_requests(pull: Pull, info: GraphQLResolveInfo, **arguments: Any) -> Page[ReviewRequest]:
    pulls = request(info).world.state.pulls
    asked = [*pulls.requested_reviewers(pull.id), *pulls.requested_teams(pull.id)]
    return list_page(info, arguments, [ReviewRequest(pull, reviewer) for reviewer in asked])


PULL_CONVERSATION: Resolvers = {
    "assignees": _assignees,
    "comments": _comments,
    "labels": _labels,
    "latestOpinionatedReviews": _opinions,
    "latestReviews": _latest_reviews,
    "reviewRequests": _review_requests,
    "reviews": _reviews,
}


def _label_repository(label: Label, info: GraphQLResolveInfo) -> Repository:
    return request(info).world.state.repositories.get(label.repository_id)


def _label_path(label: Label, info: GraphQLResolveInfo) -> str:
    return f"/{_label_repository(label, info).full_name}/labels/{quote(label.name)}"


LABEL: Resolvers = {
    "color": lambda label, _: label.color,
    "description": lambda label, _: label.description,
    "id": lambda label, _: label.node_id,
    "isDefault": lambda _, __: False,
    "name": lambda label, _: label.name,
    "repository": _label_repository,
    "resourcePath": _label_path,
    "url": lambda label, info: f"{request(info).world.base_url}{_label_path(label, info)}",
}


def _pull(remark: Review | Comment, info: GraphQLResolveInfo) -> Pull:
    return request(info).world.state.pulls.get(remark.pull_id)


def _remark_repository(remark: Review | Comment, info: GraphQLResolveInfo) -> Repository:
    return repository_of(_pull(remark, info), info)


def _anchor(remark: Review | Comment) -> str:
    kind = "pullrequestreview" if isinstance(remark, Review) else "issuecomment"
    return f"#{kind}-{remark.id}"


def _remark_url(remark: Review | Comment, info: GraphQLResolveInfo) -> str:
    return f"{url(_pull(remark, info), info)}{_anchor(remark)}"


_REMARK: Resolvers = {
    "author": lambda remark, info: account(info, remark.author_id),
    "authorAssociation": lambda _, __: "CONTRIBUTOR",
    "body": lambda remark, _: remark.body,
    "fullDatabaseId": lambda remark, _: remark.id,
    "id": lambda remark, info: remark.node_id(_pull(remark, info).repository_id),
    "pullRequest": _pull,
    "repository": _remark_repository,
    "resourcePath": lambda remark, info: _remark_url(remark, info).removeprefix(request(info).world.base_url),
    "url": _remark_url,
    "viewerDidAuthor": lambda remark, info: remark.author_id == request(info).viewer.account.id,
}
REVIEW: Resolvers = _REMARK | {
    "commit": lambda review, info: Commit(_remark_repository(review, info), review.commit_sha),
    "createdAt": lambda review, _: review.submitted_at,
    "state": lambda review, _: review.state,
    "submittedAt": lambda review, _: review.submitted_at,
    "updatedAt": lambda review, _: review.submitted_at,
}
COMMENT: Resolvers = _REMARK | {
    "createdAt": lambda comment, _: comment.created_at,
    "databaseId": lambda comment, _: comment.id,
    "updatedAt": lambda comment, _: comment.updated_at,
}
REVIEW_REQUEST: Resolvers = {
    "asCodeOwner": lambda _, __: False,
    "id": lambda it, _: encode(Kind.REVIEW_REQUEST, it.pull.id, it.reviewer.node_id),
    "pullRequest": lambda it, _: it.pull,
    "requestedReviewer": lambda it, _: it.reviewer,
}
