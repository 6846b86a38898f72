"""Pull requests: made, read, changed, merged, reviewed."""

from __future__ import annotations

from ..actions import conversation, merging, pulls
from ..errors import not_found, unprocessable
from ..git import comparing
from ..mergeability import base_tip
from ..state import Account, Pull, Repository, Team
from ..views.accounts import simple_user, team
from ..views.commits import commit_item, diff_entry
from ..views.pulls import pull_request, pull_request_simple
from ..views.pulls import review as review_view
from .endpoint import Call, Endpoint, Reply, change, get

_DIFF = "application/vnd.github.diff"
_SORTS = {"created": "created_at", "updated": "updated_at", "popularity": "created_at", "long-running": "created_at"}


def list_pulls(call: Call) -> Reply:
    """GET /repos/{owner}/{repo}/pulls"""
    repository = call.repository("pull_requests", "read")
    where, parameters = "repository_id = ?", [repository.id]
    state = call.query.get("state", "open")
    if state != "all":
        where, parameters = f"{where} AND state = ?", [*parameters, state]
    if head := call.query.get("head"):
        where, parameters = f"{where} AND head_ref = ?", [*parameters, head.rpartition(":")[2]]
    if base := call.query.get("base"):
        where, parameters = f"{where} AND base_ref = ?", [*parameters, base]
    call.set_link(call.world.state.pulls.count(where, parameters))
    direction = "ASC" if call.query.get("direction") == "asc" else "DESC"
    order = f"{_SORTS.get(call.query.get('sort', ''), 'created_at')} {direction}, id {direction}"
    page = call.world.state.pulls.query(where, parameters, order_by=order, limit=call.per_page, offset=call.offset)
    return Reply(body=[pull_request_simple(call.world, pull) for pull in page])


def create_pull(call: Call) -> Reply:
    """POST /repos/{owner}/{repo}/pulls"""
    repository = call.repository("pull_requests", "write")
    pull = pulls.create(
        call.world,
        call.viewer.account,
        repository,
        title=call.text("title"),
        head=call.required_text("head"),
        base=call.required_text("base"),
        body=call.text("body"),
        draft=bool(call.flag("draft")),
    )
    shown = pull_request(call.world, pull)
    return Reply(status=201, body=shown, headers={"location": shown["url"]})


def get_pull(call: Call) -> Reply:
    """GET /repos/{owner}/{repo}/pulls/{pull_number}; its diff, where that is asked for"""
    repository, pull = call.pull("read")
    if call.accept.startswith(_DIFF):
        text = pull_diff(call, repository, pull)
        return Reply(body=text.encode(), headers={"content-type": f"{_DIFF}; charset=utf-8"})
    return Reply(body=pull_request(call.world, pull))


def pull_diff(call: Call, repository: Repository, pull: Pull) -> str:
    """The unified diff of a pull request."""
    repo = call.world.git.open(repository)
    return comparing.diff(repo, base_tip(call.world, pull), pull.head_sha).patch or ""


def update_pull(call: Call) -> Reply:
    """PATCH /repos/{owner}/{repo}/pulls/{pull_number}"""
    _, pull = call.pull("write")
    state = call.text("state")
    if state not in {None, "open", "closed"}:
        raise unprocessable("Validation Failed", [{"resource": "PullRequest", "code": "invalid", "field": "state"}])
    changed = pulls.update(
        call.world,
        call.viewer.account,
        pull,
        title=call.text("title"),
        body=call.text("body"),
        base=call.text("base"),
        state=state,
    )
    return Reply(body=pull_request(call.world, changed))


def is_merged(call: Call) -> Reply:
    """GET /repos/{owner}/{repo}/pulls/{pull_number}/merge"""
    _, pull = call.pull("read")
    if not pull.merged:
        raise not_found()
    return Reply(status=204)


def merge_pull(call: Call) -> Reply:
    """PUT /repos/{owner}/{repo}/pulls/{pull_number}/merge"""
    _, pull = call.pull("write", permission="contents")
    merged = merging.merge(
        call.world,
        call.viewer.account,
        pull,
        method=call.text("merge_method") or "merge",
        title=call.text("commit_title"),
        message=call.text("commit_message"),
        expected_head=call.text("sha"),
    )
    body = {"sha": merged.merge_commit_sha, "merged": True, "message": "Pull Request successfully merged"}
    return Reply(body=body)


def list_files(call: Call) -> Reply:
    """GET /repos/{owner}/{repo}/pulls/{pull_number}/files"""
    repository, pull = call.pull("read")
    repo = call.world.git.open(repository)
    files = comparing.changed_files(comparing.diff(repo, base_tip(call.world, pull), pull.head_sha))
    return Reply(body=[diff_entry(call.world, repository, file, pull.head_sha) for file in call.page(files)])


def list_pull_commits(call: Call) -> Reply:
    """GET /repos/{owner}/{repo}/pulls/{pull_number}/commits"""
    repository, pull = call.pull("read")
    repo = call.world.git.open(repository)
    commits = comparing.commits_between(repo, base_tip(call.world, pull), pull.head_sha)
    return Reply(body=[commit_item(call.world, repository, commit) for commit in call.page(commits)])


def get_requested_reviewers(call: Call) -> Reply:
    """GET /repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers"""
    _, pull = call.pull("read")
    state = call.world.state.pulls
    return Reply(
        body={
            "users": [simple_user(call.world, account) for account in state.requested_reviewers(pull.id)],
            "teams": [team(call.world, each) for each in state.requested_teams(pull.id)],
        }
    )


def request_reviewers(call: Call) -> Reply:
    """POST /repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers"""
    repository, pull = call.pull("write")
    people, teams = _asked(call, repository)
    state = call.world.state.pulls
    people = [*state.requested_reviewers(pull.id), *people]
    teams = [*state.requested_teams(pull.id), *teams]
    changed = conversation.set_review_requests(call.world, call.viewer.account, pull, people, teams)
    return Reply(status=201, body=pull_request_simple(call.world, changed))


def remove_requested_reviewers(call: Call) -> Reply:
    """DELETE /repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers"""
    repository, pull = call.pull("write")
    people, teams = _asked(call, repository)
    gone, gone_teams = {account.id for account in people}, {each.id for each in teams}
    state = call.world.state.pulls
    kept = [account for account in state.requested_reviewers(pull.id) if account.id not in gone]
    kept_teams = [each for each in state.requested_teams(pull.id) if each.id not in gone_teams]
    changed = conversation.set_review_requests(call.world, call.viewer.account, pull, kept, kept_teams)
    return Reply(body=pull_request_simple(call.world, changed))


def list_reviews(call: Call) -> Reply:
    """GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews"""
    _, pull = call.pull("read")
    found = call.page(call.world.state.reviews.of_pull(pull.id))
    return Reply(body=[review_view(call.world, pull, each) for each in found])


def create_review(call: Call) -> Reply:
    """POST /repos/{owner}/{repo}/pulls/{pull_number}/reviews"""
    _, pull = call.pull("write")
    event = call.text("event")
    if event is None:
        raise unprocessable("This sandbox has no pending reviews: give an `event`")
    review = conversation.submit_review(
        call.world, call.viewer.account, pull, event=event, body=call.text("body") or ""
    )
    return Reply(body=review_view(call.world, pull, review))


def dismiss_review(call: Call) -> Reply:
    """PUT /repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id}/dismissals"""
    _, pull = call.pull("write")
    call.required_text("message")
    try:
        review = call.world.state.reviews.get(call.path["review_id"])
    except KeyError:
        raise not_found() from None
    if review.pull_id != pull.id:
        raise not_found()
    dismissed = conversation.dismiss_review(call.world, call.viewer.account, pull, review)
    return Reply(body=review_view(call.world, pull, dismissed))


def _asked(call: Call, repository: Repository) -> tuple[list[Account], list[Team]]:
    """The people and teams that the body names; raises `Refused` for one who cannot be asked."""
    state = call.world.state
    people: list[Account] = []
    for login in call.texts("reviewers") or ():
        account = state.accounts.by_login(login)
        if account is None or account.type != "User":
            raise unprocessable(
                "Reviews may only be requested from collaborators. One or more of the users or teams you specified"
                f" is not a collaborator of the {repository.full_name} repository."
            )
        people.append(account)
    teams: list[Team] = []
    for slug in call.texts("team_reviewers") or ():
        found = state.accounts.team_by_slug(repository.owner_id, slug)
        if found is None:
            raise unprocessable(f"Could not resolve to a team with the slug {slug!r}.")
        teams.append(found)
    return people, teams


_PULLS = "/repos/{owner}/{repo}/pulls"
_PULL = f"{_PULLS}/{{number:int}}"
ENDPOINTS: list[Endpoint] = [
    get(_PULLS, list_pulls),
    change("POST", _PULLS, create_pull, creates=True),
    get(_PULL, get_pull),
    change("PATCH", _PULL, update_pull),
    get(f"{_PULL}/merge", is_merged),
    change("PUT", f"{_PULL}/merge", merge_pull),
    get(f"{_PULL}/files", list_files),
    get(f"{_PULL}/commits", list_pull_commits),
    get(f"{_PULL}/requested_reviewers", get_requested_reviewers),
    change("POST", f"{_PULL}/requested_reviewers", request_reviewers, creates=True),
    change("DELETE", f"{_PULL}/requested_reviewers", remove_requested_reviewers),
    get(f"{_PULL}/reviews", list_reviews),
    change("POST", f"{_PULL}/reviews", create_review, creates=True),
    change("PUT", f"{_PULL}/reviews/{{review_id:int}}/dismissals", dismiss_review),
]
