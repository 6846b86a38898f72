"""From a spec to open pull requests, through the real command line and the real processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.acceptance.conftest import REPOSITORIES, RunningStack


def test_apply_opens_one_pull_request_for_each_repository(stack: RunningStack, spec: Path) -> None:
    applied = stack.octobatch("apply", "--file", str(spec))
    assert applied.returncode == 0, applied.stdout + applied.stderr
    assert len(stack.pull_requests(f"octobatch/{spec.stem}")) == REPOSITORIES
    again = stack.octobatch("apply", "--file", str(spec))
    assert again.returncode == 0, again.stdout + again.stderr
    assert len(stack.pull_requests(f"octobatch/{spec.stem}")) == REPOSITORIES


def test_preview_publishes_nothing_and_shows_what_apply_then_publishes(stack: RunningStack, spec: Path) -> None:
    previewed = stack.octobatch("preview", "--file", str(spec), "--output", "json")
    assert previewed.returncode == 0, previewed.stderr
    ended = json.loads(previewed.stdout)
    assert ended["counts"] == {"prepared": REPOSITORIES}
    assert stack.pull_requests(f"octobatch/{spec.stem}") == []
    target = ended["targets"][0]["id"]
    diff = stack.octobatch("diff", target).stdout
    assert f"+of {spec.stem}" in diff
    assert "+ran" in diff
    assert "step 1" in stack.octobatch("logs", target).stdout.lower()

    commit = f"{stack.stack.github_url}/_sandbox/repositories/acme/service-3/commits"
    httpx.post(commit, json={"branch": "main", "files": {"moved.txt": "x"}}, timeout=30).raise_for_status()
    applied = stack.octobatch("apply", "--preview", ended["id"])
    assert applied.returncode == 1, applied.stdout + applied.stderr
    assert "since the preview" in applied.stderr
    run = stack.api("GET", "/v1/runs", params={"campaign": spec.stem})["items"][0]
    assert run["preview_run_id"] == ended["id"]
    assert stack.api("GET", f"/v1/runs/{run['id']}")["counts"] == {"open": REPOSITORIES - 1, "blocked": 1}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("steps:", "stpes:", "steps"),
        ("published: true", "published: 7", "published"),
        ("repository.name", "repository.nme", "nme"),
        ("org: acme", 'org: acme\n    repo-include: "("', "repo-include"),
    ],
)
def test_an_invalid_spec_is_refused_with_its_line_and_leaves_nothing(
    stack: RunningStack, spec: Path, old: str, new: str, said: str
) -> None:
    spec.write_text(spec.read_text().replace(old, new))
    refused = stack.octobatch("apply", "--file", str(spec))
    assert refused.returncode == 2
    assert said in refused.stderr
    assert spec.name in refused.stderr
    names = [campaign["name"] for campaign in stack.api("GET", "/v1/campaigns", params={"limit": 500})["items"]]
    assert spec.stem not in names


def test_a_spec_is_checked_without_a_gateway(stack: RunningStack, spec: Path) -> None:
    nowhere = {"OCTOBATCH_URL": "http://127.0.0.1:9"}
    assert stack.octobatch("spec", "validate", "-f", str(spec), **nowhere).returncode == 0
    spec.write_text(spec.read_text().replace("steps:", "stpes:"))
    checked = stack.octobatch("spec", "validate", "-f", str(spec), "--output", "json", **nowhere)
    assert checked.returncode == 2
    assert {"stpes", "steps"} <= {problem["path"] for problem in json.loads(checked.stdout)["problems"]}


def test_an_unknown_repository_fails_the_run_with_a_clear_error(stack: RunningStack, spec: Path) -> None:
    spec.write_text(spec.read_text().replace("org: acme", "repository: acme/no-such-repository"))
    applied = stack.octobatch("apply", "--file", str(spec))
    assert applied.returncode == 1
    assert "acme/no-such-repository" in applied.stdout + applied.stderr
    assert stack.pull_requests(f"octobatch/{spec.stem}") == []


def test_a_gateway_that_is_not_there_is_named(stack: RunningStack) -> None:
    asked = stack.octobatch("runs", OCTOBATCH_URL="http://127.0.0.1:9")
    assert asked.returncode == 3
    assert "127.0.0.1:9" in asked.stderr


def test_a_wrong_api_key_is_refused(stack: RunningStack) -> None:
    asked = stack.octobatch("runs", OCTOBATCH_API_KEY="obk_AAAAAAAA_" + "x" * 43)
    assert asked.returncode == 4


POLICY = """version: 1
policies:
  - name: readers
    principals: [{apiKey: bootstrap}]
    installations: [acme]
    permissions: {contents: read}
"""


def status_at_github(stack: RunningStack, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.get(
        f"{stack.stack.github_url}/api/v3/installation/repositories", headers=headers, timeout=30
    ).status_code


def test_a_token_comes_for_an_installation_as_a_policy_allows(stack: RunningStack) -> None:
    stack.api("POST", "/v1/installations/sync")  # the tokens worker may have just begun
    [installation] = stack.api("GET", "/v1/installations")["items"]
    address = f"{stack.stack.url}/v1/tokens/installations/{installation['id']}"
    headers = {"Authorization": f"Bearer {stack.folder.api_key()}"}
    refused = httpx.get(address, headers=headers, timeout=30)
    assert refused.status_code == 403
    assert "no trust policies" in refused.json()["detail"]
    stack.api("PUT", "/v1/policies", json={"document": POLICY})
    token = stack.api("GET", f"/v1/tokens/installations/{installation['id']}")
    assert token["token"].startswith("ghs_")
    assert token["permissions"] == {"contents": "read", "metadata": "read"}
    shown = stack.octobatch("tokens", "audit", "--by", "key:bootstrap", "--limit", "2", "-o", "json")
    grant, refusal = json.loads(shown.stdout)
    assert (grant["kind"], grant["policy"], refusal["kind"]) == ("grant", "readers", "refusal")
    assert token["token"] not in shown.stdout
    revoked = stack.octobatch("tokens", "revoke", grant["token_sha256"], "--yes", "-o", "json")
    assert json.loads(revoked.stdout)["revoked"] == 1
    assert status_at_github(stack, token["token"]) == 401

    printed = stack.octobatch("token", str(installation["id"]), "--permission", "contents=read", "--min-ttl", "10m")
    assert "contents: read, metadata: read" in printed.stderr
    assert status_at_github(stack, printed.stdout.strip()) == 200
    ended = stack.octobatch("tokens", "revoke", "--all-of", str(installation["id"]), "--yes", "-o", "json")
    assert "key:bootstrap" in json.loads(ended.stdout)["holders"]
    assert status_at_github(stack, printed.stdout.strip()) == 401
    assert stack.octobatch("policies", "delete", "readers", "--yes").returncode == 0


def test_a_stack_that_runs_is_not_started_twice(stack: RunningStack) -> None:
    second = stack.octobatch("up", "--folder", str(stack.folder.path))
    assert second.returncode == 1
    assert "running already" in second.stderr


def test_a_port_that_is_taken_is_named_with_the_option(stack: RunningStack, tmp_path: Path) -> None:
    second = stack.octobatch("up", "--folder", str(tmp_path / "other"), "--port", str(stack.stack.gateway_port))
    assert second.returncode == 1
    assert f"port {stack.stack.gateway_port}" in second.stderr
    assert "--port" in second.stderr


def test_a_folder_of_somebody_else_is_neither_used_nor_wiped(stack: RunningStack, tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("data")
    assert stack.octobatch("up", "--folder", str(tmp_path)).returncode == 1
    assert stack.octobatch("down", "--wipe", "--yes", "--folder", str(tmp_path)).returncode == 1
    assert (tmp_path / "precious").read_text() == "data"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_completes_commands(shell: str) -> None:
    asked = {"_OCTOBATCH_COMPLETE": f"complete_{shell}", "COMP_WORDS": "octobatch targ", "COMP_CWORD": "1"}
    asked |= {"_TYPER_COMPLETE_ARGS": "octobatch targ", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    completed = subprocess.run(
        [Path(sys.executable).with_name("octobatch")],
        env={**os.environ, **asked},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "targets" in completed.stdout, completed.stderr
