"""A spec that uses every field there is, for tests to change one thing in."""

from __future__ import annotations

import pytest

COMPLETE = r"""version: 1
name: bump-go
description: Move services to Go 1.23
on:
  - repositoriesMatchingQuery: "org:acme language:go archived:false"
  - org: acme
    topic: [backend]
    repo-include: "^svc-"
    repo-exclude: "-legacy$"
  - repository: acme/api
    branches: [main, release-1]
skip: {archived: true, forks: true, optOutFile: .batchignore, repos: [acme/old-*]}
limit: 0
steps:
  - edit: {replace: {path: "go.mod", pattern: "^go 1\\.2[0-2]$", with: "go 1.23"}}
  - edit: {yaml: {path: ".github/workflows/*.yml", set: {"jobs.*.steps[?uses=='a@v4'].uses": "a@v5"}}}
  - edit: {write: {path: "CODEOWNERS", content: "* @acme/platform\n", if-missing: true}}
  - edit: {delete: {path: .travis.yml}}
  - edit: {rename: {path: README, to: README.md}}
    if: ${{ repository.branch == "main" }}
  - edit: {json: {path: package.json, set: {"engines.node": ">=20", private: true}}}
  - edit: {toml: {path: pyproject.toml, set: {"project.requires-python": ">=3.11"}}}
  - run: ./fix.sh ${{ repository.name }}
    if: ${{ matches(repository.name, "acme/svc-*") }}
    env: {V: "1.23"}
    files: {fix.sh: "echo ${{ env.V }}"}
    outputs: {ver: {value: "${{ step.stdout }}", format: text}}
    timeout: 10m
    maxAttempts: 2
changesetTemplate:
  title: Bump Go to ${{ outputs.ver }}
  body: "... ${{ campaign.link }}"
  branch: octobatch/bump-go
  commit: {message: "Bump Go ${{ steps[7].outputs.ver }}"}
  published: [{"acme/*": draft}, {"acme/api": true}]
onError: continue
"""


@pytest.fixture
def complete() -> str:
    """The document."""
    return COMPLETE
