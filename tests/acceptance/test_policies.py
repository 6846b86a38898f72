"""`octobatch policies` as an administrator types it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import RunningStack

POLICIES = """version: 1
policies:
  - name: release-bots
    principals:
      - apiKey: "ci-.*"
      - {issuer: "https://issuer.example", subject: "repo:acme/.*", audience: octobatch, claims: {private: true}}
    installations: [acme]
    repositories: ["acme/svc-.*"]
    permissions: {contents: read, pull_requests: write}
  - name: readers
    principals: [{apiKey: reader}]
    installations: [acme]
    permissions: {contents: read}
"""
JOB = ("--issuer", "https://issuer.example", "--subject", "repo:acme/x")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "policies.yaml"
    file.write_text(POLICIES)
    return file


def offline(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the command line where there is no gateway."""
    words = [sys.executable, "-m", "cli.main", "policies", *arguments]
    environment = {"PATH": "/usr/bin", "OCTOBATCH_URL": "http://127.0.0.1:1"}
    return subprocess.run(words, env=environment, capture_output=True, text=True, check=False, timeout=60)


# the principal, then what is asked for → exit code, a part of what is said
QUESTIONS = [
    (("--api-key", "ci-1"), ("--repository", "acme/svc-a", "--permission", "contents=read"), 0, "allowed"),
    (
        ("--api-key", "ci-1"),
        ("--repository", "acme/svc-a", "--permission", "contents=write"),
        5,
        "contents: write is more",
    ),
    (("--api-key", "ci-1"), (), 5, "name those that it is for"),
    (("--api-key", "nobody"), (), 5, "no trust policy names API key nobody"),
    ((*JOB, "--claim", "aud=octobatch", "--claim", "private=true"), ("--repository", "acme/svc-a"), 0, "release-bots"),
    ((*JOB, "--claim", "aud=octobatch"), ("--repository", "acme/svc-a"), 5, "of https://issuer.example"),
    (("--api-key", "ci-1"), ("--permission", "contents=much"), 2, "levels: read, write, admin"),
    ((*JOB, "--claim", "aud"), (), 2, "write NAME=VALUE"),
    (("--api-key", "ci-1", *JOB), (), 2, "say --api-key, or --issuer and --subject"),
]


@pytest.mark.parametrize(("principal", "wanted", "code", "said"), QUESTIONS)
def test_policies_are_tested_from_a_file_without_a_gateway(
    file: Path, principal: tuple[str, ...], wanted: tuple[str, ...], code: int, said: str
) -> None:
    answer = offline("test", "-f", str(file), "--installation", "acme", *principal, *wanted)
    assert answer.returncode == code, answer.stdout + answer.stderr
    assert said in answer.stdout + answer.stderr


def test_a_file_that_is_not_valid_is_explained_with_its_lines(file: Path) -> None:
    file.write_text(POLICIES.replace("installations", "instalations", 1))
    for command in (("test", "--api-key", "ci-1", "--installation", "acme"), ("apply",)):
        refused = offline(*command, "-f", str(file))
        assert refused.returncode == 2
        assert f"{file}:7:5: policies.0.instalations: unknown key" in refused.stderr
        assert "did you mean installations?" in refused.stderr


def policies(stack: RunningStack, *arguments: str) -> Any:
    found = stack.octobatch("policies", *arguments, "-o", "json")
    assert found.returncode == 0, found.stderr
    return json.loads(found.stdout)


def test_policies_are_applied_shown_tested_and_deleted(stack: RunningStack, file: Path) -> None:
    dry = policies(stack, "apply", "-f", str(file), "--dry-run")
    assert (dry["added"], policies(stack, "list")) == (["release-bots", "readers"], [])
    applied = stack.octobatch("policies", "apply", "-f", str(file))
    assert applied.stdout.split() == ["added", "release-bots,", "readers"]
    assert "repo:acme/.* of https://issuer.example" in stack.octobatch("policies", "list").stdout

    shown = stack.octobatch("policies", "show", "release-bots")
    again = file.with_name("again.yaml")
    again.write_text(shown.stdout)
    assert policies(stack, "apply", "-f", str(again))["unchanged"] == ["release-bots"]

    question = ("test", "--installation", "acme", "--api-key")
    allowed = policies(stack, *question, "reader", "--permission", "contents=read")
    assert (allowed["policy"], allowed["permissions"]) == ("readers", {"contents": "read"})
    refused = stack.octobatch("policies", *question, "reader", "--permission", "contents=write", "-o", "json")
    assert refused.returncode == 5
    verdicts = {each["policy"]: each["verdict"] for each in json.loads(refused.stdout)["considered"]}
    assert verdicts == {"release-bots": "other_principal", "readers": "too_much"}

    pruned = stack.octobatch("policies", "apply", "-f", str(again), "--prune")
    assert (pruned.returncode, "Remove the trust policies readers?" in pruned.stderr) == (2, True)
    assert policies(stack, "apply", "-f", str(again), "--prune", "--yes")["removed"] == ["readers"]
    asked = stack.octobatch("policies", "delete", "release-bots")
    assert (asked.returncode, "--yes" in asked.stderr) == (2, True)
    assert stack.octobatch("policies", "delete", "release-bots", "--yes").returncode == 0
    assert stack.octobatch("policies", "delete", "release-bots", "--yes").returncode == 2
    assert policies(stack, "list") == []
    assert "policies.delete" in stack.octobatch("streams", "audit").stdout
