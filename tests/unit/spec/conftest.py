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
    env: {V: "1.23", TOKEN: {secret: npm-token}}
    files: {fix.sh: "echo ${{ env.V }}"}
    outputs: {ver: {value: "${{ step.stdout }}", format: text}}
    timeout: 10m
    maxAttempts: 2
    network: true
    container: golang:1.23
changesetTemplate:
  title: Bump Go to ${{ outputs.ver }}
  body: "... ${{ campaign.link }}"
  branch: octobatch/bump-go
  commit: {message: "Bump Go ${{ steps[7].outputs.ver }}"}
  published: [{"acme/*": draft}, {"acme/api": true}]
  labels: [dependencies]
  assignees: [mona]
  reviewers: {users: [hubot], teams: [acme/platform], fromCodeowners: true, max: 3}
  conflictStrategy: rebase
  onForeignCommits: stop
  autoMerge: squash
onError: continue
workspaces: [{rootAtLocationOf: go.mod, in: "acme/mono"}]
transformChanges:
  group: [{directory: web, branch: bump-go-web, title: "web: bump to ${{ outputs.ver }}", in: ["acme/mono"]}]
  splitBy: codeowners
rollout:
  maxOpen: 200
  maxOpenPerRepo: 1
  windows:
    - {rate: 10/hour, days: [monday, friday], start: "08:00", end: "16:00"}
    - {rate: 0, days: sunday}
  waves: [{percent: 5, gate: {merged: 0.9, checksPassed: 0.95}}, {percent: 100}]
hooks:
  onCIFailure: {comment: "The checks of ${{ repository.name }} fail.", labels: [checks-failed], draft: true}
  onMergeConflict: {rerun: true}
schedule: "0 6 * * *"
importChangesets: [{repository: acme/api, externalIDs: [12]}]
notifications:
  - slack: {url: {secret: slack-releases}}
    when: [runCompleted, allMerged]
  - webhook: {url: {secret: hook-url}, signWith: {secret: hook-key}}
    when: runFailed
  - email: {to: [platform@acme.example, lead@acme.example]}
"""


@pytest.fixture
def complete() -> str:
    """The document."""
    return COMPLETE
