"""Sourcegraph's searches, taken apart: filters, and the terms that files must have.

Sources: sourcegraph.com/docs/code-search/queries ("Search query syntax"), batch spec reference (version 1 searches
literally where no pattern type is given, version 2 by keywords).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from .go_templates import NotUnderstood

Say = Callable[[str], None]

_PIECE = re.compile(
    r"""(?P<minus>-?)(?P<name>[A-Za-z]+):(?P<value>"(?:\\.|[^"])*"|'[^']*'|[a-z.]+\((?:[^()]|\([^()]*\))*\)|\S+)(?=\s|$)
    |(?P<quoted>"(?:\\.|[^"\\])+")(?=\s|$)|(?P<word>\S+)""",
    re.VERBOSE,
)
_ALIASES = {
    **dict.fromkeys(("repo", "r"), "repo"),
    **dict.fromkeys(("lang", "l", "language"), "lang"),
    **dict.fromkeys(("file", "f", "path"), "file"),
    **dict.fromkeys(("patterntype", "pattern"), "patterntype"),
    **dict.fromkeys(("rev", "revision"), "rev"),
}
_NARROW_RESULTS = frozenset({"type", "select", "context", "timeout", "stable", "index"})
_LITERAL = re.compile(r"(?:[^\\^$|?*+()\[\]{}]|\\[^A-Za-z0-9])*")
_PREDICATE = re.compile(r"(has\.[a-z]+|contains\.[a-z]+|has)\((.*)\)", re.DOTALL)


@dataclass(kw_only=True)
class Query:
    """A search. `alternatives` are the texts that files must have: all of one of the lists; none where any file does.

    `regexp` is a regular expression in their place. `is_loose` where the texts are less than what was searched for.
    """

    repositories: list[str] = field(default_factory=list[str])
    excluded_repositories: list[str] = field(default_factory=list[str])
    languages: list[str] = field(default_factory=list[str])
    files: list[str] = field(default_factory=list[str])
    excluded_files: list[str] = field(default_factory=list[str])
    topics: list[str] = field(default_factory=list[str])
    lacks_contents: list[str] = field(default_factory=list[str])
    visibility: str = ""
    forks: str = "no"
    archived: str = "no"
    case_sensitive: bool = False
    alternatives: list[list[str]] = field(default_factory=list[list[str]])
    regexp: str = ""
    is_loose: bool = False

    @property
    def narrows_files(self) -> bool:
        """Whether it asks for anything of files."""
        return bool(self.alternatives or self.regexp or self.files or self.languages or self.is_loose)


def read_query(text: str, *, by_keywords: bool, say: Say) -> Query:
    """The search; `say` is told of each part that is left out."""
    query, words = Query(), list[str]()
    pattern_type = "keyword" if by_keywords else "standard"
    for piece in _PIECE.finditer(text):
        name = _ALIASES.get((piece["name"] or "").lower(), (piece["name"] or "").lower())
        value = (piece["value"] or "").strip("\"'")
        if name == "patterntype":
            pattern_type = value.lower()
        elif name in _FILTERS:
            _FILTERS[name](query, value, bool(piece["minus"]), say)
        elif name in _PLAIN_FILTERS:
            _plain(query, name, value, say)
        elif name not in _NARROW_RESULTS:
            words.append(piece[0])
    _read_terms(query, words, pattern_type, say)
    return query


# -- Filters -----------------------------------------------------------------------------------------------


def _repo(query: Query, value: str, minus: bool, say: Say) -> None:
    predicate = _PREDICATE.fullmatch(value)
    if predicate is None:
        value, at, revision = value.partition("@")
        if at:
            say(f"the revision {revision} of the search is left out: repositories are searched on their default branch")
        (query.excluded_repositories if minus else query.repositories).append(value)
        return
    what, argument = predicate[1].replace("contains.", "has."), predicate[2]
    if what == "has.topic" and not minus:
        query.topics.append(argument)
    elif what in ("has.path", "has.file") and not minus:
        query.files.append(argument.removeprefix("path:"))
    elif what == "has.content" and minus:
        query.lacks_contents.append(argument)
    elif what == "has.content":
        query.alternatives.append([argument])
    else:
        say(f"{'-' if minus else ''}repo:{value} is left out: nothing finds repositories by it here")


def _lang(query: Query, value: str, minus: bool, say: Say) -> None:
    if minus:
        say(f"-lang:{value} is left out: it chooses among files, and the steps say which they change")
    else:
        query.languages.append(value)


def _file(query: Query, value: str, minus: bool, say: Say) -> None:
    if _PREDICATE.fullmatch(value):
        say(f"file:{value} is left out: nothing finds files by it here")
    else:
        (query.excluded_files if minus else query.files).append(value)


def _content(query: Query, value: str, minus: bool, say: Say) -> None:
    if minus:
        say(f"-content:{value} is left out: no search for code finds what a file lacks")
    else:
        query.alternatives.append([value])


def _plain(query: Query, name: str, value: str, say: Say) -> None:
    match name:
        case "fork":
            query.forks = value
        case "archived":
            query.archived = value
            if value != "no":
                say("archived repositories are found, and cannot be changed before somebody unarchives them")
        case "visibility":
            query.visibility = "" if value == "any" else value
        case "case":
            query.case_sensitive = value in ("yes", "true")
        case "count" if value != "all":
            say(f"count:{value} is left out: it counts results; limit: takes the first so many repositories here")
        case "rev":
            say(f"rev:{value} is left out: repositories are searched on their default branch")
        case _:
            pass


_FILTERS: dict[str, Callable[[Query, str, bool, Say], None]] = {
    "repo": _repo,
    "lang": _lang,
    "file": _file,
    "content": _content,
}
_PLAIN_FILTERS = frozenset({"fork", "archived", "visibility", "case", "count", "rev"})

# -- Terms -------------------------------------------------------------------------------------------------


def _read_terms(query: Query, words: list[str], pattern_type: str, say: Say) -> None:
    for alternative in _alternatives(words):
        kept = _without_operators(alternative, query, say)
        if not kept:
            continue
        if pattern_type == "structural":
            query.alternatives.append(_fragments(" ".join(kept)))
            query.is_loose = True
        elif pattern_type == "regexp" or (len(kept) == 1 and len(kept[0]) > 2 and kept[0][0] == kept[0][-1] == "/"):
            _read_regexp(query, " ".join(kept).strip("/"))
        elif pattern_type == "keyword":
            query.alternatives.append([_unquoted(word) for word in kept])
        else:
            query.alternatives.append([" ".join(kept)])
    query.alternatives = [texts for texts in query.alternatives if texts]
    if len(query.alternatives) > 1 and query.regexp:
        query.alternatives, query.regexp, query.is_loose = [], "", True


def _alternatives(words: list[str]) -> list[list[str]]:
    found: list[list[str]] = [[]]
    for word in words:
        if word.lower() == "or":
            found.append([])
        else:
            found[-1].append(word)
    return found


def _without_operators(words: list[str], query: Query, say: Say) -> list[str]:
    kept: list[str] = []
    negated = False
    for word in words:
        if word.lower() == "not":
            negated = True
        elif negated:
            say(f"NOT {word} is left out: no search for code finds what a file lacks")
            query.is_loose, negated = True, False
        elif word.lower() != "and":
            kept.append(word)
    return kept


def _unquoted(word: str) -> str:
    return word[1:-1].replace('\\"', '"') if len(word) > 1 and word[0] == word[-1] == '"' else word


def _fragments(structural: str) -> list[str]:
    """The longest text that every match of a structural pattern has."""
    pieces = re.split(r":\[\[?[^\]]*\]?\]|\.\.\.", structural)
    longest = max((piece.strip() for piece in pieces), key=len, default="")
    return [longest] if len(re.findall(r"\w", longest)) > 2 else []


def _read_regexp(query: Query, pattern: str) -> None:
    if literal := literal_of(pattern):
        query.alternatives.append([literal])
    else:
        query.regexp = pattern


def literal_of(pattern: str, *, anchors: bool = False) -> str | None:
    """The text that a regular expression stands for, where it stands for one; a bare dot is taken for a dot."""
    inner = pattern.removeprefix("^").removesuffix("$") if anchors else pattern
    if not _LITERAL.fullmatch(inner):
        return None
    return re.sub(r"\\(.)", r"\1", inner)


# -- Repositories ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Names:
    """The repositories that a pattern of `repo:` means: of an owner, by the name without it; `is_exact` for one."""

    owner: str = ""
    pattern: str = ""
    is_exact: bool = False


_LOGIN = re.compile(r"[A-Za-z0-9](-?[A-Za-z0-9])*")
_OTHER_HOSTS = re.compile(r"\^?(gitlab|bitbucket|dev\.azure|gerrit|git\.)")


def read_names(pattern: str) -> Names:
    """What a pattern of `repo:` means; raises `NotUnderstood`."""
    if _OTHER_HOSTS.match(pattern.replace("\\", "")):
        raise NotUnderstood("it is on another host than GitHub")
    rest = pattern.replace("\\/", "/").removeprefix("^")
    rest, with_host = re.subn(r"^github(\\?\.com)?(/|$)", "", rest)
    if rest in ("", ".*", "."):
        return Names()
    owner, slash, name = rest.partition("/")
    if not slash and not with_host:
        return Names(pattern=pattern)
    login = literal_of(owner)
    if not login or not _LOGIN.fullmatch(login):
        raise NotUnderstood("its owner is not one that is named in full")
    if name in ("", ".*", ".*$"):
        return Names(login)
    if name.endswith("$") and (exact := literal_of(name, anchors=True)):
        return Names(login, exact, is_exact=True)
    return Names(login, f"^{name}")
