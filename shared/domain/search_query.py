"""What is wrong with a search before GitHub is asked: it answers many mistakes with nothing found. Pure.

Sources: docs.github.com "Searching for repositories", "Searching code (legacy)", "Troubleshooting search queries" (256
characters, five AND, OR or NOT).
"""

from __future__ import annotations

import difflib
import re

LONGEST = 256
MOST_OPERATORS = 5

REPOSITORY_QUALIFIERS = frozenset(
    {
        "archived", "created", "followers", "fork", "forks", "good-first-issues", "has", "help-wanted-issues", "in",
        "is", "language", "license", "mirror", "org", "owner", "pushed", "repo", "size", "sort", "stars", "template",
        "topic", "topics", "updated", "user", "visibility",
    }
)  # fmt: skip
CODE_QUALIFIERS = frozenset(
    {"extension", "filename", "fork", "in", "is", "language", "org", "owner", "path", "repo", "size", "user"}
)
_PROPERTY = "props."
_WORD = re.compile(r'(?:[^\s"]|"[^"]*")+')
_QUALIFIER = re.compile(r"-?([A-Za-z][A-Za-z0-9_.-]*):(.*)", re.DOTALL)


def problem_of(query: str, qualifiers: frozenset[str]) -> str | None:
    """What is wrong with a search that knows these qualifiers, and what to do; None where nothing is."""
    if len(query) > LONGEST:
        return f"has {len(query)} characters, and GitHub takes {LONGEST}"
    if query.count('"') % 2:
        return 'has a " without its partner'
    words = _WORD.findall(query)
    operators = [word for word in words if word in {"AND", "OR", "NOT"}]
    if len(operators) > MOST_OPERATORS:
        return f"has {len(operators)} operators (AND, OR, NOT), and GitHub takes {MOST_OPERATORS}: use several entries"
    for word in words:
        if problem := _word_problem(word, qualifiers):
            return problem
    return None


def _word_problem(word: str, qualifiers: frozenset[str]) -> str | None:
    match = _QUALIFIER.fullmatch(word)
    if match is None or match[2].startswith("//"):
        return None
    name = match[1].lower()
    if name not in qualifiers and not name.startswith(_PROPERTY):
        near = difflib.get_close_matches(name, qualifiers, n=1)
        hint = f"did you mean {near[0]}:?" if near else f'put it in quotes if it is text: "{word}"'
        return f"has the qualifier {match[1]}:, which GitHub's search does not know; {hint}"
    return f"has {match[1]}: without a value" if not match[2].strip('"') else None
