"""Two versions of a spec: the lines that differ, and what that means for a campaign."""

from __future__ import annotations

import pytest

from shared.domain.spec.differences import ChangedPart, compare_documents

SPEC = """version: 1
name: bump-go
on:
  - org: acme
steps:
  - run: ./one.sh
  - run: ./two.sh
changesetTemplate:
  title: Bump Go
  branch: octobatch/bump-go
  commit: {message: Bump Go}
"""


def _compare(*replacements: tuple[str, str]) -> dict[ChangedPart, str]:
    changed = SPEC
    for old, new in replacements:
        assert old in changed
        changed = changed.replace(old, new)
    found = compare_documents(SPEC, changed, names=("a", "b"))
    assert found.lines.startswith("--- a\n+++ b\n")
    assert found.changes is not None
    return {change.part: change.meaning for change in found.changes}


@pytest.mark.parametrize(
    ("old", "new", "part", "meaning"),
    [
        ("org: acme", "org: acme2", ChangedPart.SELECTION, "on: other"),
        ("./two.sh", "./2.sh", ChangedPart.STEPS, "from step 2 of 2 on"),
        ("./one.sh", "./1.sh", ChangedPart.STEPS, "from the first on"),
        ("  - run: ./two.sh\n", "", ChangedPart.STEPS, "the last 1 of 2 are gone"),
        ("./two.sh\n", "./two.sh\n  - run: ./three.sh\n", ChangedPart.STEPS, "from step 3 of 3 on"),
        ("title: Bump Go", "title: Bump", ChangedPart.TEXTS, "title: of pull"),
        ("octobatch/bump", "ob/bump", ChangedPart.BRANCH, "octobatch/bump-go becomes ob/bump-go"),
        ("  title:", "  labels: [go]\n  title:", ChangedPart.PUBLISHING, "labels: how"),
        ("steps:", "onError: fail-fast\nrollout: {maxOpen: 5}\nsteps:", ChangedPart.ROLLOUT, "rollout and onError: "),
        (
            "steps:",
            "importChangesets: [{repository: a/b, externalIDs: [1]}]\nsteps:",
            ChangedPart.FOLLOWING,
            "import",
        ),
    ],
)
def test_a_change_is_told_by_what_it_means(old: str, new: str, part: ChangedPart, meaning: str) -> None:
    found = _compare((old, new))
    assert list(found) == [part]
    assert found[part].startswith(meaning)


def test_several_parts_are_told_in_the_order_of_a_run() -> None:
    found = _compare(("title: Bump Go", "title: Bump"), ("org: acme", "org: acme2"), ("./one.sh", "./1.sh"))
    assert list(found) == [ChangedPart.SELECTION, ChangedPart.STEPS, ChangedPart.TEXTS]


def test_a_comment_means_nothing() -> None:
    assert _compare(("version: 1", "version: 1  # the first")) == {}


def test_the_same_text_has_no_lines() -> None:
    assert compare_documents(SPEC, SPEC, names=("a", "b")).lines == ""


def test_what_is_no_valid_spec_any_more_has_lines_only() -> None:
    found = compare_documents("version: 0\n", SPEC, names=("a", "b"))
    assert found.changes is None
    assert "-version: 0" in found.lines
