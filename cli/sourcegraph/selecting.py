"""`on` of a batch spec: entries that find the same repositories, or more where nothing finds the same."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from shared.domain.search_query import CODE_QUALIFIERS, problem_of

from .go_templates import NotUnderstood
from .queries import Names, Query, literal_of, read_names

Entry = dict[str, Any]
Say = Callable[[str], None]

_MORE = "is left out, so more repositories are found; those in which the steps change nothing get no pull request"


def entries_of(query: Query, say: Say) -> list[Entry]:
    """The entries of a search; `say` is told what they leave out. Empty where its repositories cannot be found."""
    if len(query.repositories) == 1 and len(each := _alternatives(query.repositories[0])) > 1:
        found = [entry for one in each for entry in entries_of(replace(query, repositories=[one]), say)]
        return [entry for number, entry in enumerate(found) if entry not in found[:number]]
    try:
        names = _all_names(query)
    except NotUnderstood as error:
        say(f"repo:{' repo:'.join(query.repositories)} cannot be carried: {error}")
        return []
    if names.is_exact:
        if query.narrows_files:
            say(f"what the search asks of files {_MORE}")
        found = [{"repository": f"{names.owner}/{names.pattern}"}]
    elif names.pattern or not (query.alternatives or query.files):
        found = [_listing(query, names, say)]
    else:
        found = _code_searches(query, names, say)
    return [*found, *_excluded(query, say)]


def _alternatives(pattern: str) -> list[str]:
    """The sides of each `|` that stands in no brackets."""
    return pattern.split("|") if not re.search(r"[(\[]", pattern) else [pattern]


def _all_names(query: Query) -> Names:
    """Several patterns of `repo:` must all hold."""
    each = [read_names(pattern) for pattern in query.repositories]
    owners = {names.owner for names in each if names.owner}
    patterns = [names.pattern for names in each if names.pattern]
    if len(owners) > 1 or len(patterns) > 1:
        raise NotUnderstood("several patterns that must all hold have no counterpart")
    exact = len(each) == 1 and each[0].is_exact
    return Names(next(iter(owners), ""), next(iter(patterns), ""), exact)


def _listing(query: Query, names: Names, say: Say) -> Entry:
    entry: Entry = {"org": names.owner} if names.owner else {"installation": "*"}
    if names.pattern:
        entry["repo-include"] = names.pattern
        if not names.owner:
            say("repo: is compared with names without their owner here")
    if query.languages and not (query.alternatives or query.files):
        entry["language"] = query.languages
        say("lang: finds repositories mostly written in that language here, not those with any file in it")
    if query.alternatives or query.files or query.regexp or query.is_loose:
        say(f"what the search asks of files {_MORE}")
    entry |= _filters(query)
    return entry


def _filters(query: Query) -> Entry:
    entry: Entry = {}
    if query.topics:
        entry["topic"] = query.topics
    if query.visibility:
        entry["visibility"] = query.visibility
    if query.forks == "only":
        entry["fork"] = True
    if query.archived == "only":
        entry["archived"] = True
    return entry


def _code_searches(query: Query, names: Names, say: Say) -> list[Entry]:
    """One search for code for each alternative, in GitHub's words."""
    qualifiers = [f"org:{names.owner}"] if names.owner else []
    qualifiers += [f"language:{_quoted(language)}" for language in query.languages[:1]]
    qualifiers += _file_qualifiers(query, say)
    qualifiers += {"yes": ["fork:true"], "only": ["fork:only"]}.get(query.forks, [])
    if query.regexp or query.is_loose:
        say(f"a part of the pattern {_MORE}")
    if _filters(query):
        say(f"what the search asks of repositories besides their files {_MORE}")
    searches = [" ".join([*qualifiers, *map(_term, texts)]) for texts in query.alternatives or [[]]]
    if not any(searches) or any(problem_of(search, CODE_QUALIFIERS) for search in searches):
        say(f"what the search asks of files {_MORE}")
        return [{"org": names.owner} if names.owner else {"installation": "*"}]
    return [{"codeSearch": search} for search in searches]


def _term(text: str) -> str:
    words = re.sub(r'[\s"]+', " ", text).strip()
    return f'"{words}"'


def _quoted(text: str) -> str:
    return f'"{text}"' if " " in text else text


def _file_qualifiers(query: Query, say: Say) -> Iterator[str]:
    for pattern in query.files:
        path = literal_of(pattern.removeprefix(".*").replace("\\/", "/"), anchors=True)
        if path and re.fullmatch(r"\.\w+", path):
            yield f"extension:{path[1:]}"
        elif path:
            folder, _, name = path.rpartition("/")
            yield from [f"filename:{_quoted(name)}"] if name else []
            yield from [f"path:{_quoted('/' + folder.strip('/'))}"] if folder or pattern.startswith("^") else []
        else:
            say(f"file:{pattern} {_MORE}")


def _excluded(query: Query, say: Say) -> Iterator[Entry]:
    for pattern in query.excluded_repositories:
        try:
            names = read_names(pattern)
        except NotUnderstood as error:
            say(f"-repo:{pattern} is left out: {error}")
            continue
        if names.is_exact:
            yield {"exclude": {"repository": f"{names.owner}/{names.pattern}"}}
        elif names.pattern or names.owner:
            entry: Entry = {"org": names.owner} if names.owner else {"installation": "*"}
            yield {"exclude": entry | ({"repo-include": names.pattern} if names.pattern else {})}
    for text in query.lacks_contents:
        if literal := literal_of(text):
            yield {"exclude": {"codeSearch": _term(literal)}}
        else:
            say(f"-repo:has.content({text}) is left out: no search for code takes a regular expression")
