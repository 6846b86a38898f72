"""Mutations: branches, commits, pull requests, and what is refused in GitHub's words."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from sandbox.github.actions import checks
from tests.integration.sandbox_graphql.github import GitHub

PUBLISH = """
mutation($ref: CreateRefInput!, $commit: CreateCommitOnBranchInput!, $pull: CreatePullRequestInput!) {
  createRef(input: $ref) { ref { id name } }
  createCommitOnBranch(input: $commit) { commit { oid signature { isValid } author { name email } } ref { name } }
  createPullRequest(input: $pull) { pullRequest { number state headRefOid isDraft url } }
}
"""


def _text(content: str) -> str:
    return base64.b64encode(content.encode()).decode()


async def _publish(github: GitHub, repository: Any, *, base: str, expected: str) -> dict[str, Any]:
    return await github.ask(
        PUBLISH,
        {
            "ref": {"repositoryId": repository.node_id, "name": "refs/heads/fix", "oid": base},
            "commit": {
                "branch": {"repositoryNameWithOwner": repository.full_name, "branchName": "fix"},
                "expectedHeadOid": expected,
                "message": {"headline": "Fix", "body": "All of it"},
                "fileChanges": {"additions": [{"path": "a/fix.txt", "contents": _text("fixed\n")}]},
            },
            "pull": {
                "repositoryId": repository.node_id,
                "headRefName": "fix",
                "baseRefName": "main",
                "title": "Fix",
                "draft": True,
            },
        },
    )


async def test_one_document_makes_branch_commit_and_pull_request(github: GitHub) -> None:
    api = github.repository("api")
    base = github.head(api)
    answer = await _publish(github, api, base=base, expected=base)
    assert "errors" not in answer
    made = answer["data"]
    commit = made["createCommitOnBranch"]["commit"]
    assert commit["signature"] == {"isValid": True}
    assert commit["author"] == {"name": "octobatch[bot]", "email": github.bot.noreply_email}
    pull = made["createPullRequest"]["pullRequest"]
    assert pull == {
        "number": 1,
        "state": "OPEN",
        "headRefOid": commit["oid"],
        "isDraft": True,
        "url": "http://github.test/acme/api/pull/1",
    }
    repo = github.world.git.open(api)
    written = repo.references["refs/heads/fix"].peel()
    assert repo[written.tree["a/fix.txt"].id].data == b"fixed\n"
    assert written.message == "Fix\n\nAll of it"


async def test_a_mutation_that_fails_stops_none_of_the_following_ones(github: GitHub) -> None:
    api = github.repository("api")
    base = github.head(api)
    await github.branch(api, "fix", path="earlier.txt")
    answer = await _publish(github, api, base=base, expected=base)
    assert answer["data"]["createRef"] is None
    assert answer["data"]["createCommitOnBranch"] is None
    assert answer["data"]["createPullRequest"]["pullRequest"]["number"] == 1
    assert [(error["type"], error["path"], error["message"]) for error in answer["errors"]] == [
        ("UNPROCESSABLE", ["createRef"], 'A ref named "refs/heads/fix" already exists in the repository.'),
        (
            "STALE_DATA",
            ["createCommitOnBranch"],
            f'Expected branch to point to "{base}" but it did not. Pull and try again.',
        ),
    ]


async def test_a_second_pull_request_of_a_branch_is_refused(github: GitHub) -> None:
    api = github.repository("api")
    await github.pull(api)
    given = {"repositoryId": api.node_id, "headRefName": "fix", "baseRefName": "main", "title": "Again"}
    error = await github.refused("createPullRequest", "pullRequest { id }", **given)
    assert (error["type"], error["message"]) == ("UNPROCESSABLE", "A pull request already exists for acme:fix.")


async def test_pull_requests_need_branches_with_commits_between_them(github: GitHub) -> None:
    api = github.repository("api")
    await github.do("createRef", "ref { id }", repositoryId=api.node_id, name="refs/heads/same", oid=github.head(api))
    given = {"repositoryId": api.node_id, "baseRefName": "main", "title": "Nothing"}
    error = await github.refused("createPullRequest", "pullRequest { id }", headRefName="same", **given)
    assert error["message"] == "No commits between main and same"
    error = await github.refused("createPullRequest", "pullRequest { id }", headRefName="none", **given)
    assert error["message"] == (
        "Head sha can't be blank, Base sha can't be blank, No commits between main and none, Head ref must be a branch"
    )


async def test_a_commit_on_an_unknown_head_or_branch_is_not_found(github: GitHub) -> None:
    api = github.repository("api")
    given = {"message": {"headline": "x"}, "fileChanges": {"additions": []}}
    branch = {"repositoryNameWithOwner": "acme/api", "branchName": "main"}
    error = await github.refused(
        "createCommitOnBranch", "commit { oid }", branch=branch, expectedHeadOid="1" * 40, **given
    )
    assert error["type"] == "NOT_FOUND"
    assert error["message"] == f"No commit exists with specified expectedHeadOid '{'1' * 40}'."
    error = await github.refused(
        "createCommitOnBranch",
        "commit { oid }",
        branch=branch | {"branchName": "none"},
        expectedHeadOid=github.head(api),
        **given,
    )
    assert error["type"] == "NOT_FOUND"


async def test_deletions_and_workflows_are_looked_at(github: GitHub) -> None:
    api = github.repository("api")
    head = github.write(api, {"a": b"1", "b": b"2"})
    branch = {"repositoryNameWithOwner": "acme/api", "branchName": "main"}
    given = {"branch": branch, "expectedHeadOid": head, "message": {"headline": "x"}}
    workflow = {"additions": [{"path": ".github/workflows/ci.yml", "contents": _text("on: push")}]}
    error = await github.refused("createCommitOnBranch", "commit { oid }", fileChanges=workflow, **given)
    assert error["type"] == "FORBIDDEN"
    assert "workflows" in error["message"]
    made = await github.do(
        "createCommitOnBranch",
        "commit { tree { entries { name } } }",
        fileChanges={"deletions": [{"path": "a"}]},
        **given,
    )
    assert {entry["name"] for entry in made["commit"]["tree"]["entries"]} == {"README.md", "b"}


async def test_several_refs_move_together_or_not_at_all(github: GitHub) -> None:
    api = github.repository("api")
    base, fix = github.head(api), await github.branch(api, "fix")
    moves = [
        {"name": "refs/heads/new", "beforeOid": "0" * 40, "afterOid": fix},
        {"name": "refs/heads/fix", "beforeOid": base, "afterOid": base, "force": True},
    ]
    error = await github.refused("updateRefs", "clientMutationId", repositoryId=api.node_id, refUpdates=moves)
    assert error["type"] in {"STALE_DATA", "UNPROCESSABLE"}
    assert github.world.git.branch(api, "new") is None
    moves[1]["beforeOid"], moves[1]["afterOid"] = fix, "0" * 40
    await github.do("updateRefs", "clientMutationId", repositoryId=api.node_id, refUpdates=moves, clientMutationId="m")
    assert github.head(api, "new") == fix
    assert github.world.git.branch(api, "fix") is None


async def test_a_ref_is_moved_forward_and_deleted_by_its_id(github: GitHub) -> None:
    api = github.repository("api")
    base, fix = github.head(api), await github.branch(api, "fix")
    found = await github.data(
        '{ repository(owner: "acme", name: "api") { main: ref(qualifiedName: "main") { id } fix: ref(qualifiedName:'
        ' "fix") { id } } }'
    )
    main_id, fix_id = found["repository"]["main"]["id"], found["repository"]["fix"]["id"]
    moved = await github.do("updateRef", "ref { target { oid } }", refId=main_id, oid=fix)
    assert moved == {"ref": {"target": {"oid": fix}}}
    error = await github.refused("updateRef", "ref { id }", refId=main_id, oid=base)
    assert error["type"] == "UNPROCESSABLE"
    await github.do("deleteRef", "clientMutationId", refId=fix_id)
    assert github.world.git.branch(api, "fix") is None


async def test_a_pull_request_goes_through_its_states(github: GitHub) -> None:
    api = github.repository("api")
    pull = await github.pull(api, draft=True)
    show, by_id = "pullRequest { state isDraft title body closed }", {"pullRequestId": pull["id"]}

    async def after(mutation: str, **given: Any) -> tuple[str, bool]:
        shown = (await github.do(mutation, show, **(by_id | given)))["pullRequest"]
        return shown["state"], shown["isDraft"]

    assert await after("markPullRequestReadyForReview") == ("OPEN", False)
    assert await after("convertPullRequestToDraft") == ("OPEN", True)
    assert await after("markPullRequestReadyForReview") == ("OPEN", False)
    assert await after("closePullRequest") == ("CLOSED", False)
    assert await after("reopenPullRequest") == ("OPEN", False)
    assert await after("updatePullRequest", state="CLOSED") == ("CLOSED", False)
    assert await after("updatePullRequest", state="OPEN") == ("OPEN", False)
    updated = await github.do("updatePullRequest", show, **by_id, title="Better", body="")
    assert (updated["pullRequest"]["title"], updated["pullRequest"]["body"]) == ("Better", "")
    assert await after("mergePullRequest", mergeMethod="SQUASH") == ("MERGED", False)
    error = await github.refused("reopenPullRequest", show, **by_id)
    assert error["message"] == "Could not open the pull request."


async def test_a_merge_checks_head_and_conflicts(github: GitHub) -> None:
    api = github.repository("api")
    pull = await github.pull(api)
    fields = "pullRequest { state merged mergedAt mergeCommit { oid } mergedBy { login __typename } }"
    error = await github.refused("mergePullRequest", fields, pullRequestId=pull["id"], expectedHeadOid=github.head(api))
    assert error["type"] == "UNPROCESSABLE"
    assert error["message"] == "Head branch was modified. Review and try the merge again."
    github.write(api, {"fix.txt": b"otherwise"})
    looked = await github.data(
        "query($id: ID!) { node(id: $id) { ... on PullRequest { mergeable mergeStateStatus } } }", {"id": pull["id"]}
    )
    assert looked["node"] == {"mergeable": "CONFLICTING", "mergeStateStatus": "DIRTY"}
    error = await github.refused("mergePullRequest", fields, pullRequestId=pull["id"])
    assert error["message"] == "Pull Request is not mergeable"
    other = await github.pull(github.repository("other"))
    merged = (await github.do("mergePullRequest", fields, pullRequestId=other["id"]))["pullRequest"]
    assert (merged["state"], merged["merged"]) == ("MERGED", True)
    assert merged["mergedBy"] == {"login": "octobatch", "__typename": "Bot"}
    assert merged["mergeCommit"]["oid"] == github.head(github.world.state.repositories.by_name("acme", "other"))


async def test_auto_merge_waits_for_checks(github: GitHub) -> None:
    api = github.repository("api")
    pull = await github.pull(api)
    fields = "pullRequest { autoMergeRequest { mergeMethod enabledBy { login } } }"
    error = await github.refused("enablePullRequestAutoMerge", fields, pullRequestId=pull["id"])
    assert error["message"] == "Pull request Pull request is in clean status"
    app = github.world.state.apps.get(github.installation.app_id)
    head = github.head(api, "fix")
    run = checks.create_run(github.world, app, api, name="test", head_sha=head, status="in_progress")
    enabled = await github.do("enablePullRequestAutoMerge", fields, pullRequestId=pull["id"], mergeMethod="SQUASH")
    assert enabled["pullRequest"]["autoMergeRequest"] == {
        "mergeMethod": "SQUASH",
        "enabledBy": {"login": "octobatch"},
    }
    await github.do("disablePullRequestAutoMerge", fields, pullRequestId=pull["id"])
    await github.do("enablePullRequestAutoMerge", fields, pullRequestId=pull["id"])
    query = """query($id: ID!) { node(id: $id) { ... on PullRequest { state mergeStateStatus statusCheckRollup { state
      contexts(first: 9) { checkRunCount nodes { ... on CheckRun { name status conclusion } } } } } } }"""
    before = (await github.data(query, {"id": pull["id"]}))["node"]
    assert before["mergeStateStatus"] == "UNSTABLE"
    assert before["statusCheckRollup"]["state"] == "PENDING"
    checks.update_run(github.world, app, api, run, conclusion="success")
    after = (await github.data(query, {"id": pull["id"]}))["node"]
    assert after["state"] == "MERGED"
    assert after["statusCheckRollup"] == {
        "state": "SUCCESS",
        "contexts": {
            "checkRunCount": 1,
            "nodes": [{"name": "test", "status": "COMPLETED", "conclusion": "SUCCESS"}],
        },
    }


async def test_labels_people_and_comments_hang_on_a_pull_request(github: GitHub) -> None:
    api = github.repository("api")
    pull = await github.pull(api)
    team = github.world.state.accounts.create_team(github.acme.id, "core", "Core")
    label = await github.do(
        "createLabel", "label { id name color }", repositoryId=api.node_id, name="bot", color="ff0000"
    )
    await github.do(
        "addLabelsToLabelable",
        "labelable { labels(first: 5) { nodes { name } } }",
        labelableId=pull["id"],
        labelIds=[label["label"]["id"]],
    )
    await github.do(
        "requestReviews",
        "pullRequest { id } requestedReviewersEdge { node { login } }",
        pullRequestId=pull["id"],
        userIds=[github.person.node_id],
        teamIds=[team.node_id],
        union=True,
    )
    await github.do(
        "addAssigneesToAssignable",
        "assignable { assignees(first: 5) { totalCount } }",
        assignableId=pull["id"],
        assigneeIds=[github.person.node_id],
    )
    said = await github.do(
        "addComment", "commentEdge { node { body author { login } } } subject { id }", subjectId=pull["id"], body="Hi"
    )
    assert said == {
        "commentEdge": {"node": {"body": "Hi", "author": {"login": "octobatch"}}},
        "subject": {"id": pull["id"]},
    }
    query = """query($id: ID!) { node(id: $id) { ... on PullRequest { labels(first: 5) { nodes { name } }
      assignees(first: 5) { nodes { login } } comments(first: 5) { totalCount }
      reviewRequests(first: 5) { nodes { requestedReviewer { __typename ... on User { login } ... on Team { slug } } } }
    } } }"""
    shown = (await github.data(query, {"id": pull["id"]}))["node"]
    assert shown["labels"]["nodes"] == [{"name": "bot"}]
    assert shown["assignees"]["nodes"] == [{"login": "ada"}]
    assert shown["comments"] == {"totalCount": 1}
    assert [node["requestedReviewer"] for node in shown["reviewRequests"]["nodes"]] == [
        {"__typename": "User", "login": "ada"},
        {"__typename": "Team", "slug": "core"},
    ]
    await github.do(
        "removeLabelsFromLabelable",
        "labelable { labels(first: 5) { totalCount } }",
        labelableId=pull["id"],
        labelIds=[label["label"]["id"]],
    )
    await github.do(
        "removeAssigneesFromAssignable",
        "assignable { assignees(first: 5) { totalCount } }",
        assignableId=pull["id"],
        assigneeIds=[github.person.node_id],
    )
    shown = (await github.data(query, {"id": pull["id"]}))["node"]
    assert (shown["labels"]["nodes"], shown["assignees"]["nodes"]) == ([], [])


@pytest.mark.parametrize(
    ("permissions", "visibility", "kind"),
    [
        ({"contents": "read", "pull_requests": "write"}, "private", "FORBIDDEN"),
        ({"contents": "write", "pull_requests": "read"}, "private", None),
    ],
)
async def test_writing_needs_the_permission(
    github: GitHub, permissions: dict[str, str], visibility: str, kind: str | None
) -> None:
    api = github.repository("api", visibility=visibility)
    given = {"input": {"repositoryId": api.node_id, "name": "refs/heads/x", "oid": github.head(api)}}
    viewer = github.viewer(permissions=permissions)
    answer = await github.ask(github.mutation("createRef", "ref { name }"), given, viewer=viewer)
    assert [error["type"] for error in answer.get("errors", ())] == ([kind] if kind else [])
    if kind:
        assert answer["errors"][0]["message"] == "Resource not accessible by integration"


async def test_an_archived_repository_is_read_only(github: GitHub) -> None:
    api = github.repository("api", archived=True)
    error = await github.refused(
        "createRef", "ref { id }", repositoryId=api.node_id, name="refs/heads/x", oid=github.head(api)
    )
    assert error["message"] == "Repository was archived so is read-only."


async def test_pull_requests_are_listed_by_branch_and_state(github: GitHub) -> None:
    api = github.repository("api")
    for name in ("one", "two"):
        await github.branch(api, name, path=name)
        await github.do(
            "createPullRequest",
            "pullRequest { id }",
            repositoryId=api.node_id,
            headRefName=name,
            baseRefName="main",
            title=name,
        )
    closed = github.world.state.pulls.by_number(api.id, 1)
    assert closed is not None
    await github.do("closePullRequest", "pullRequest { id }", pullRequestId=closed.node_id)
    query = """{ repository(owner: "acme", name: "api") {
      of: pullRequests(headRefName: "two", first: 5) { nodes { number headRef { name } } }
      open: pullRequests(states: [OPEN], first: 5, orderBy: {field: CREATED_AT, direction: DESC}) { nodes { number } }
      into: pullRequests(baseRefName: "main", last: 1) { totalCount nodes { number } }
      one: pullRequest(number: 1) { state commits(last: 1) { nodes { commit { messageHeadline } } }
        additions files(first: 5) { nodes { path changeType } } } } }"""
    found = (await github.data(query))["repository"]
    assert found["of"]["nodes"] == [{"number": 2, "headRef": {"name": "two"}}]
    assert found["open"]["nodes"] == [{"number": 2}]
    assert found["into"] == {"totalCount": 2, "nodes": [{"number": 2}]}
    assert found["one"]["state"] == "CLOSED"
    assert found["one"]["commits"]["nodes"][0]["commit"]["messageHeadline"] == "Fix it"
    assert found["one"]["files"]["nodes"] == [{"path": "one", "changeType": "ADDED"}]
