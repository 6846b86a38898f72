"""Files of names: put into the spec where they were named, with every line where it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.failures import CommandFailed, ExitCode
from cli.names_files import parse_names, with_names
from cli.specs import read_spec
from shared.domain.spec import ExcludeEntry, RepositoriesEntry

SPEC = """version: 1
name: bump-go
on:
  - file: names.txt  # ours
  - exclude: {file: "not these.txt"}
  - org: acme
where:
  - {file: go.mod, exists: true}
steps:
  - edit: {write: {path: NOTICE, content: hello}}
changesetTemplate:
  title: Add a notice
  body: Because.
  branch: octobatch/notice
  commit: {message: Add a notice}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "names.txt").write_text("# a comment\nacme/api\n\nacme/web@release-1 # the old one\nacme/api\n")
    (tmp_path / "not these.txt").write_text("acme/legacy@feature#1")
    (tmp_path / "spec.yaml").write_text(SPEC)
    return tmp_path


def test_names_stand_where_their_file_was_named(folder: Path) -> None:
    document, spec = read_spec(folder / "spec.yaml")
    assert spec.on[0] == RepositoriesEntry(repositories=("acme/api", "acme/web@release-1"))
    assert spec.on[1] == ExcludeEntry.model_validate({"exclude": {"repositories": ["acme/legacy@feature#1"]}})
    lines, before = document.splitlines(), SPEC.splitlines()
    assert lines[3] == '  - repositories: ["acme/api", "acme/web@release-1"]  # ours'
    assert lines[:3] + lines[5:] == before[:3] + before[5:]


def test_a_wrong_name_is_told_with_its_file_and_line(folder: Path) -> None:
    (folder / "names.txt").write_text("acme/api\nacme\nacme/web@a..b\n")
    with pytest.raises(CommandFailed) as caught:
        read_spec(folder / "spec.yaml")
    assert caught.value.exit_code is ExitCode.BAD_INPUT
    assert f"{folder}/names.txt:2: 'acme' is neither owner/name" in caught.value.message
    assert f"{folder}/names.txt:3: 'acme/web@a..b': the branch" in caught.value.message


def test_a_file_without_names_and_one_that_is_missing_are_told(folder: Path) -> None:
    with pytest.raises(CommandFailed, match="has no names"):
        parse_names("# nothing\n", file="names.txt")
    (folder / "names.txt").unlink()
    with pytest.raises(CommandFailed, match=r"names\.txt cannot be read"):
        read_spec(folder / "spec.yaml")


@pytest.mark.parametrize("document", ["", "on: x", "on: [", "on: [1, [2], {file: [a]}]", "- 1"])
def test_what_is_no_spec_is_left_as_it_is(document: str) -> None:
    assert with_names(document, folder=Path(), read=lambda _: "acme/api") == document
