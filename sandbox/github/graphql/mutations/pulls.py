"""Pull requests: opened, changed, closed, merged."""

from __future__ import annotations

from typing import Any

from graphql import GraphQLResolveInfo

from ...actions import conversation, merging, pulls
from ...errors import Reason, Refused, unprocessable
from ...state import Account, Kind, Label, Pull, Repository, decode
from ..errors import no_node
from ..nodes import request
from ..query import node
from ..resolvers import Resolvers
from .refs import writable

Given = dict[str, Any]


def pull_to_change(info: GraphQLResolveInfo, node_id: str, *resources: str) -> Pull:
    """The pull request of that id, if the viewer may change one of the resources; else raises `Refused`."""
    found = node(info, node_id)
    if not isinstance(found, Pull):
        raise no_node(node_id)
    viewer = request(info).viewer
    repository = request(info).world.state.repositories.get(found.repository_id)
    allowed = [resource for resource in resources if viewer.may(resource, "write")]
    viewer.require_change(repository, (allowed or resources)[0])
    return found


def _create(info: GraphQLResolveInfo, given: Given) -> Given:
    this = request(info)
    repository = writable(info, given["repository_id"], "pull_requests")
    if given.get("head_repository_id") not in {None, repository.node_id}:
        raise unprocessable("The sandbox does not support pull requests between repositories.")
    _check_branches(info, repository, given["head_ref_name"], given["base_ref_name"])
    pull = pulls.create(
        this.world,
        this.viewer.account,
        repository,
        title=given["title"],
        head=given["head_ref_name"],
        base=given["base_ref_name"],
        body=given.get("body"),
        draft=bool(given.get("draft")),
    )
    return {"pullRequest": pull}


def _check_branches(info: GraphQLResolveInfo, repository: Repository, head: str, base: str) -> None:
    """GraphQL lists all that follows from a missing branch, where REST names the field."""
    git = request(info).world.git
    head_exists, base_exists = git.branch(repository, head.rpartition(":")[2]), git.branch(repository, base)
    problems = ["Head sha can't be blank"] if not head_exists else []
    problems += ["Base sha can't be blank"] if not head_exists or not base_exists else []
    problems += [f"No commits between {base} and {head}"] if problems else []
    problems += ["Head ref must be a branch"] if not head_exists else []
    problems += ["Base ref must be a branch"] if not base_exists else []
    if problems:
        raise unprocessable(", ".join(problems))


def _update(info: GraphQLResolveInfo, given: Given) -> Given:
    this = request(info)
    pull = pull_to_change(info, given["pull_request_id"], "pull_requests")
    state = {"OPEN": "open", "CLOSED": "closed", None: None}[given.get("state")]
    if state == "open":
        _check_reopening(pull)
    pull = pulls.update(
        this.world,
        this.viewer.account,
        pull,
        title=given.get("title"),
        body=given.get("body"),
        base=given.get("base_ref_name"),
        state=state,
    )
    if given.get("label_ids") is not None:
        labels = labels_of(info, pull, given["label_ids"])
        pull = conversation.set_labels(this.world, this.viewer.account, pull, labels)
    if given.get("assignee_ids") is not None:
        assignees = people(info, given["assignee_ids"])
        pull = conversation.set_assignees(this.world, this.viewer.account, pull, assignees)
    return {"pullRequest": pull, "actor": this.viewer.account}


def _check_reopening(pull: Pull) -> None:
    if pull.merged:
        raise unprocessable("Could not open the pull request.")


def _close(info: GraphQLResolveInfo, given: Given) -> Given:
    pull = pull_to_change(info, given["pull_request_id"], "pull_requests")
    if pull.state == "closed":
        raise unprocessable("Could not close the pull request.")
    return {"pullRequest": pulls.close(request(info).world, request(info).viewer.account, pull)}


def _reopen(info: GraphQLResolveInfo, given: Given) -> Given:
    pull = pull_to_change(info, given["pull_request_id"], "pull_requests")
    if pull.merged or pull.state == "open":
        raise unprocessable("Could not open the pull request.")
    return {"pullRequest": pulls.reopen(request(info).world, request(info).viewer.account, pull)}


def _merge(info: GraphQLResolveInfo, given: Given) -> Given:
    this = request(info)
    pull = pull_to_change(info, given["pull_request_id"], "contents")
    if pull.merged:
        raise unprocessable("Pull request is already merged")
    try:
        merged = merging.merge(
            this.world,
            this.viewer.account,
            pull,
            method=(given.get("merge_method") or "MERGE").lower(),
            title=given.get("commit_headline"),
            message=given.get("commit_body"),
            expected_head=given.get("expected_head_oid"),
        )
    except Refused as refused:
        if refused.reason in {Reason.NOT_MERGEABLE, Reason.CONFLICT}:  # REST's 405 and 409 are one type here
            raise unprocessable(refused.message) from refused
        raise
    return {"pullRequest": merged, "actor": this.viewer.account}


def _enable_auto_merge(info: GraphQLResolveInfo, given: Given) -> Given:
    this = request(info)
    pull = pull_to_change(info, given["pull_request_id"], "contents")
    if given.get("expected_head_oid") not in {None, pull.head_sha}:
        raise unprocessable("Head branch was modified. Review and try the merge again.")
    try:
        waiting = merging.enable_auto_merge(
            this.world,
            this.viewer.account,
            pull,
            method=(given.get("merge_method") or "MERGE").lower(),
            title=given.get("commit_headline"),
            message=given.get("commit_body"),
        )
    except Refused as refused:
        if refused.reason is Reason.NOT_MERGEABLE:
            raise unprocessable(refused.message) from refused
        raise
    return {"pullRequest": waiting, "actor": this.viewer.account}


def _disable_auto_merge(info: GraphQLResolveInfo, given: Given) -> Given:
    this = request(info)
    pull = pull_to_change(info, given["pull_request_id"], "contents")
    changed = merging.disable_auto_merge(this.world, this.viewer.account, pull)
    return {"pullRequest": changed, "actor": this.viewer.account}


def _mark_ready(info: GraphQLResolveInfo, given: Given) -> Given:
    pull = pull_to_change(info, given["pull_request_id"], "pull_requests")
    return {"pullRequest": pulls.mark_ready(request(info).world, request(info).viewer.account, pull)}


def _convert_to_draft(info: GraphQLResolveInfo, given: Given) -> Given:
    pull = pull_to_change(info, given["pull_request_id"], "pull_requests")
    return {"pullRequest": pulls.convert_to_draft(request(info).world, request(info).viewer.account, pull)}


def labels_of(info: GraphQLResolveInfo, pull: Pull, node_ids: list[str]) -> list[Label]:
    """The labels of these ids, all of the pull request's repository; raises `Refused`."""
    found = [node(info, node_id) for node_id in node_ids]
    for node_id, label in zip(node_ids, found, strict=True):
        if not isinstance(label, Label) or label.repository_id != pull.repository_id:
            raise no_node(node_id)
    return found


def people(info: GraphQLResolveInfo, node_ids: list[str]) -> list[Account]:
    """The users of these ids; raises `Refused`."""
    for node_id in node_ids:
        match decode(node_id):
            case (Kind.USER | Kind.BOT, _):
                pass
            case _:
                raise no_node(node_id)
    return [node(info, node_id) for node_id in node_ids]


PULLS: Resolvers = {
    "closePullRequest": _close,
    "convertPullRequestToDraft": _convert_to_draft,
    "createPullRequest": _create,
    "disablePullRequestAutoMerge": _disable_auto_merge,
    "enablePullRequestAutoMerge": _enable_auto_merge,
    "markPullRequestReadyForReview": _mark_ready,
    "mergePullRequest": _merge,
    "reopenPullRequest": _reopen,
    "updatePullRequest": _update,
}
