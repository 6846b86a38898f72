"""Acts on one pull request against the sandbox: each is done once, is seen by the look, and is refused as on GitHub."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from shared.domain.spec import MergeMethod
from shared.errors import GitHubInvalid, GitHubNotFound
from shared.github import pull_request_acts as acts
from shared.github.client import Usage
from shared.github.decorations import Decoration, decorate
from shared.github.pull_requests import PullRequestState, close_pull_request
from tests.github_sandbox import RunningSandbox
from tests.opened_pull_request import Opened, opened_pull_request


@pytest.fixture
async def opened(github: RunningSandbox) -> AsyncIterator[Opened]:
    async with opened_pull_request(github) as opened:
        yield opened


async def test_what_is_said_of_a_pull_request_is_seen_by_the_look(opened: Opened) -> None:
    client, token, node_id = opened.github, opened.token, opened.node_id
    labels, where = {"repository_node_id": opened.repository_node_id}, {"repository": opened.repository}
    await acts.comment(client, node_id, body="Hello\n\n<!-- mark -->", token=token)
    await acts.add_labels(client, node_id, **labels, labels=["bot", "urgent"], token=token)
    await acts.add_labels(client, node_id, **labels, labels=["bot"], token=token)
    await acts.request_reviews(client, node_id, **where, users=["ada"], teams=["core"], token=token)
    await acts.request_reviews(client, node_id, **where, teams=[f"{opened.repository.split('/')[0]}/core"], token=token)
    await acts.assign(client, node_id, **where, users=["ada"], token=token)
    view = await opened.look()
    assert view.has_comment("<!-- mark -->")
    assert not view.has_comment("<!-- another -->")
    assert sorted(view.labels) == ["bot", "urgent"]
    assert view.assignees == ("ada",)
    assert sorted(view.requested) == sorted(["ada", f"{opened.repository.split('/')[0]}/core"])
    assert (view.branch_oid, view.conflicts, view.auto_merge) == (opened.head_oid, False, MergeMethod.NONE)
    with pytest.raises(GitHubInvalid, match="knows no nobody, no-team here"):
        await acts.request_reviews(client, node_id, **where, users=["nobody", "ada"], teams=["no-team"], token=token)


async def test_a_draft_is_made_ready_closed_and_opened_again(opened: Opened) -> None:
    client, token, node_id = opened.github, opened.token, opened.node_id
    assert (await acts.convert_to_draft(client, node_id, token=token)).is_draft
    assert not (await acts.mark_ready_for_review(client, node_id, token=token)).is_draft
    await close_pull_request(client, node_id, token=token)
    assert (await acts.reopen_pull_request(client, node_id, token=token)).state is PullRequestState.OPEN
    await close_pull_request(client, node_id, token=token)
    branch = {"repository_node_id": opened.repository_node_id, "branch": "fix"}
    with pytest.raises(GitHubInvalid):
        await acts.delete_branch(client, **branch, expected_oid="1" * 40, token=token)
    await acts.delete_branch(client, **branch, expected_oid=opened.head_oid, token=token)
    assert (await opened.look()).branch_oid is None
    with pytest.raises(GitHubInvalid, match="branch has been deleted"):
        await acts.reopen_pull_request(client, node_id, token=token)


async def test_a_pull_request_is_merged_where_its_head_is_as_expected(opened: Opened) -> None:
    client, token, node_id = opened.github, opened.token, opened.node_id
    with pytest.raises(GitHubInvalid, match="Head branch was modified"):
        await acts.merge_pull_request(
            client, node_id, method=MergeMethod.SQUASH, expected_head_oid="1" * 40, token=token
        )
    merged = await acts.merge_pull_request(
        client, node_id, method=MergeMethod.SQUASH, expected_head_oid=opened.head_oid, token=token
    )
    assert merged.state is PullRequestState.MERGED
    with pytest.raises(GitHubNotFound):
        await acts.look_at_pull_request(client, "PR_none", token=token)


async def test_auto_merge_waits_for_checks_and_is_refused_where_nothing_is_waited_for(opened: Opened) -> None:
    async def enable() -> None:
        await acts.enable_auto_merge(
            opened.github, opened.node_id, method=MergeMethod.SQUASH, expected_head_oid=None, token=opened.token
        )

    with pytest.raises(GitHubInvalid, match="clean status"):
        await enable()
    opened.sandbox.ask("POST", f"repositories/{opened.repository}/pulls/1/checks", {"name": "ci"})
    await enable()
    assert (await opened.look()).auto_merge is MergeMethod.SQUASH


async def test_a_pull_request_is_decorated_in_few_requests_and_what_is_refused_is_told(opened: Opened) -> None:
    usage = Usage()
    wanted = Decoration(
        node_id=opened.node_id,
        repository_node_id=opened.repository_node_id,
        repository=opened.repository,
        labels=("dependencies", "bot"),
        assignees=("ada",),
        users=("ada", "nobody"),
        teams=(f"{opened.repository.split('/')[0]}/core", "elsewhere/team"),
    )
    for _ in range(2):  # a repetition changes nothing
        problems = await decorate(opened.github.counting(usage), [wanted], token=opened.token)
        assert problems == {
            opened.node_id: [
                "GitHub knows no nobody here, or the App may not see it",
                "GitHub knows no elsewhere/team here, or the App may not see it",
            ]
        }
    view = await opened.look()
    assert (sorted(view.labels), view.assignees) == (["bot", "dependencies"], ("ada",))
    assert sorted(view.requested) == sorted(["ada", f"{opened.repository.split('/')[0]}/core"])
    assert usage.requests == 6 + 5  # labels, people, teams by owner, the acts; once the labels are made
