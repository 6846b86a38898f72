"""`repository.search_result_paths` and its like: lists of files, which a script finds by itself in the working copy."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

from pygments.lexers import get_lexer_by_name  # pyright: ignore[reportUnknownVariableType]
from pygments.util import ClassNotFound

from .queries import Query, literal_of

_CHANGED = {"modified_files": "M", "added_files": "A", "deleted_files": "D"}
_DIGITS = {r"\d": "[0-9]", r"\D": "[^0-9]"}


def shell_list(name: str, separator: str) -> str:
    """What stands for a list of files in a script: its variable, joined by a text."""
    if separator == "\n":
        return f"${{{name}}}"
    if separator == " ":
        return f"$(echo ${{{name}}})"
    return f"$(printf '%s' \"${{{name}}}\" | paste -sd {shlex.quote(separator)} -)"


def assignment(name: str, queries: Sequence[Query]) -> str:
    """The line of a script that finds the files."""
    if name in _CHANGED:
        return f"{name}=$(git diff --name-only --diff-filter={_CHANGED[name]} HEAD)"
    commands = [_grep(query, texts) for query in queries for texts in query.alternatives or [[]]]
    found = f"{{ {'; '.join(commands)}; }}" if len(commands) != 1 else commands[0]
    return f"{name}=$({found} | sed 's|^\\./||' | sort -u)" if commands else f"{name}="


def _grep(query: Query, texts: list[str]) -> str:
    case = "" if query.case_sensitive else "i"
    where = " ".join(["--exclude-dir=.git", *_names(query)])
    if query.regexp:
        pattern = re.sub(r"\\[dD]", lambda match: _DIGITS[match[0]], query.regexp)
        return f"grep -rlI{case}E {where} -e {shlex.quote(pattern)} ."
    first, *others = texts or [""]
    command = f"grep -rlI{case}F {where} -e {shlex.quote(first)} ."
    for text in others:
        command += f" | tr '\\n' '\\0' | xargs -0 -r grep -lI{case}F -e {shlex.quote(text)}"
    return command


def _names(query: Query) -> list[str]:
    """Options of grep for the files that are looked at."""
    globs = [glob for language in query.languages for glob in _globs(language)]
    for pattern in query.files:
        literal = literal_of(pattern.replace("\\/", "/"), anchors=True)
        if literal and not literal.endswith("/"):
            name = literal.rpartition("/")[2]
            globs.append(name if pattern.startswith("^") or "/" in literal else f"*{name}*")
    options = [f"--include={shlex.quote(glob)}" for glob in globs]
    for pattern in query.excluded_files:
        literal = literal_of(pattern, anchors=True)
        if literal and pattern.endswith("$"):
            options.append(f"--exclude={shlex.quote(f'*{literal}')}")
        elif literal:
            options += [f"--exclude-dir={shlex.quote(literal.strip('/'))}", f"--exclude={shlex.quote(f'*{literal}*')}"]
    return options


def _globs(language: str) -> list[str]:
    try:
        lexer = get_lexer_by_name({"hcl": "terraform", "shell": "bash"}.get(language.lower(), language.lower()))
    except ClassNotFound:
        return []
    return list(lexer.filenames)
