"""From a selection to targets."""

from __future__ import annotations

from typing import Any

import pytest

from shared.clock import utcnow
from shared.domain.ids import CampaignId, InstallationId, RunId, SelectionId, new_id
from shared.domain.repository import Repository
from shared.domain.run import Run, RunState
from shared.domain.selection import SelectedRepository
from shared.domain.spec import CampaignSpec, parse_spec
from shared.domain.target import PublishAs
from workers.campaigns.planning import plan_targets


def make_spec(branch: str = "octobatch/bump-go", published: str = "true") -> CampaignSpec:
    return parse_spec(f"""
version: 1
name: bump-go
on: [{{repository: acme/api}}]
steps: [{{edit: {{write: {{path: x, content: y}}}}}}]
changesetTemplate:
  title: t
  branch: {branch}
  commit: {{message: m}}
  published: {published}
""")


def make_run(**values: Any) -> Run:
    fields: dict[str, Any] = {
        "id": RunId(new_id()),
        "campaign_id": CampaignId(new_id()),
        "campaign_name": "bump-go",
        "spec_version": 1,
        "selection_id": SelectionId(new_id()),
        "dry_run": False,
        "state": RunState.PLANNING,
        "error": None,
        "created_by": "test",
        "created_at": utcnow(),
        "started_at": None,
        "finished_at": None,
    }
    return Run(**{**fields, **values})


def make_selected(name: str = "acme/api", branch: str = "main", *, included: bool = True) -> SelectedRepository:
    repository = Repository(
        node_id=f"R_{name}",
        database_id=1,
        name_with_owner=name,
        default_branch="main",
        head_oid="a" * 40,
        installation_id=InstallationId(7),
    )
    return SelectedRepository(
        repository=repository, branch=branch, head_oid="b" * 40, included=included, entry=0, reason=""
    )


def plan(spec: CampaignSpec, *selected: SelectedRepository, **values: Any) -> list[tuple[str, str, PublishAs]]:
    planned = plan_targets(make_run(**values), spec, selected, campaign_link="https://octobatch.test/x")
    return [(target.repository, target.branch, target.publish_as) for target in planned]


def test_each_included_repository_is_a_target_and_no_other() -> None:
    selected = [make_selected("acme/a"), make_selected("acme/b", included=False), make_selected("acme/c")]
    assert [name for name, _, _ in plan(make_spec(), *selected)] == ["acme/a", "acme/c"]


def test_branches_of_one_repository_get_head_branches_of_their_own() -> None:
    selected = [make_selected(branch="main"), make_selected(branch="release-1")]
    assert [branch for _, branch, _ in plan(make_spec(), *selected)] == [
        "octobatch/bump-go",
        "octobatch/bump-go-release-1",
    ]
    named = make_spec(branch="octobatch/${{ repository.branch }}/${{ campaign.name }}")
    assert [branch for _, branch, _ in plan(named, *selected)] == [
        "octobatch/main/bump-go",
        "octobatch/release-1/bump-go",
    ]


@pytest.mark.parametrize(
    ("published", "expected"),
    [
        ("true", PublishAs.OPEN),
        ("draft", PublishAs.DRAFT),
        ("false", PublishAs.NONE),
        ('[{"*": draft}, {"acme/api": true}]', PublishAs.OPEN),
    ],
)
def test_the_policy_is_decided_once_at_planning(published: str, expected: PublishAs) -> None:
    [(_, _, publish_as)] = plan(make_spec(published=published), make_selected())
    assert publish_as is expected


def test_a_dry_run_publishes_nothing_whatever_the_policy() -> None:
    [(_, _, publish_as)] = plan(make_spec(), make_selected(), dry_run=True)
    assert publish_as is PublishAs.NONE
