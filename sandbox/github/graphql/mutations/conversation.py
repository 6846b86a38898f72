"""Labels, assignees, requests for review, comments."""

from __future__ import annotations

import re
from typing import Any

from graphql import GraphQLResolveInfo

from ...actions import conversation
from ...errors import unprocessable
from ...state import Account, Label, Pull, Team
from ..errors import no_node
from ..nodes import request
from ..pages import item_cursor
from ..query import node
from ..resolvers import Resolvers
from .pulls import Given, labels_of, people, pull_to_change
from .refs import writable

_TALK = ("pull_requests", "issues")


def _create_label(info: GraphQLResolveInfo, given: Given) -> Given:
    viewer, pulls = request(info).viewer, request(info).world.state.pulls
    resource = "issues" if viewer.may("issues", "write") else "pull_requests"
    repository = writable(info, given["repository_id"], resource)
    if not re.fullmatch(r"[0-9a-fA-F]{6}", given["color"]):
        raise unprocessable("Color must be 6 hexadecimal characters (without the #)")
    if not given["name"].strip():
        raise unprocessable("Name can't be blank")
    if pulls.label_by_name(repository.id, given["name"]):
        raise unprocessable("Name has already been taken")
    label = pulls.ensure_label(
        repository.id, given["name"], color=given["color"].lower(), description=given.get("description")
    )
    return {"label": label}


def _add_labels(info: GraphQLResolveInfo, given: Given) -> Given:
    pull = pull_to_change(info, given["labelable_id"], *_TALK)
    labels = labels_of(info, pull, given["label_ids"])
    return {"labelable": conversation.add_labels(request(info).world, request(info).viewer.account, pull, labels)}


def _remove_labels(info: GraphQLResolveInfo, given: Given) -> Given:
    pull = pull_to_change(info, given["labelable_id"], *_TALK)
    labels: list[Label] = labels_of(info, pull, given["label_ids"])
    return {"labelable": conversation.remove_labels(request(info).world, request(info).viewer.account, pull, labels)}


def _assign(info: GraphQLResolveInfo, pull: Pull, assignees: list[Account]) -> Given:
    return {
        "assignable": conversation.set_assignees(request(info).world, request(info).viewer.account, pull, assignees)
    }


def _add_assignees(info: GraphQLResolveInfo, given: Given) -> Given:
    pull = pull_to_change(info, given["assignable_id"], *_TALK)
    there = request(info).world.state.pulls.assignees(pull.id)
    return _assign(info, pull, [*there, *people(info, given["assignee_ids"])])


def _remove_assignees(info: GraphQLResolveInfo, given: Given) -> Given:
    pull = pull_to_change(info, given["assignable_id"], *_TALK)
    gone = {account.id for account in people(info, given["assignee_ids"])}
    there = request(info).world.state.pulls.assignees(pull.id)
    return _assign(info, pull, [account for account in there if account.id not in gone])


def _request_reviews(info: GraphQLResolveInfo, given: Given) -> Given:
    """Asks these people and teams; with `union` beside those who are asked already, else instead of them."""
    this = request(info)
    pull = pull_to_change(info, given["pull_request_id"], "pull_requests")
    reviewers, teams = people(info, given.get("user_ids") or []), _teams(info, given.get("team_ids") or [])
    pulls = this.world.state.pulls
    kept_people = pulls.requested_reviewers(pull.id) if given.get("union") else []
    kept_teams = pulls.requested_teams(pull.id) if given.get("union") else []
    asked = conversation.set_review_requests(
        this.world, this.viewer.account, pull, _distinct([*kept_people, *reviewers]), _distinct([*kept_teams, *teams])
    )
    edge = {"node": reviewers[-1], "cursor": item_cursor(len(reviewers))} if reviewers else None
    return {"pullRequest": asked, "actor": this.viewer.account, "requestedReviewersEdge": edge}


def _distinct(asked: list[Any]) -> list[Any]:
    return list({each.id: each for each in asked}.values())


def _teams(info: GraphQLResolveInfo, node_ids: list[str]) -> list[Team]:
    found = [node(info, node_id) for node_id in node_ids]
    for node_id, team in zip(node_ids, found, strict=True):
        if not isinstance(team, Team):
            raise no_node(node_id)
    return found


def _add_comment(info: GraphQLResolveInfo, given: Given) -> Given:
    pull = pull_to_change(info, given["subject_id"], *_TALK)
    world = request(info).world
    added = conversation.comment(world, request(info).viewer.account, pull, given["body"])
    cursor = item_cursor(len(world.state.reviews.comments(pull.id)))
    return {"commentEdge": {"node": added, "cursor": cursor}, "subject": world.state.pulls.get(pull.id)}


CONVERSATION: Resolvers = {
    "addAssigneesToAssignable": _add_assignees,
    "addComment": _add_comment,
    "addLabelsToLabelable": _add_labels,
    "createLabel": _create_label,
    "removeAssigneesFromAssignable": _remove_assignees,
    "removeLabelsFromLabelable": _remove_labels,
    "requestReviews": _request_reviews,
}
