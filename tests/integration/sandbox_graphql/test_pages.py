"""Connections: pages, cursors, bounds, and what a query costs."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.sandbox_graphql.github import GitHub

LIST = """
query($first: Int, $last: Int, $after: String, $before: String, $orderBy: RepositoryOrder) {
  organization(login: "acme") {
    repositories(first: $first, last: $last, after: $after, before: $before, orderBy: $orderBy) {
      totalCount nodes { name } edges { cursor } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    }
  }
}
"""


def _made(github: GitHub, count: int) -> list[str]:
    names = [f"r{number:02}" for number in range(count)]
    for number, name in enumerate(names):
        github.repository(name, created_at=f"2025-01-{number // 2 + 1:02}T00:00:00Z", stars=number % 3)
    return names


async def _page(github: GitHub, **variables: Any) -> dict[str, Any]:
    return (await github.data(LIST, variables))["organization"]["repositories"]


@pytest.mark.parametrize("field", ["CREATED_AT", "NAME", "STARGAZERS", "PUSHED_AT", "UPDATED_AT"])
@pytest.mark.parametrize("direction", ["ASC", "DESC"])
async def test_paging_forward_and_backward_gives_each_repository_once_in_order(
    github: GitHub, field: str, direction: str
) -> None:
    names = _made(github, 11)
    order = {"field": field, "direction": direction}
    whole = [node["name"] for node in (await _page(github, first=100, orderBy=order))["nodes"]]
    assert sorted(whole) == names
    forward: list[str] = []
    cursor = None
    while True:
        page = await _page(github, first=4, after=cursor, orderBy=order)
        forward += [node["name"] for node in page["nodes"]]
        assert page["totalCount"] == 11
        cursor = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert forward == whole
    backward: list[str] = []
    cursor = None
    while True:
        page = await _page(github, last=4, before=cursor, orderBy=order)
        backward = [node["name"] for node in page["nodes"]] + backward
        cursor = page["pageInfo"]["startCursor"]
        if not page["pageInfo"]["hasPreviousPage"]:
            break
    assert backward == whole


async def test_repositories_made_meanwhile_move_no_page(github: GitHub) -> None:
    _made(github, 4)
    first = await _page(github, first=2)
    github.repository("older", created_at="2020-01-01T00:00:00Z")
    second = await _page(github, first=2, after=first["pageInfo"]["endCursor"])
    assert [node["name"] for node in second["nodes"]] == ["r02", "r03"]


async def test_filters_of_listings_count_too(github: GitHub) -> None:
    github.repository("plain")
    github.repository("old", archived=True)
    github.repository("copy", fork=True)
    github.repository("open", visibility="public")
    query = """query { organization(login: "acme") {
      archived: repositories(first: 9, isArchived: true) { nodes { name } }
      forks: repositories(first: 9, isFork: true) { totalCount nodes { name } }
      public: repositories(first: 9, privacy: PUBLIC) { nodes { name } }
      private: repositories(first: 9, visibility: PRIVATE) { totalCount }
      others: repositories(first: 9, ownerAffiliations: [COLLABORATOR]) { totalCount } } }"""
    found = (await github.data(query))["organization"]
    assert found["archived"]["nodes"] == [{"name": "old"}]
    assert found["forks"] == {"totalCount": 1, "nodes": [{"name": "copy"}]}
    assert found["public"]["nodes"] == [{"name": "open"}]
    assert found["private"]["totalCount"] == 3
    assert found["others"]["totalCount"] == 0


@pytest.mark.parametrize(
    ("bounds", "kind", "message"),
    [
        ("", "MISSING_PAGINATION_BOUNDARIES",
         "You must provide a `first` or `last` value to properly paginate the `repositories` connection."),
        ("(first: 101)", "EXCESSIVE_PAGINATION",
         "Requesting 101 records on the `repositories` connection exceeds the `first` limit of 100 records."),
        ("(last: 500)", "EXCESSIVE_PAGINATION",
         "Requesting 500 records on the `repositories` connection exceeds the `last` limit of 100 records."),
        ("(first: 1, last: 1)", "UNPROCESSABLE",
         "Passing both `first` and `last` to paginate the `repositories` connection is not supported."),
        ("(first: -1)", "UNPROCESSABLE", "`first` on the `repositories` connection cannot be less than zero."),
        ('(first: 1, after: "x")', "INVALID_CURSOR_ARGUMENTS",
         "`x` does not appear to be a valid cursor for `after`."),
    ],
)  # fmt: skip
async def test_bounds_that_github_refuses_are_refused(github: GitHub, bounds: str, kind: str, message: str) -> None:
    answer = await github.ask(f'{{ organization(login: "acme") {{ repositories{bounds} {{ nodes {{ id }} }} }} }}')
    assert answer["data"] == {"organization": None}
    (error,) = answer["errors"]
    assert (error["type"], error["message"]) == (kind, message)
    assert error["path"] == ["organization", "repositories"]


async def test_counting_needs_no_bounds(github: GitHub) -> None:
    _made(github, 3)
    query = '{ organization(login: "acme") { repositories { totalCount totalDiskUsage } } }'
    assert (await github.data(query))["organization"]["repositories"] == {"totalCount": 3, "totalDiskUsage": 0}


async def test_more_than_100_ids_are_refused(github: GitHub) -> None:
    answer = await github.ask("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": ["R_x"] * 101})
    assert answer["data"] is None
    (error,) = answer["errors"]
    assert (error["type"], error["path"]) == ("ARGUMENT_LIMIT", ["nodes"])
    assert error["message"] == "You may not provide more than 100 node ids; you provided 101."


def _limited(github: GitHub) -> None:
    settings = type(github.world.limits.settings)(enabled=True, primary=5000)
    github.world.limits.configure(settings)


@pytest.mark.parametrize(
    ("query", "cost", "nodes"),
    [
        ("{ viewer { login } %s }", 1, 0),
        ('{ organization(login: "acme") { repositories(first: 100) { nodes { id } } } %s }', 1, 100),
        # the example of GitHub's documentation: 100 repositories, 50 pull requests of each, 60 labels of each
        ("""{ organization(login: "acme") { repositories(first: 100) { nodes { pullRequests(first: 50) { nodes {
          labels(first: 60) { nodes { id } } } } } } } %s }""", 51, 305_100),
        ("""query { nodes(ids: ["R_a", "R_b"]) { ... on Repository { pullRequests(first: 10) { nodes { id } } } }
          %s }""", 1, 22),
    ],
)  # fmt: skip
async def test_the_cost_is_what_githubs_formula_gives(github: GitHub, query: str, cost: int, nodes: int) -> None:
    _limited(github)
    answer = await github.ask(query % "rateLimit { cost nodeCount limit remaining used }")
    limit = answer["data"]["rateLimit"]
    assert (limit["cost"], limit["nodeCount"]) == (cost, nodes)
    assert (limit["limit"], limit["used"], limit["remaining"]) == (5000, cost, 5000 - cost)


async def test_the_rate_limit_is_null_where_limits_are_off(github: GitHub) -> None:
    assert await github.data("{ rateLimit { cost } }") == {"rateLimit": None}


async def test_a_query_for_more_than_500_000_nodes_is_refused_before_it_runs(github: GitHub) -> None:
    query = """query($n: Int!) { organization(login: "acme") { repositories(first: $n) { nodes {
      pullRequests(first: $n) { nodes { commits(first: $n) { nodes { id } } } } } } } }"""
    answer = await github.ask(query, {"n": 100})
    assert "data" not in answer
    assert answer["errors"] == [
        {
            "type": "MAX_NODE_LIMIT_EXCEEDED",
            "message": "By the time this query traverses to the commits connection, it is requesting up to 1,010,100"
            " possible nodes which exceeds the maximum limit of 500,000.",
        }
    ]


@pytest.mark.parametrize(
    ("query", "variables", "error"),
    [
        ("{ viewer { nosuchfield } }", {}, {
            "path": ["query", "viewer", "nosuchfield"],
            "extensions": {"code": "undefinedField", "fieldName": "nosuchfield", "typeName": "User"},
            "message": "Field 'nosuchfield' doesn't exist on type 'User'",
            "locations": [{"line": 1, "column": 12}]}),
        ("query Q { viewer { login(x: 1) } }", {}, {
            "path": ["query Q", "viewer", "login"],
            "extensions": {"code": "argumentNotAccepted", "argumentName": "x", "name": "login"},
            "message": "Field 'login' doesn't accept argument 'x'",
            "locations": [{"line": 1, "column": 26}]}),
        ("query($login: String!) { user(login: $login) { id } }", {}, {
            "extensions": {"value": None, "problems": [{"path": [], "explanation": "Expected value to not be null"}]},
            "message": "Variable $login of type String! was provided invalid value",
            "locations": [{"line": 1, "column": 7}]}),
    ],
)  # fmt: skip
async def test_wrong_documents_are_told_in_githubs_words(
    github: GitHub, query: str, variables: dict[str, Any], error: dict[str, Any]
) -> None:
    answer = await github.ask(query, variables)
    assert answer == {"errors": [error]}


async def test_a_document_that_cannot_be_parsed_says_where(github: GitHub) -> None:
    answer = await github.ask("{ viewer { ")
    assert answer["errors"][0]["message"].endswith("at [1, 12]")
    assert await github.ask("") == {
        "errors": [{"message": "A query attribute must be specified and must be a string."}]
    }
