"""What people do around a pull request: labels, assignees, review requests, reviews, comments."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import unprocessable
from ..state import Account, Comment, Label, Pull, Review, Team
from ..views.accounts import simple_user, team
from ..views.pulls import label as label_view
from ..world import World
from . import events

_MOST_ASSIGNEES = 10
REVIEW_EVENTS = {"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "COMMENT": "COMMENTED"}


def set_labels(world: World, actor: Account, pull: Pull, labels: Sequence[Label]) -> Pull:
    """Gives the pull request exactly these labels."""
    before = {label.id: label for label in world.state.pulls.labels(pull.id)}
    after = {label.id: label for label in labels}
    world.state.pulls.set_labels(pull.id, list(after))
    pull = _touch(world, pull)
    repository = world.state.repositories.get(pull.repository_id)
    for key in after.keys() - before.keys():
        events.pull_request(world, "labeled", pull, actor, label=label_view(world, repository, after[key]))
    for key in before.keys() - after.keys():
        events.pull_request(world, "unlabeled", pull, actor, label=label_view(world, repository, before[key]))
    return pull


def add_labels(world: World, actor: Account, pull: Pull, labels: Sequence[Label]) -> Pull:
    """Adds labels to those there are."""
    return set_labels(world, actor, pull, [*world.state.pulls.labels(pull.id), *labels])


def remove_labels(world: World, actor: Account, pull: Pull, labels: Sequence[Label]) -> Pull:
    """Takes labels away."""
    gone = {label.id for label in labels}
    kept = [label for label in world.state.pulls.labels(pull.id) if label.id not in gone]
    return set_labels(world, actor, pull, kept)


def set_assignees(world: World, actor: Account, pull: Pull, assignees: Sequence[Account]) -> Pull:
    """Gives the pull request exactly these assignees, ten at most."""
    before = {account.id: account for account in world.state.pulls.assignees(pull.id)}
    after = {account.id: account for account in assignees[:_MOST_ASSIGNEES]}
    world.state.pulls.set_assignees(pull.id, list(after))
    pull = _touch(world, pull)
    for key in after.keys() - before.keys():
        events.pull_request(world, "assigned", pull, actor, assignee=simple_user(world, after[key]))
    for key in before.keys() - after.keys():
        events.pull_request(world, "unassigned", pull, actor, assignee=simple_user(world, before[key]))
    return pull


def set_review_requests(
    world: World, actor: Account, pull: Pull, reviewers: Sequence[Account], teams: Sequence[Team]
) -> Pull:
    """Asks exactly these people and teams for a review; the author cannot be asked."""
    if any(reviewer.id == pull.author_id for reviewer in reviewers):
        raise unprocessable("Review cannot be requested from pull request author.")
    people = {account.id: account for account in world.state.pulls.requested_reviewers(pull.id)}
    groups = {each.id: each for each in world.state.pulls.requested_teams(pull.id)}
    world.state.pulls.set_review_requests(pull.id, [each.id for each in reviewers], [each.id for each in teams])
    pull = _touch(world, pull)
    for account in reviewers:
        if account.id not in people:
            shown = simple_user(world, account)
            events.pull_request(world, "review_requested", pull, actor, requested_reviewer=shown)
    for each in teams:
        if each.id not in groups:
            events.pull_request(world, "review_requested", pull, actor, requested_team=team(world, each))
    for key in people.keys() - {account.id for account in reviewers}:
        shown = simple_user(world, people[key])
        events.pull_request(world, "review_request_removed", pull, actor, requested_reviewer=shown)
    for key in groups.keys() - {each.id for each in teams}:
        shown = team(world, groups[key])
        events.pull_request(world, "review_request_removed", pull, actor, requested_team=shown)
    return pull


def submit_review(world: World, actor: Account, pull: Pull, *, event: str, body: str = "") -> Review:
    """A review: `event` is `APPROVE`, `REQUEST_CHANGES` or `COMMENT`; authors cannot judge their own."""
    if event not in REVIEW_EVENTS:
        raise unprocessable(f"{event!r} is not one of {', '.join(REVIEW_EVENTS)}")
    if event != "COMMENT" and actor.id == pull.author_id:
        verb = "approve" if event == "APPROVE" else "request changes on"
        raise unprocessable(f"Can not {verb} your own pull request")
    if event != "APPROVE" and not body:
        raise unprocessable("Review body can't be blank")
    review = world.state.reviews.add(
        pull_id=pull.id,
        author_id=actor.id,
        state=REVIEW_EVENTS[event],
        body=body,
        commit_sha=pull.head_sha,
        now=world.clock.stamp(),
    )
    events.pull_request_review(world, "submitted", _touch(world, pull), review, actor)
    return review


def dismiss_review(world: World, actor: Account, pull: Pull, review: Review) -> Review:
    """Sets an approval or a request for changes aside."""
    dismissed = world.state.reviews.dismiss(review.id)
    events.pull_request_review(world, "dismissed", _touch(world, pull), dismissed, actor)
    return dismissed


def comment(world: World, actor: Account, pull: Pull, body: str) -> Comment:
    """A comment below the pull request."""
    if not body:
        raise unprocessable("Body can't be blank")
    added = world.state.reviews.add_comment(pull_id=pull.id, author_id=actor.id, body=body, now=world.clock.stamp())
    events.issue_comment(world, _touch(world, pull), added, actor)
    return added


def _touch(world: World, pull: Pull) -> Pull:
    return world.state.pulls.update(pull.id, updated_at=world.clock.stamp())
