"""Search: qualifiers, words, ranges, the cap, and what is refused."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.github.actions.repositories import create_many
from sandbox.github.errors import Refused
from sandbox.github.graphql.search import CAP, search_code, search_pulls, search_repositories
from sandbox.github.graphql.search.conditions import times
from sandbox.github.graphql.search.text import Qualifier, SearchRefused, SearchText, Word, parse
from sandbox.github.state import NewRepository
from tests.integration.sandbox_graphql.github import GitHub

UNKNOWN = (
    "The listed users and repositories cannot be searched either because the resources do not exist"
    " or you do not have permission to view them."
)
NO_DATE = '"soon" is not a recognized date/time format. Please provide an ISO 8601 date/time value, such as YYYY-MM-DD.'
KNOWN = {"org", "topic", "created"}

SEARCH = """
query($query: String!, $after: String, $first: Int!) {
  search(type: REPOSITORY, query: $query, first: $first, after: $after) {
    repositoryCount issueCount pageInfo { hasNextPage endCursor } nodes { ... on Repository { name } }
  }
}
"""


def test_a_search_is_taken_apart_into_qualifiers_and_words() -> None:
    parsed = parse('org:acme -topic:old NOT legacy "api gateway" foo:bar ORG:b x OR y', KNOWN)
    assert parsed == SearchText(
        (Qualifier("org", "acme"), Qualifier("topic", "old", negated=True), Qualifier("org", "b")),
        (
            (Word("legacy", negated=True),),
            (Word("api gateway"),),
            (Word("foo:bar"),),
            (Word("x"), Word("y")),
        ),
    )


def test_quoted_values_belong_to_their_qualifier() -> None:
    assert parse('topic:"two words"', KNOWN).qualifiers == (Qualifier("topic", "two words"),)


@given(st.text(max_size=120))
def test_no_text_breaks_the_parser(text: str) -> None:
    try:
        parsed = parse(text, KNOWN)
    except SearchRefused:
        return
    assert sum(len(word.text) for group in parsed.words for word in group) <= len(text)


_VALUES = st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1, max_size=10)


@given(st.lists(st.tuples(st.sampled_from(sorted(KNOWN)), _VALUES, st.booleans()), max_size=8))
def test_qualifiers_come_back_as_they_were_written(given_: list[tuple[str, str, bool]]) -> None:
    text = " ".join(f"{'-' if negated else ''}{name}:{value}" for name, value, negated in given_)
    assert parse(text, KNOWN).qualifiers == tuple(Qualifier(*each) for each in given_)


@pytest.mark.parametrize(
    ("text", "sql", "values"),
    [
        ("2026-01-02", "c >= ? AND c <= ?", ["2026-01-02T00:00:00Z", "2026-01-02T23:59:59Z"]),
        (">2026-01-02", "c > ?", ["2026-01-02T23:59:59Z"]),
        (">=2026-01-02", "c >= ?", ["2026-01-02T00:00:00Z"]),
        ("<2026-01-02", "c < ?", ["2026-01-02T00:00:00Z"]),
        ("<=2026-01-02", "c <= ?", ["2026-01-02T23:59:59Z"]),
        ("2026-01-02..2026-01-03", "c >= ? AND c <= ?", ["2026-01-02T00:00:00Z", "2026-01-03T23:59:59Z"]),
        ("*..2026-01-03T10:00:00Z", "c <= ?", ["2026-01-03T10:00:00Z"]),
        ("2026-01-02T10:00:00+02:00..*", "c >= ?", ["2026-01-02T08:00:00Z"]),
    ],
)
def test_a_day_stands_for_all_its_seconds(text: str, sql: str, values: list[str]) -> None:
    assert times("c", text) == (sql, values)


def _some(github: GitHub) -> None:
    github.repository("api-go", language="Go", topics=("backend",), stars=5, created_at="2025-03-01T12:00:00Z")
    github.repository("web-go", language="Go", visibility="public", description="The api of the web", stars=1)
    github.repository("old-py", language="Python", archived=True, topics=("backend", "old"))
    github.repository("copy", language="Go", fork=True)
    other = github.world.state.accounts.create("other", "Organization", now="2026-01-01T00:00:00Z")
    github.repository("secret-go", owner=other, language="Go")
    github.repository("shown-go", owner=other, language="Go", visibility="public")


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("org:acme", {"api-go", "web-go", "old-py"}),
        ("org:ACME fork:true", {"api-go", "web-go", "old-py", "copy"}),
        ("org:acme fork:only", {"copy"}),
        ("language:go", {"api-go", "web-go", "shown-go"}),
        ("language:go -org:acme", {"shown-go"}),
        ("org:acme org:other", {"api-go", "web-go", "old-py", "shown-go"}),
        ("repo:acme/api-go", {"api-go"}),
        ("org:acme language:go language:python", {"api-go", "web-go", "old-py"}),
        ("org:acme archived:false", {"api-go", "web-go"}),
        ("org:acme archived:true", {"old-py"}),
        ("org:acme topic:backend", {"api-go", "old-py"}),
        ("org:acme topic:backend topic:old", {"old-py"}),
        ("org:acme topic:backend -topic:old", {"api-go"}),
        ("org:acme is:public", {"web-go"}),
        ("org:acme is:private", {"api-go", "old-py"}),
        ("org:acme stars:>=5", {"api-go"}),
        ("org:acme stars:1..5", {"api-go", "web-go"}),
        ("org:acme api", {"api-go", "web-go"}),
        ("org:acme api in:name", {"api-go"}),
        ("org:acme api in:description", {"web-go"}),
        ("org:acme NOT api", {"old-py"}),
        ("org:acme web OR old", {"web-go", "old-py"}),
        ('org:acme "the web"', {"web-go"}),
        ("org:acme created:2025-03-01", {"api-go"}),
        ("org:acme created:<2025-03-01", set()),
        ("org:acme created:2025-03-01T12:00:00Z..2025-03-01T12:00:00Z", {"api-go"}),
        ("org:acme created:2020-01-01..2020-01-02 created:2025-03-01", {"api-go"}),
        ("org:acme 100%", set()),
    ],
)
async def test_a_search_finds_what_its_qualifiers_say(github: GitHub, query: str, names: set[str]) -> None:
    _some(github)
    found = (await github.data(SEARCH, {"query": query, "first": 100}))["search"]
    assert {node["name"] for node in found["nodes"]} == names
    assert found["repositoryCount"] == len(names)
    assert found["issueCount"] == 0


async def test_results_are_sorted_as_asked(github: GitHub) -> None:
    _some(github)

    async def names(query: str) -> list[str]:
        found = (await github.data(SEARCH, {"query": query, "first": 100}))["search"]
        return [node["name"] for node in found["nodes"]]

    assert await names("org:acme language:go sort:stars") == ["api-go", "web-go"]
    assert await names("org:acme language:go sort:stars-asc") == ["web-go", "api-go"]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("x" * 257, "The search is longer than 256 characters."),
        ("a OR b OR c OR d OR e OR f OR g", "More than five AND / OR / NOT operators were used."),
        ("org:nobody", UNKNOWN),
        ("created:soon", NO_DATE),
    ],
)
async def test_what_rest_refuses_finds_nothing_in_graphql(github: GitHub, query: str, message: str) -> None:
    _some(github)
    with pytest.raises(SearchRefused) as refused:
        search_repositories(github.world.state, github.viewer(), query)
    assert refused.value.errors == [{"message": message, "resource": "Search", "field": "q", "code": "invalid"}]
    found = (await github.data(SEARCH, {"query": query, "first": 1}))["search"]
    assert (found["repositoryCount"], found["nodes"]) == (0, [])


async def test_qualifiers_do_not_count_as_characters(github: GitHub) -> None:
    _some(github)
    query = "org:acme " + " ".join(f"-topic:{'x' * 30}{number}" for number in range(20))
    assert (await github.data(SEARCH, {"query": query, "first": 1}))["search"]["repositoryCount"] == 3


async def test_what_the_sandbox_cannot_search_by_is_said(github: GitHub) -> None:
    answer = await github.ask(SEARCH, {"query": "forks:>3", "first": 1})
    assert answer["errors"][0]["message"] == "The sandbox does not support `forks:` in a search."
    with pytest.raises(Refused, match="in:readme"):
        search_repositories(github.world.state, github.viewer(), "x in:readme")


async def test_no_more_than_1000_results_can_be_had_and_all_are_counted(github: GitHub) -> None:
    create_many(github.world, github.acme, [NewRepository(name=f"r{number}") for number in range(1205)])
    seen: list[str] = []
    cursor, more = None, True
    while more:
        page = (await github.data(SEARCH, {"query": "org:acme", "first": 100, "after": cursor}))["search"]
        assert page["repositoryCount"] == 1205
        seen += [node["name"] for node in page["nodes"]]
        more, cursor = page["pageInfo"]["hasNextPage"], page["pageInfo"]["endCursor"]
    assert len(seen) == len(set(seen)) == CAP


@pytest.mark.parametrize(
    ("query", "paths"),
    [
        ("org:acme filename:go.mod", ["api:go.mod", "web:deep/go.mod"]),
        ("repo:acme/api module", ["api:go.mod", "api:main.go"]),
        ("repo:acme/api filename:go.mod module", ["api:go.mod"]),
        ("org:acme path:deep", ["web:deep/go.mod"]),
        ("org:acme path:/ extension:go", ["api:main.go"]),
        ("org:acme language:go size:<100", ["api:main.go"]),
        ("org:acme filename:readme.md", ["api:README.md", "web:README.md", "untouched:README.md"]),
        ("org:acme main in:path", ["api:main.go"]),
    ],
)
async def test_code_is_searched_by_name_and_text(github: GitHub, query: str, paths: list[str]) -> None:
    api, web = github.repository("api"), github.repository("web")
    untouched = github.repository("untouched")
    github.write(api, {"go.mod": b"module api\n", "main.go": b"package main // Module\n"})
    github.write(web, {"deep/go.mod": b"package\n"})
    found = search_code(github.world, github.viewer(), query)
    assert sorted(f"{match.repository.name}:{match.entry.path}" for match in found.page(0, 10)) == sorted(paths)
    if "readme" not in query:
        assert search_code(github.world, github.viewer(permissions={"metadata": "read"}), query).total == 0
    if query == "org:acme filename:go.mod":
        assert not github.world.git.exists(untouched)


async def test_code_is_not_searched_without_anything_to_look_for(github: GitHub) -> None:
    with pytest.raises(SearchRefused) as refused:
        search_code(github.world, github.viewer(), "org:acme")
    assert "Search text is required" in str(refused.value.errors)


async def test_pull_requests_are_searched_too(github: GitHub) -> None:
    api, web = github.repository("api"), github.repository("web", visibility="public")
    await github.pull(api, title="Bump Go")
    await github.pull(web, title="Bump Rust", draft=True)
    first = github.world.state.pulls.by_number(api.id, 1)
    assert first is not None
    label = github.world.state.pulls.ensure_label(api.id, "bot")
    github.world.state.pulls.set_labels(first.id, [label.id])

    def found(query: str, **given: object) -> list[str]:
        return [pull.title for pull in search_pulls(github.world.state, github.viewer(**given), query).page(0, 10)]

    assert found("org:acme is:pr is:open bump sort:created-asc") == ["Bump Go", "Bump Rust"]
    assert found("repo:acme/api is:pr head:fix base:main") == ["Bump Go"]
    assert found("is:pr draft:true") == ["Bump Rust"]
    assert found("label:bot") == ["Bump Go"]
    assert found("author:app/octobatch -repo:acme/web".replace(" -repo:acme/web", "")) == ["Bump Rust", "Bump Go"]
    assert found("is:issue org:acme") == []
    assert found("org:acme", permissions={"metadata": "read"}) == ["Bump Rust"]
    query = """{ search(type: ISSUE, query: "org:acme is:merged", first: 5) { issueCount nodes {
      ... on PullRequest { number } } } }"""
    assert (await github.data(query))["search"] == {"issueCount": 0, "nodes": []}


@pytest.mark.slow
async def test_listing_and_searching_100_000_repositories_reads_pages_by_index(github: GitHub) -> None:
    days = [
        f"2025-{month:02}-{day:02}T{hour:02}:00:00Z"
        for month in range(1, 13)
        for day in range(1, 29)
        for hour in range(24)
    ]
    create_many(
        github.world,
        github.acme,
        [
            NewRepository(name=f"service-{n}", language="Go" if n % 3 else "Python", created_at=days[n % len(days)])
            for n in range(100_000)
        ],
    )
    listing = """query($after: String) { organization(login: "acme") { repositories(first: 100, after: $after,
      orderBy: {field: CREATED_AT, direction: ASC}) { pageInfo { endCursor } nodes { id databaseId nameWithOwner
      isArchived isFork isPrivate defaultBranchRef { name target { oid } } } } } }"""
    cursor = None
    slowest = 0.0
    for _ in range(20):
        began = time.perf_counter()
        page = (await github.data(listing, {"after": cursor}))["organization"]["repositories"]
        slowest = max(slowest, time.perf_counter() - began)
        cursor = page["pageInfo"]["endCursor"]
        assert len(page["nodes"]) == 100
    assert slowest < 1.0
    began = time.perf_counter()
    query = "org:acme language:go created:2025-02-01..2025-02-03"
    found = (await github.data(SEARCH, {"query": query, "first": 100}))["search"]
    assert time.perf_counter() - began < 1.0
    assert found["repositoryCount"] > 100
    plan = github.world.state.store.rows(
        "EXPLAIN QUERY PLAN SELECT repositories.id FROM repositories JOIN accounts ON accounts.id = owner_id WHERE"
        " repositories.owner_id = ? AND (repositories.created_at, repositories.id) > (?, ?)"
        " ORDER BY repositories.created_at ASC, repositories.id ASC LIMIT 101",
        [github.acme.id, "2025-01-01T00:00:00Z", 1],
    )
    details = " ".join(row["detail"] for row in plan)
    assert "USING" in details
    assert "TEMP B-TREE" not in details
