"""Bulk operations as a user does them, and a campaign undone."""

from __future__ import annotations

from pathlib import Path

from tests.acceptance.conftest import RunningStack


def test_pull_requests_are_merged_and_the_campaign_is_undone(stack: RunningStack, spec: Path) -> None:
    name = spec.stem
    spec.write_text(spec.read_text().replace(f"  - run: echo ran >> {name}.md\n", "") + "limit: 2\n")
    assert stack.octobatch("apply", "-f", str(spec)).returncode == 0
    [first, *_] = stack.api("GET", "/v1/runs", params={"campaign": name})["items"]
    repository = stack.api("GET", f"/v1/runs/{first['id']}/targets")["items"][0]["repository"]
    merged = stack.octobatch("merge", name, "-R", repository, "--method", "squash", "--yes")
    assert merged.stdout == "merge completed: 1 done\n", merged.stderr
    closed = stack.octobatch("campaigns", "close", name, "--yes")
    assert closed.returncode == 0, closed.stderr
    assert "closes 1 pull request, deletes up to 1 branch" in closed.stderr
    states = sorted(pull["state"] for pull in stack.pull_requests(f"octobatch/{name}"))
    assert states == ["closed", "merged"]
