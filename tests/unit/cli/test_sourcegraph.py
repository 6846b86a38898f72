"""Batch specs of Sourcegraph's: what they do is done by the campaign spec, and what is not is said with its line."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from cli.sourcegraph import import_batch_spec
from cli.sourcegraph.expressions import Place
from cli.sourcegraph.found_files import assignment
from cli.sourcegraph.go_templates import NotUnderstood
from cli.sourcegraph.mounts import read_beside
from cli.sourcegraph.queries import Query, read_query
from cli.sourcegraph.selecting import entries_of
from cli.sourcegraph.templates import carry_condition, carry_template
from shared.domain.expressions import fill_in
from shared.domain.spec import (
    CampaignSpec,
    CodeSearchEntry,
    ExcludeEntry,
    InstallationEntry,
    Published,
    RepositoryEntry,
    RunStep,
    parse_spec,
)

SPEC = r"""version: 2
name: Retire_Left.Pad
description: Nobody pads by hand
on:
  - repositoriesMatchingQuery: lang:javascript "left-pad" file:package\.json$ repo:^github\.com/acme/ -repo:legacy
  - repository: github.com/acme/mono
    branches: [main, release-1]
  - repository: gitlab.com/acme/elsewhere
steps:
  - run: |
      sh /tmp/fix.sh ${{ join repository.search_result_paths " " }}
    container: node:22
    env:
      - LEVEL: ${{ batch_change.name }}
      - NPM_TOKEN
    files:
      /tmp/fix.sh: sed -i /left-pad/d "$@"
    outputs:
      kind: {value: "${{ step.stdout }}", format: text}
  - run: prettier ${{ join previous_step.modified_files " " }}; echo ${{ previous_step.stdout }} > ${{ steps.path }}/x
    container: prettier
    if: ${{ and (matches repository.name "github.com/acme/*") (eq outputs.kind "npm") }}
    mount: [{path: ./rules, mountpoint: /etc/rules}]
  - run: echo ${{ html "a" }}
    container: alpine
changesetTemplate:
  title: ${{ if eq outputs.kind "npm" }}npm{{ else }}no left-pad${{ end }}
  body: |
    ${{ batch_change_link }}
    ${{ range $i, $file := steps.modified_files }}- ${{ $file }}${{ end }}
  branch: no-left-pad
  fork: true
  commit: {message: No left-pad, author: {name: Ann, email: ann@example.com}}
  published: ["*": draft, "github.com/acme/api": true, "github.com/acme/mono@x": true]
transformChanges:
  group:
    - {directory: web, branch: no-left-pad-web, repository: github.com/acme/mono}
    - {directory: web/admin, branch: no-left-pad-admin, title: "Of ${{ steps.path }}"}
workspaces: [{rootAtLocationOf: package.json, in: "github.com/acme/mono"}]
importChangesets: [{repository: github.com/acme/api, externalIDs: [12, "13"]}]
unheard: of
"""


@pytest.fixture
def imported(tmp_path: Path) -> tuple[CampaignSpec, dict[int, str]]:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "base.json").write_text('{"a": "${{ b }}"}')
    result = import_batch_spec(SPEC, read=read_beside(tmp_path))
    said: dict[int, str] = {}
    for note in result.notes:
        said[note.line] = said.get(note.line, "") + note.message + "\n"
    return parse_spec(result.document), said


def test_each_part_is_carried_over(imported: tuple[CampaignSpec, dict[int, str]]) -> None:
    spec, _ = imported
    assert spec.name == "retire-left-pad"
    search, excluded, mono = spec.on
    assert isinstance(search, CodeSearchEntry)
    assert search.code_search == 'org:acme language:javascript filename:package.json "left-pad"'
    assert isinstance(excluded, ExcludeEntry)
    assert isinstance(excluded.exclude, InstallationEntry)
    assert excluded.exclude.repo_include == "legacy"
    assert isinstance(mono, RepositoryEntry)
    assert (mono.repository, mono.branches) == ("acme/mono", ("main", "release-1"))
    assert spec.published_for("acme/api") is Published.OPEN
    assert spec.published_for("acme/mono") is Published.DRAFT
    assert spec.transform_changes
    assert [group.directory for group in spec.transform_changes.group] == ["web/admin", "web"]
    assert spec.transform_changes.group[0].title == "Of web/admin"
    assert spec.workspaces[0].repositories == ("acme/mono",)
    assert spec.import_changesets[0].external_ids == (12, 13)
    assert spec.changeset_template.body.startswith("${{ campaign.link }}")


def test_steps_do_what_they_did(imported: tuple[CampaignSpec, dict[int, str]]) -> None:
    spec, _ = imported
    first, second, third = spec.steps
    assert isinstance(first, RunStep)
    assert isinstance(second, RunStep)
    assert isinstance(third, RunStep)
    assert first.run.splitlines()[0] == "cp fix.sh /tmp/fix.sh"
    assert first.secrets_of_env == {"NPM_TOKEN": "NPM_TOKEN"}
    assert first.container == "node:22"
    assert second.condition == '${{ matches(repository.name, "acme/*") and (outputs.kind == "npm") }}'
    assert "${{ steps[0].stdout }} > ${{ workspace.path }}/x" in second.run
    assert "mkdir -p /etc/rules && cp base.json /etc/rules/base.json" in second.run
    assert fill_in(second.files["base.json"], {}) == '{"a": "${{ b }}"}'
    assert "exit 1" in third.run, "a step that would do something else fails"


def test_what_is_not_carried_is_said_with_its_line(imported: tuple[CampaignSpec, dict[int, str]]) -> None:
    _, said = imported
    lines = SPEC.splitlines()

    def told(begin: str) -> str:
        return said[next(number for number, line in enumerate(lines, 1) if line.strip().startswith(begin))]

    assert "the name is retire-left-pad" in told("name:")
    assert "another host" in told("- repository: gitlab")
    assert "a secret of the workers" in told("- NPM_TOKEN")
    assert "no function like html" in told("- run: echo ${{ html")
    assert "steps.modified_files" in told("body:")
    assert "fork is left out" in told("fork:")
    assert "author is left out" in told("commit:")
    assert "rule for the branch x" in told("published:")
    assert "unheard is left out" in told("unheard:")


def test_steps_run_on_the_workers_where_that_is_wanted(tmp_path: Path) -> None:
    imported = import_batch_spec(SPEC, read=read_beside(tmp_path), with_containers=False)
    assert not [step for step in parse_spec(imported.document).steps if isinstance(step, RunStep) and step.container]


NAMES: dict[str, Any] = {
    "repository": {"name": "acme/api", "owner": "acme", "branch": "main"},
    "outputs": {"kind": "npm", "none": "", "list": ["a", "b"], "deep": {"er": 1}},
    "steps": [{"stdout": "first"}],
}


@pytest.mark.parametrize(
    ("go", "text"),
    [
        ('${{ if eq outputs.kind "npm" "yarn" }}yes${{ else }}no${{ end }}', "yes"),
        (
            '${{ if eq outputs.kind "go" }}1${{ else if outputs.none }}2${{ else }}3 ${{ outputs.kind }}${{ end }}',
            "3 npm",
        ),
        ('${{ join_if "-" "a" outputs.none (replace "b/c" "/" "-") }}', "a-b-c"),
        ("${{ range $i, $each := outputs.list }}- ${{ $each }}\n${{ end }}", "- a\n- b\n"),
        ("${{ range outputs.list }}${{ . }};${{ end }}", "a;b;"),
        ('${{ index (split repository.name "/") 1 }}', "acme"),
        ('${{ index (split repository.name "/") 2 }}', "api"),
        ('${{ split repository.name "/" | len }}', "2"),
        ('${{ printf "%s is %d%%" outputs.kind 5 }}', "npm is 5%"),
        ("${{ $k := outputs.kind }}${{ $k }}${{/* of no use */}}", "npm"),
        ("a ${{- outputs.deep.er -}} b", "a1b"),
        ('${{ ne repository.name "github.com/acme/api" }}', "false"),
        ('${{ "${{ leave me alone! }}" }}', "${{ leave me alone! }}"),
        ("${{ gt (len outputs.list) 1 }}", "true"),
        ("${{ not (or outputs.none outputs.kind) }}", "false"),
    ],
)
def test_a_template_says_the_same_in_our_words(go: str, text: str) -> None:
    assert fill_in(carry_template(go, Place(step=1)), NAMES) == text


def test_a_step_that_ran_only_where_its_condition_was_true_still_does() -> None:
    place = Place(step=1)
    assert carry_condition("random text", place) is False
    assert carry_condition("true", place) is True
    for value, expected in (("true\n", "true"), ("yes", "false"), (True, "true"), ("", "false")):
        condition = carry_condition("${{ outputs.x }}", place)
        assert isinstance(condition, str)
        assert fill_in(condition, {"outputs": {"x": value}}) == expected


@pytest.mark.parametrize("wrong", ["${{ if x }}a", "${{ nope }}", "${{ eq 1 }}", "${{ (len }}", "${{ a b }}", "${{ x"])
def test_what_is_not_understood_is_not_guessed(wrong: str) -> None:
    with pytest.raises(NotUnderstood):
        carry_template(wrong, Place(step=0))


def _query(text: str, *, by_keywords: bool = False) -> tuple[Query, list[Any], list[str]]:
    said: list[str] = []
    query = read_query(text, by_keywords=by_keywords, say=said.append)
    return query, entries_of(query, said.append), said


OLD = {"exclude": {"installation": "*", "repo-include": "old"}}


@pytest.mark.parametrize(
    ("search", "entries"),
    [
        (
            "grey OR gray lang:markdown -file:vendor",
            [{"codeSearch": f'language:markdown "{c}"'} for c in ("grey", "gray")],
        ),
        (r"repo:^github\.com/acme/api$", [{"repository": "acme/api"}]),
        (r"repo:acme\/(api|web)$", [{"org": "acme", "repo-include": "^(api|web)$"}]),
        ("repo:service archived:yes", [{"installation": "*", "repo-include": "service"}]),
        (
            "repo:has.topic(backend) visibility:private",
            [{"installation": "*", "topic": ["backend"], "visibility": "private"}],
        ),
        (r"repo:has.path(\.php$)", [{"codeSearch": "extension:php"}]),
        (r"file:^\.github/workflows/ci\.yml$", [{"codeSearch": "filename:ci.yml path:/.github/workflows"}]),
        ('print(":[x]") patterntype:structural r:acme/', [{"codeSearch": 'org:acme "print("'}]),
        ("repo:^gitlab.com/acme", []),
        (r"repo:github.com/acme|github.com/acme-ci -r:old", [{"org": "acme"}, OLD, {"org": "acme-ci"}]),
    ],
)
def test_a_search_finds_the_same_repositories(search: str, entries: list[Any]) -> None:
    assert _query(search)[1] == entries


def test_a_script_finds_the_files_that_the_search_found(tmp_path: Path) -> None:
    for name, text in {
        "a b.js": "LEFT-pad x",
        "c.js": "left-pad x",
        "d.py": "left-pad x",
        "e.js": "left-pad y",
    }.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "vendor").mkdir()
    (tmp_path / "vendor/f.js").write_text("left-pad x")
    query, _, _ = _query("left-pad x lang:javascript -file:vendor", by_keywords=True)
    line = assignment("search_result_paths", [query])
    found = subprocess.run(
        ["sh", "-c", f'{line}\nprintf %s "$search_result_paths"'],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.splitlines() == ["a b.js", "c.js"]
