"""Labels, assignees and comments, which GitHub keeps with issues; every issue here is a pull request."""

from __future__ import annotations

from typing import Any, cast

from ..actions import conversation
from ..errors import invalid, not_found
from ..state import Account, Label, Repository
from ..views.pulls import comment as comment_view
from ..views.pulls import issue
from ..views.pulls import label as label_view
from .endpoint import Call, Endpoint, Reply, change, get

_PERMISSION = "pull_requests"
_LONGEST_LABEL = 50


def get_issue(call: Call) -> Reply:
    """GET /repos/{owner}/{repo}/issues/{issue_number}"""
    _, pull = call.pull("read", permission=_PERMISSION)
    return Reply(body=issue(call.world, pull))


def list_repository_labels(call: Call) -> Reply:
    """GET /repos/{owner}/{repo}/labels"""
    repository = call.repository(_PERMISSION, "read")
    found = call.page(call.world.state.pulls.repository_labels(repository.id))
    return Reply(body=[label_view(call.world, repository, each) for each in found])


def create_label(call: Call) -> Reply:
    """POST /repos/{owner}/{repo}/labels"""
    repository = call.repository(_PERMISSION, "write")
    name = call.required_text("name")
    if call.world.state.pulls.label_by_name(repository.id, name):
        raise invalid("Label", "name", code="already_exists")
    made = call.world.state.pulls.ensure_label(
        repository.id, name, color=call.text("color") or "ededed", description=call.text("description")
    )
    return Reply(status=201, body=label_view(call.world, repository, made))


def get_label(call: Call) -> Reply:
    """GET /repos/{owner}/{repo}/labels/{name}"""
    repository = call.repository(_PERMISSION, "read")
    found = call.world.state.pulls.label_by_name(repository.id, call.path["name"])
    if found is None:
        raise not_found()
    return Reply(body=label_view(call.world, repository, found))


def list_labels(call: Call) -> Reply:
    """GET /repos/{owner}/{repo}/issues/{issue_number}/labels"""
    repository, pull = call.pull("read", permission=_PERMISSION)
    return _labels(call, repository, pull.id)


def add_labels(call: Call) -> Reply:
    """POST /repos/{owner}/{repo}/issues/{issue_number}/labels; labels that are not there are made"""
    repository, pull = call.pull("write", permission=_PERMISSION)
    conversation.add_labels(call.world, call.viewer.account, pull, _named(call, repository))
    return _labels(call, repository, pull.id)


def set_labels(call: Call) -> Reply:
    """PUT /repos/{owner}/{repo}/issues/{issue_number}/labels"""
    repository, pull = call.pull("write", permission=_PERMISSION)
    conversation.set_labels(call.world, call.viewer.account, pull, _named(call, repository))
    return _labels(call, repository, pull.id)


def remove_all_labels(call: Call) -> Reply:
    """DELETE /repos/{owner}/{repo}/issues/{issue_number}/labels"""
    _, pull = call.pull("write", permission=_PERMISSION)
    conversation.set_labels(call.world, call.viewer.account, pull, [])
    return Reply(status=204)


def remove_label(call: Call) -> Reply:
    """DELETE /repos/{owner}/{repo}/issues/{issue_number}/labels/{name}"""
    repository, pull = call.pull("write", permission=_PERMISSION)
    label = call.world.state.pulls.label_by_name(repository.id, call.path["name"])
    if label is None or label not in call.world.state.pulls.labels(pull.id):
        raise not_found("Label does not exist")
    conversation.remove_labels(call.world, call.viewer.account, pull, [label])
    return _labels(call, repository, pull.id)


def add_assignees(call: Call) -> Reply:
    """POST /repos/{owner}/{repo}/issues/{issue_number}/assignees; who does not exist is left out, as on GitHub"""
    _, pull = call.pull("write", permission=_PERMISSION)
    there = call.world.state.pulls.assignees(pull.id)
    changed = conversation.set_assignees(call.world, call.viewer.account, pull, [*there, *_people(call)])
    return Reply(status=201, body=issue(call.world, changed))


def remove_assignees(call: Call) -> Reply:
    """DELETE /repos/{owner}/{repo}/issues/{issue_number}/assignees"""
    _, pull = call.pull("write", permission=_PERMISSION)
    gone = {account.id for account in _people(call)}
    kept = [account for account in call.world.state.pulls.assignees(pull.id) if account.id not in gone]
    return Reply(body=issue(call.world, conversation.set_assignees(call.world, call.viewer.account, pull, kept)))


def list_comments(call: Call) -> Reply:
    """GET /repos/{owner}/{repo}/issues/{issue_number}/comments"""
    _, pull = call.pull("read", permission=_PERMISSION)
    found = call.page(call.world.state.reviews.comments(pull.id))
    return Reply(body=[comment_view(call.world, pull, each) for each in found])


def create_comment(call: Call) -> Reply:
    """POST /repos/{owner}/{repo}/issues/{issue_number}/comments"""
    _, pull = call.pull("write", permission=_PERMISSION)
    added = conversation.comment(call.world, call.viewer.account, pull, call.required_text("body"))
    shown = comment_view(call.world, pull, added)
    return Reply(status=201, body=shown, headers={"location": shown["url"]})


def _labels(call: Call, repository: Repository, pull_id: int) -> Reply:
    found = call.page(call.world.state.pulls.labels(pull_id))
    return Reply(body=[label_view(call.world, repository, each) for each in found])


def _named(call: Call, repository: Repository) -> list[Label]:
    """The labels that the body names, as texts or as objects with a name."""
    names: list[str] = []
    for item in call.list("labels") or ():
        name: Any = cast("dict[str, Any]", item).get("name") if isinstance(item, dict) else item
        if not isinstance(name, str) or not 0 < len(name) <= _LONGEST_LABEL:
            raise invalid("Label", "name")
        names.append(name)
    return [call.world.state.pulls.ensure_label(repository.id, name) for name in names]


def _people(call: Call) -> list[Account]:
    found = [call.world.state.accounts.by_login(login) for login in call.texts("assignees") or ()]
    return [account for account in found if account is not None]


_REPOSITORY = "/repos/{owner}/{repo}"
_ISSUE = f"{_REPOSITORY}/issues/{{number:int}}"
ENDPOINTS: list[Endpoint] = [
    get(_ISSUE, get_issue),
    get(f"{_REPOSITORY}/labels", list_repository_labels),
    change("POST", f"{_REPOSITORY}/labels", create_label),
    get(f"{_REPOSITORY}/labels/{{name:path}}", get_label),
    get(f"{_ISSUE}/labels", list_labels),
    change("POST", f"{_ISSUE}/labels", add_labels),
    change("PUT", f"{_ISSUE}/labels", set_labels),
    change("DELETE", f"{_ISSUE}/labels", remove_all_labels),
    change("DELETE", f"{_ISSUE}/labels/{{name:path}}", remove_label),
    change("POST", f"{_ISSUE}/assignees", add_assignees),
    change("DELETE", f"{_ISSUE}/assignees", remove_assignees),
    get(f"{_ISSUE}/comments", list_comments),
    change("POST", f"{_ISSUE}/comments", create_comment, creates=True),
]
