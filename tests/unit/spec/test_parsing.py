"""Every mistake in a spec is named with its line, and with what to do where that can be known."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.domain.spec import Published, RunStep, parse_spec
from shared.errors import InvalidSpec


def problems(document: str) -> list[tuple[int | None, str, str, str]]:
    """Line, path, message and hint of each problem of a document."""
    with pytest.raises(InvalidSpec) as raised:
        parse_spec(document)
    return [(each.line, each.path, each.message, each.hint) for each in raised.value.problems]


def test_a_spec_with_every_field_is_read(complete: str) -> None:
    spec = parse_spec(complete)
    assert spec.name == "bump-go"
    assert spec.runs_code
    run = spec.steps[-1]
    assert isinstance(run, RunStep)
    assert run.timeout == timedelta(minutes=10)
    assert run.max_attempts == 2
    assert spec.skip.repos == ("acme/old-*",)


MINIMAL = """version: 1
name: x
on: [{org: acme}]
steps: [{edit: {delete: {path: a}}}]
changesetTemplate: {title: T, branch: b, commit: {message: M}}
"""


def test_what_is_not_said_has_the_documented_default() -> None:
    spec = parse_spec(MINIMAL)
    assert spec.skip.archived
    assert spec.skip.forks
    assert spec.limit == 0
    assert spec.published_for("acme/any") is Published.OPEN
    assert not spec.runs_code


# what is replaced in the complete spec, by what → line, path, a part of the message, a part of the hint
MISTAKES = [
    ("version: 1\n", "version: 2\n", 1, "version", "must be 1", ""),
    ("version: 1\n", "version: '1'\n", 1, "version", "must be 1", ""),
    ("name: bump-go", "nmae: bump-go", 2, "nmae", "unknown key nmae", "did you mean name?"),
    ("name: bump-go", "name: Bump Go", 2, "name", "must match", ""),
    ("description: Move", "description: 7 #", 3, "description", "must be text; put it in quotes", ""),
    ('"^svc-"', '"^(svc-"', 8, "on.1.repo-include", "missing ) at character 1", ""),
    ('"^svc-"', '"x(?!y)"', 8, "on.1.repo-include", "at character 2: (?!; RE2 has no look-around", ""),
    ("repo-include", "repo-inclde", 8, "on.1.repo-inclde", "unknown key", "did you mean repo-include?"),
    ("repo-include: ", "repository: ", 8, "on.1.repository", "cannot stand here", ""),
    ("- repositoriesMatchingQuery:", "- file:", 5, "on.0", "where only the command line can read it", "repositories:"),
    ("- repositoriesMatchingQuery:", "- query:", 5, "on.0", "must have one of the keys repositoriesMatching", ""),
    ("acme/api\n", "acme\n", 10, "on.2.repository", "must match", ""),
    ("branches: [main, release-1]", "branches: main", 11, "on.2.branches", "must be a list", ""),
    ("[main, release-1]", "[main, 'a..b']", 11, "on.2.branches.1", "must not have ..", ""),
    ("topic: [backend]", "topic: [1]", 7, "on.1.topic.0", "must be text", ""),
    ("acme/old-*", "'acme/{old'", 12, "skip.repos.0", "a brace { of the glob is not closed", ""),
    ("limit: 0", "limit: -1", 13, "limit", "must be at least 0", ""),
    ("limit: 0", "limit: true", 13, "limit", "must be a whole number", ""),
    ("pattern:", "patern:", 15, "steps.0.edit.replace.patern", "unknown key", "did you mean pattern?"),
    ('with: "go 1.23"', r"with: '\3'", 15, "steps.0.edit.replace.with", r"\3 names a group", ""),
    ('with: "go 1.23"', r"with: '\q'", 15, "steps.0.edit.replace.with", r"\q is neither a group", ""),
    ("jobs.*.", "jobs..*.", 16, "steps.1.edit.yaml.set.", "is wrong at character 6", ""),
    ("{write:", "{wirte:", 17, "steps.2.edit", "must have one of the keys replace, write", ""),
    ('path: "CODEOWNERS"', 'path: "../CODEOWNERS"', 17, "steps.2.edit.write.path", "must be a path in the repo", ""),
    ('path: "CODEOWNERS"', "path: /etc/passwd", 17, "steps.2.edit.write.path", "must be a path in the repo", ""),
    ('path: "CODEOWNERS"', 'path: ".git/config"', 17, "steps.2.edit.write.path", "must not be in .git", ""),
    ('path: "CODEOWNERS"', 'path: "a/.GIT/x"', 17, "steps.2.edit.write.path", "must not be in .git", ""),
    ("  - run: ./fix", "  - edit: {delete: {path: a}}\n    run: ./fix", 24, "steps.7.run", "cannot stand here", ""),
    ("  - run: ./fix", "  - rnu: ./fix", 23, "steps.7", "must have the key edit or run", ""),
    ("repository.name }}\n", "repository.nmae }}\n", 23, "steps.7.run", "repository has no nmae", "did you mean name?"),
    ("matches(repo", "match(repo", 24, "steps.7.if", "the only functions are matches", ""),
    ('V: "1.23"', "V: 1.23", 25, "steps.7.env.V", "must be text; put it in quotes", ""),
    ('V: "1.23"', '"1V": x', 25, "steps.7.env.1V", "the key must match", ""),
    ("env.V", "env.W", 26, "steps.7.files.fix.sh", "env has no W", "known: V"),
    ("files: {fix.sh", "files: {../fix.sh", 26, "steps.7.files.../fix.sh", "the key must match", ""),
    ("format: text", "format: xml", 27, "steps.7.outputs.ver.format", "must be text, json or yaml", ""),
    ("step.stdout", "stdout", 27, "steps.7.outputs.ver.value", "there is no variable stdout", ""),
    ("timeout: 10m", "timeout: 10", 28, "steps.7.timeout", "must be a duration such as", ""),
    ("timeout: 10m", "timeout: 3h", 28, "steps.7.timeout", "at most 2h", ""),
    ("maxAttempts: 2", "maxAttempts: 9", 29, "steps.7.maxAttempts", "must be at most 5", ""),
    ("changesetTemplate:", "changeset_template:", 32, "changeset_template", "", "did you mean changesetTemplate?"),
    ("outputs.ver }}\n", "outputs.vre }}\n", 33, "changesetTemplate.title", "outputs has no vre", "did you mean ver?"),
    ("steps[7]", "steps[8]", 36, "changesetTemplate.commit.message", "steps has no element 8", "has 8 steps"),
    ("campaign.link", "campaign.url", 34, "changesetTemplate.body", "campaign has no url", "name, description, link"),
    ("octobatch/bump-go", "octobatch/bump go", 35, "changesetTemplate.branch", "must not have spaces", ""),
    ("octobatch/bump-go", "x/${{ outputs.ver }}", 35, "changesetTemplate.branch", "no variable outputs", ""),
    ("draft}", "drafty}", 37, "changesetTemplate.published", "must be true, false, draft", ""),
    ("[dependencies]", "['a,b']", 38, "changesetTemplate.labels.0", "must match", ""),
    ("max: 3", "max: 1", 33, "changesetTemplate", "names 2 users and teams, more than its max of 1", ""),
    ("max: 3", "max: 16", 40, "changesetTemplate.reviewers.max", "must be at most 15", ""),
    ("acme/platform]", "platform]", 40, "changesetTemplate.reviewers.teams.0", "must match", ""),
    ("conflictStrategy: rebase", "conflictStrategy: retry", 41, "changesetTemplate.conflictStrategy", "skip, rep", ""),
    ("autoMerge: squash", "autoMerge: yes", 43, "changesetTemplate.autoMerge", "must be none, merge, squash or", ""),
    ("onError: continue", "onError: stop", 44, "onError", "must be continue, fail-fast, or {maxFailures: N}", ""),
    ("rootAtLocationOf: go.mod", "rootAtLocationOf: a/go.mod", 45, "workspaces.0.rootAtLocationOf", "must match", ""),
    ("splitBy: codeowners", "splitBy: owner", 48, "transformChanges.splitBy", "must be codeowners", ""),
    ('outputs.ver }}", in', 'outputs.vre }}", in', 47, "transformChanges.group.0.title", "no vre", ""),
    ("10/hour", "10/week", 53, "rollout.windows.0.rate", "must be 0, unlimited, or a rate such as 10/hour", ""),
    ("monday, friday", "mon", 53, "rollout.windows.0.days", "must be days such as monday, not 'mon'", ""),
    ('"08:00"', '"8:00"', 53, "rollout.windows.0.start", "must be a time of day in UTC in quotes", ""),
    ("percent: 5,", "percent: 100,", 50, "rollout", "must be more than that of the one before", ""),
    ("{percent: 100}", "{percent: 50}", 50, "rollout", "the last wave must have percent: 100", ""),
    ("merged: 0.9", "merged: 90", 55, "rollout.waves.0.gate.merged", "must be at most 1", ""),
    ('comment: "The', 'coment: "The', 57, "hooks.onCIFailure.coment", "unknown key", "did you mean comment?"),
    ("of ${{ repository.name", "of ${{ outputs.ver", 57, "hooks.onCIFailure.comment", "no variable outputs", ""),
    ("0 6 * * *", "0 6 * *", 59, "schedule", "is no cron string: it has 4 fields", ""),
    ("externalIDs: [12]", "externalIDs: [0]", 60, "importChangesets.0.externalIDs.0", "must be at least 1", ""),
    ("[runCompleted, allMerged]", "[runCompleted, done]", 63, "notifications.0.when", "must be previewReady, run", ""),
    ("{secret: slack-releases}", "https://x.example/y", 62, "notifications.0.slack.url", "must be a mapping", ""),
    (", signWith: {secret: hook-key}", "", 64, "notifications.1.webhook.signWith", "is missing", ""),
    ("  - email:", "  - pager:", 66, "notifications.2", "must have one of the keys slack, webhook and email", ""),
    ("lead@acme.example]", "lead]", 66, "notifications.2.email.to.1", "must match", ""),
    ("secret: npm-token", "secret: ../x", 25, "steps.7.env.TOKEN", "must match", ""),
    ("golang:1.23", "'golang 1.23'", 31, "steps.7.container", "must match", ""),
]


@pytest.mark.parametrize(("old", "new", "line", "path", "message", "hint"), MISTAKES)
def test_a_mistake_is_named_with_its_line(
    complete: str, old: str, new: str, line: int, path: str, message: str, hint: str
) -> None:
    assert old in complete
    found = problems(complete.replace(old, new, 1))
    assert any(
        at == line and where.startswith(path) and message in said and hint in advice
        for at, where, said, advice in found
    ), found


def test_every_problem_is_reported_in_one_go(complete: str) -> None:
    document = (
        complete.replace("limit: 0", "limit: x").replace("timeout: 10m", "timeout: x").replace("onError", "onEror")
    )
    assert [line for line, *_ in problems(document)] == [13, 28, 44]


def test_a_mistake_inside_a_block_of_text_is_named_with_its_own_line() -> None:
    document = MINIMAL.replace(
        "steps: [{edit: {delete: {path: a}}}]\n",
        "steps:\n  - run: |\n      echo one\n      echo ${{ repository.nme }}\n",
    )
    assert problems(document)[0][:2] == (7, "steps.0.run")


def test_a_later_step_sees_outputs_that_an_earlier_step_does_not() -> None:
    steps = """steps:
  - run: echo ${{ outputs.b }}
    outputs: {a: {value: x}}
  - run: echo ${{ outputs.a }}
    outputs: {b: {value: x}}
"""
    found = problems(MINIMAL.replace("steps: [{edit: {delete: {path: a}}}]\n", steps))
    assert [(line, path) for line, path, *_ in found] == [(5, "steps.0.run")]


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("", "a spec is one YAML document"),
        ("- a", "a spec is one YAML document"),
        (MINIMAL + "---\n" + MINIMAL, "a spec is one YAML document"),
        ("a: [", "flow node"),
        ("name: x\nname: y", "'name' is there twice"),
        ("a: " + "[" * 1000, "nested deeper"),
        ("a: *b", "no anchor &b"),
        ("a: &a [*a]", "no anchor &a"),
        ("? [a]\n: b", "a key must be plain text"),
        ("a: \0", "special characters"),
        ("x" * 600_000, "more than 512 KiB"),
    ],
)
def test_text_that_is_no_spec_is_refused_in_plain_words(document: str, message: str) -> None:
    assert message in problems(document)[0][2]


def test_a_document_that_grows_by_its_aliases_is_refused() -> None:
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    assert "aliases included" in problems("\n".join(rows))[0][2]


def test_tags_make_no_objects() -> None:
    document = MINIMAL.replace("title: T", "title: !!python/object/apply:os.system [id]")
    assert problems(document)[0][1] == "changesetTemplate.title"


@pytest.mark.parametrize(
    ("published", "expected"),
    [
        ("true", {"acme/api": "true", "b/c": "true"}),
        ("false", {"acme/api": "false"}),
        ("draft", {"acme/api": "draft"}),
        ("[{'*': true}, {'acme/*': draft}]", {"acme/api": "draft", "b/c": "true"}),
        ("[{'acme/*': draft}, {'acme/api': true}]", {"acme/api": "true", "acme/x": "draft", "b/c": "false"}),
        ("[{'acme/{api,web}': true}]", {"acme/api": "true", "acme/web": "true", "acme/x": "false"}),
    ],
)
def test_the_last_match_decides_what_is_published(published: str, expected: dict[str, str]) -> None:
    spec = parse_spec(MINIMAL.replace("title: T,", f"title: T, published: {published},"))
    assert {name: spec.published_for(name).value for name in expected} == expected
