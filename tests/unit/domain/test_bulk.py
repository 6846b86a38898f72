"""What each action applies to, and why not to the rest."""

from __future__ import annotations

from typing import Any

import pytest

from shared.clock import utcnow
from shared.domain.bulk import (
    APPLIES_TO,
    BEGINNING_AGAIN,
    ON_UNPUBLISHED,
    BulkAction,
    BulkParameters,
    TargetFilter,
    check_filter,
    check_parameters,
    why_not,
)
from shared.domain.ids import CampaignId, InstallationId, RunId, TargetId, new_id
from shared.domain.target import (
    TARGET_TRANSITIONS,
    ChecksState,
    PublishAs,
    PullRequestRef,
    ReviewState,
    Target,
    TargetState,
)
from shared.errors import InvalidInput

NONE = BulkParameters.model_validate({})
PULL_REQUEST = PullRequestRef(number=1, node_id="PR_1", url="https://github.test/acme/api/pull/1")


def _target(state: TargetState, **values: Any) -> Target:
    fields: dict[str, Any] = {
        "id": TargetId(new_id()),
        "run_id": RunId(new_id()),
        "campaign_id": CampaignId(new_id()),
        "repository_node_id": "R_1",
        "repository": "acme/api",
        "installation_id": InstallationId(1),
        "base_branch": "main",
        "base_oid": None,
        "branch": "fix",
        "group": "",
        "state": state,
        "review_state": ReviewState.NONE,
        "checks_state": ChecksState.UNKNOWN,
        "reason": None,
        "diff_stat": None,
        "pull_request": PULL_REQUEST,
        "created_at": utcnow(),
        "updated_at": utcnow(),
    }
    return Target(**{**fields, **values})


@pytest.mark.parametrize("action", sorted(set(BulkAction) - {BulkAction.ATTACH}))
def test_an_action_applies_to_its_states_and_says_why_not_to_each_other(action: BulkAction) -> None:
    for state in TargetState:
        reason = why_not(action, NONE, _target(state))
        assert (reason is None) == (state in APPLIES_TO[action]), (state, reason)
        if action not in ON_UNPUBLISHED:
            assert why_not(action, NONE, _target(state, pull_request=None)) == "has no pull request"
        assert why_not(action, NONE, _target(state, is_detached=True)) == "is detached"


def test_what_is_detached_alone_is_attached() -> None:
    detached = _target(TargetState.OPEN, is_detached=True)
    assert why_not(BulkAction.ATTACH, NONE, detached) is None
    assert why_not(BulkAction.ATTACH, NONE, _target(TargetState.OPEN)) == "is not detached"
    assert why_not(BulkAction.ATTACH, NONE, detached, is_superseded=True) == "has a target of a later run"


def test_what_people_made_is_not_made_anew_by_steps_nor_closed_with_a_campaign() -> None:
    imported = _target(TargetState.OPEN, is_imported=True)
    for action in (BulkAction.RERUN, BulkAction.REBASE):
        assert why_not(action, NONE, imported) == "was imported, and is not made by the steps"
    assert why_not(BulkAction.MERGE, NONE, imported) is None
    assert why_not(BulkAction.CLOSE, NONE, imported) is None
    undoing = BulkParameters.model_validate({"delete_branch": True, "keep_imported": True})
    assert why_not(BulkAction.CLOSE, undoing, imported) == "was imported, and is not made by the steps"


@pytest.mark.parametrize("action", sorted(BEGINNING_AGAIN))
def test_steps_run_again_only_from_where_a_target_may_begin_again(action: BulkAction) -> None:
    assert all(TargetState.PENDING in TARGET_TRANSITIONS[state] for state in APPLIES_TO[action])


@pytest.mark.parametrize(
    ("action", "target", "reason"),
    [
        (BulkAction.MERGE, _target(TargetState.DRAFT), "is a draft: undraft it first"),
        (BulkAction.MERGE, _target(TargetState.CONFLICTED), "conflicts with its base: rebase it first"),
        (BulkAction.MERGE, _target(TargetState.MERGED), "is merged already"),
        (BulkAction.MERGE, _target(TargetState.BLOCKED, reason="a person's commits"), "is blocked: a person's commits"),
        (BulkAction.RETRY, _target(TargetState.OPEN), "did not fail"),
        (
            BulkAction.PUBLISH,
            _target(TargetState.PREPARED, publish_as=PublishAs.OPEN, pull_request=None),
            "waits for its turn to be published",
        ),
        (BulkAction.PUBLISH, _target(TargetState.PREPARED, pull_request=None), None),
    ],
)
def test_a_reason_says_what_to_do(action: BulkAction, target: Target, reason: str | None) -> None:
    assert why_not(action, NONE, target) == reason


def test_a_branch_is_deleted_also_where_the_pull_request_is_closed_or_was_never_opened() -> None:
    deleting = BulkParameters.model_validate({"delete_branch": True})
    closed = _target(TargetState.CLOSED, head_oid="a" * 40)
    assert why_not(BulkAction.CLOSE, NONE, closed) == "is closed already"
    assert why_not(BulkAction.CLOSE, deleting, closed) is None
    lone = _target(TargetState.FAILED, pull_request=None, head_oid="a" * 40)
    assert why_not(BulkAction.CLOSE, deleting, lone) is None
    cancelled = _target(TargetState.CANCELLED, pull_request=None, publish_as=PublishAs.OPEN)
    assert why_not(BulkAction.CLOSE, deleting, cancelled) is None


@pytest.mark.parametrize(
    ("action", "given", "problem"),
    [
        (BulkAction.MERGE, {"labels": ["bot"]}, "merge takes no labels"),
        (BulkAction.MERGE, {"method": "none"}, "is one of merge, squash and rebase"),
        (BulkAction.COMMENT, {}, "comment needs body"),
        (BulkAction.REQUEST_REVIEW, {}, "request_review needs teams or users"),
        (BulkAction.DETACH, {"draft": True}, "detach takes no draft"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(action: BulkAction, given: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_parameters(action, BulkParameters.model_validate(given))
    assert problem in str(refused.value)


def test_a_glob_that_cannot_be_understood_is_refused() -> None:
    with pytest.raises(InvalidInput, match="brace"):
        check_filter(TargetFilter.model_validate({"repository": "acme/{a"}))
