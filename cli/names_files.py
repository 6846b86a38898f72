"""Files of repositories' names: what `file:` entries of a spec stand for is put into the spec before it is sent.

The names come onto the line where `file:` stood, so that every other line keeps its number.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from pydantic import ValidationError

from shared.domain.spec import RepositoriesEntry
from shared.domain.yaml_tree import InvalidYaml, Node, parse_documents
from shared.errors import Problem

from .failures import CommandFailed, ExitCode, problem_line

_COMMENT = re.compile(r"(^|\s)#.*")
_SHOWN_PROBLEMS = 20


def with_names(document: str, *, folder: Path, read: Callable[[Path], str]) -> str:
    """The document with `repositories: […]` for each `file:` of its `on`; files are looked for in `folder`.

    Raises `CommandFailed` with file and line of each name that is wrong. What is no spec is left as it is.
    """
    for key, value in reversed(_file_entries(document)):
        file = folder / str(value.value)
        names = parse_names(read(file), file=str(file))
        document = f"{document[: key.start]}repositories: {json.dumps(names)}{document[value.end :]}"
    return document


def _file_entries(document: str) -> Sequence[tuple[Node, Node]]:
    """Key and value of each `file:` in `on`, also within `exclude:`, in the order of the text."""
    try:
        roots = parse_documents(document)
    except InvalidYaml:
        return ()  # the spec's own check tells where
    on = roots[0].child("on") if roots else None
    return [pair for entry in on.target.items for pair in _file_of(entry)] if on else ()


def _file_of(entry: Node) -> Iterator[tuple[Node, Node]]:
    for key, value in entry.entries:
        if key.value == "exclude":
            yield from _file_of(value)
        elif key.value == "file" and value.kind == "scalar" and not value.alias_of and value.style not in ("|", ">"):
            yield key, value


def parse_names(text: str, *, file: str) -> list[str]:
    """The names of a file, one a line, each once; `#` at a line's begin or after a space begins a comment.

    Raises `CommandFailed`.
    """
    names: dict[str, None] = {}
    problems: list[Problem] = []
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        name = _COMMENT.sub("", line).strip()
        if not name:
            continue
        if problem := _problem(name):
            problems.append(Problem(problem, line=number))
        names[name] = None
    if problems or not names:
        raise _failure(problems, file)
    return list(names)


def _problem(name: str) -> str | None:
    try:
        RepositoriesEntry(repositories=(name,))
    except ValidationError as error:
        [first, *_] = error.errors(include_url=False)
        if first["type"] == "string_pattern_mismatch":
            return f"{name!r} is neither owner/name nor owner/name@branch"
        return f"{name!r}: the branch {first['msg']}"
    return None


def _failure(problems: Sequence[Problem], file: str) -> CommandFailed:
    if not problems:
        return CommandFailed(f"{file} has no names of repositories", exit_code=ExitCode.BAD_INPUT)
    lines = [f"{file}: {len(problems)} of its names are wrong" if len(problems) > 1 else f"{file}: a name is wrong"]
    lines += [problem_line(problem, file) for problem in problems[:_SHOWN_PROBLEMS]]
    return CommandFailed("\n".join(lines), exit_code=ExitCode.BAD_INPUT)
