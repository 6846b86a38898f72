"""What queries read: repositories, files, refs, and only what the token may see."""

from __future__ import annotations

from sandbox.github.state import Kind, encode
from tests.integration.sandbox_graphql.github import GitHub

FILES = """
query($ids: [ID!]!, $expression: String!) {
  nodes(ids: $ids) { ... on Repository { nameWithOwner object(expression: $expression) { ... on Blob {
    oid text isBinary isTruncated byteSize } } } }
}
"""


async def test_a_repository_is_told_with_its_default_branch_before_it_is_ever_touched(github: GitHub) -> None:
    api = github.repository("api", language="Go", topics=("backend",), stars=3)
    query = """{ repository(owner: "ACME", name: "api") { id databaseId nameWithOwner isArchived isPrivate visibility
      primaryLanguage { name } repositoryTopics(first: 5) { nodes { topic { name } } } stargazerCount
      owner { __typename login } viewerPermission defaultBranchRef { name prefix target { oid } } } }"""
    found = (await github.data(query))["repository"]
    assert found == {
        "id": api.node_id,
        "databaseId": api.id,
        "nameWithOwner": "acme/api",
        "isArchived": False,
        "isPrivate": True,
        "visibility": "PRIVATE",
        "primaryLanguage": {"name": "Go"},
        "repositoryTopics": {"nodes": [{"topic": {"name": "backend"}}]},
        "stargazerCount": 3,
        "owner": {"__typename": "Organization", "login": "acme"},
        "viewerPermission": "WRITE",
        "defaultBranchRef": {"name": "main", "prefix": "refs/heads/", "target": {"oid": github.head(api)}},
    }
    assert not github.world.git.exists(api)
    told = github.head(api)
    github.world.git.open(api)
    assert github.head(api) == told


async def test_files_of_many_repositories_come_in_one_request(github: GitHub) -> None:
    made = [github.repository(f"service-{number}") for number in range(3)]
    for number, repository in enumerate(made):
        github.write(repository, {"go.mod": f"module {number}\n".encode()})
    ids = [repository.node_id for repository in made]
    nodes = (await github.data(FILES, {"ids": ids, "expression": "HEAD:go.mod"}))["nodes"]
    assert [node["object"]["text"] for node in nodes] == ["module 0\n", "module 1\n", "module 2\n"]
    assert nodes[0]["object"] | {"oid": ""} == {
        "oid": "", "text": "module 0\n", "isBinary": False, "isTruncated": False, "byteSize": 9,
    }  # fmt: skip


async def test_looking_for_a_file_in_untouched_repositories_makes_none_of_them(github: GitHub) -> None:
    api = github.repository("api")
    (node,) = (await github.data(FILES, {"ids": [api.node_id], "expression": "HEAD:.batchignore"}))["nodes"]
    assert node == {"nameWithOwner": "acme/api", "object": None}
    assert not github.world.git.exists(api)


async def test_binary_long_and_latin_1_files_are_told_apart(github: GitHub) -> None:
    api = github.repository("api")
    github.write(api, {"logo": b"\0\1", "long": b"x" * 600_000, "old": "é".encode("latin-1")})
    query = """query($e: String!) { repository(owner: "acme", name: "api") {
      object(expression: $e) { ... on Blob { text isBinary isTruncated } } } }"""

    async def blob(path: str) -> dict[str, object]:
        return (await github.data(query, {"e": f"main:{path}"}))["repository"]["object"]

    assert await blob("logo") == {"text": None, "isBinary": True, "isTruncated": False}
    assert await blob("long") == {"text": "x" * 512_000, "isBinary": False, "isTruncated": True}
    assert await blob("old") == {"text": "é", "isBinary": False, "isTruncated": False}


async def test_a_folder_lists_its_entries_with_full_paths_and_modes(github: GitHub) -> None:
    api = github.repository("api")
    oid = github.write(api, {"src/a.py": b"1", "src/lib/b.py": b"2"})
    query = """query($e: String!, $oid: GitObjectID!) { repository(owner: "acme", name: "api") {
      commit: object(oid: $oid) { __typename oid }
      object(expression: $e) { ... on Tree { entries { name path mode type object { __typename } } } } } }"""
    found = (await github.data(query, {"e": f"{oid}:src", "oid": oid}))["repository"]
    assert found["commit"] == {"__typename": "Commit", "oid": oid}
    assert found["object"]["entries"] == [
        {"name": "a.py", "path": "src/a.py", "mode": 0o100644, "type": "blob", "object": {"__typename": "Blob"}},
        {"name": "lib", "path": "src/lib", "mode": 0o40000, "type": "tree", "object": {"__typename": "Tree"}},
    ]


async def test_commits_tell_their_people_their_history_and_that_github_signed_them(github: GitHub) -> None:
    api = github.repository("api")
    github.write(api, {"a": b"1"})
    github.write(api, {"b": b"1\n2\n"})
    query = """{ repository(owner: "acme", name: "api") { object(expression: "main") { ... on Commit {
      message messageHeadline author { name user { login } } signature { isValid wasSignedByGitHub state }
      additions changedFilesIfAvailable history(first: 10) { totalCount nodes { messageHeadline } }
      file(path: "a") { path type } onA: history(first: 10, path: "a") { totalCount } } } } }"""
    commit = (await github.data(query))["repository"]["object"]
    assert commit["author"] == {"name": "ada", "user": {"login": "ada"}}
    assert commit["signature"] == {"isValid": True, "wasSignedByGitHub": True, "state": "VALID"}
    assert (commit["additions"], commit["changedFilesIfAvailable"]) == (2, 1)
    assert commit["history"]["totalCount"] == 3
    assert commit["onA"]["totalCount"] == 1
    assert commit["file"] == {"path": "a", "type": "blob"}


async def test_refs_are_found_by_full_and_short_names_and_listed(github: GitHub) -> None:
    api = github.repository("api")
    oid = await github.branch(api, "fix")
    query = """{ repository(owner: "acme", name: "api") {
      full: ref(qualifiedName: "refs/heads/fix") { target { oid } } short: ref(qualifiedName: "fix") { target { oid } }
      none: ref(qualifiedName: "refs/heads/none") { id }
      refs(refPrefix: "refs/heads/", first: 10) { totalCount nodes { name } } } }"""
    found = (await github.data(query))["repository"]
    assert found["full"] == found["short"] == {"target": {"oid": oid}}
    assert found["none"] is None
    assert found["refs"] == {"totalCount": 2, "nodes": [{"name": "fix"}, {"name": "main"}]}


async def test_a_comparison_has_the_commits_of_the_head_alone(github: GitHub) -> None:
    api = github.repository("api")
    oid = await github.branch(api, "fix")
    github.write(api, {"other": b"1"})
    query = """{ repository(owner: "acme", name: "api") { ref(qualifiedName: "main") { compare(headRef: "fix") {
      aheadBy behindBy status commits(last: 5) { totalCount nodes { oid author { email } } } } } } }"""
    compared = (await github.data(query))["repository"]["ref"]["compare"]
    assert (compared["aheadBy"], compared["behindBy"], compared["status"]) == (1, 1, "DIVERGED")
    assert compared["commits"] == {
        "totalCount": 1,
        "nodes": [{"oid": oid, "author": {"email": github.bot.noreply_email}}],
    }


async def test_ids_that_stand_for_nothing_are_null_with_an_error_and_the_others_are_there(github: GitHub) -> None:
    api = github.repository("api")
    answer = await github.ask("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": ["R_none", api.node_id]})
    assert answer["data"] == {"nodes": [None, {"id": api.node_id}]}
    assert answer["errors"] == [
        {
            "type": "NOT_FOUND",
            "path": ["nodes", 0],
            "locations": [{"line": 1, "column": 23}],
            "message": "Could not resolve to a node with the global id of 'R_none'.",
        }
    ]


async def test_a_private_repository_of_others_does_not_exist_for_the_token(github: GitHub) -> None:
    stranger = github.world.state.accounts.create("other", "Organization", now="2026-01-01T00:00:00Z")
    secret = github.repository("secret", owner=stranger)
    public = github.repository("public", owner=stranger, visibility="public")
    mine, not_mine = github.repository("mine"), github.repository("not-mine")
    viewer = github.viewer(repositories=[mine])
    for repository, seen in ((secret, False), (public, True), (mine, True), (not_mine, False)):
        answer = await github.ask("query($id: ID!) { node(id: $id) { id } }", {"id": repository.node_id}, viewer=viewer)
        assert (answer["data"]["node"] is not None) == seen
    answer = await github.ask('{ repository(owner: "other", name: "secret") { id } }', viewer=viewer)
    assert answer["data"] == {"repository": None}
    assert answer["errors"][0]["type"] == "NOT_FOUND"
    assert answer["errors"][0]["message"] == "Could not resolve to a Repository with the name 'other/secret'."
    listed = await github.data(
        '{ organization(login: "acme") { repositories(first: 9) { totalCount nodes { name } } } }', viewer=viewer
    )
    assert listed["organization"]["repositories"] == {"totalCount": 1, "nodes": [{"name": "mine"}]}


async def test_what_a_permission_lacks_for_is_null_and_forbidden_and_the_rest_is_there(github: GitHub) -> None:
    github.repository("api")
    viewer = github.viewer(permissions={"metadata": "read"})
    answer = await github.ask(
        '{ repository(owner: "acme", name: "api") { name defaultBranchRef { name } } }', viewer=viewer
    )
    assert answer["data"] == {"repository": {"name": "api", "defaultBranchRef": None}}
    (error,) = answer["errors"]
    assert error["type"] == "FORBIDDEN"
    assert error["path"] == ["repository", "defaultBranchRef"]
    assert error["message"] == "Resource not accessible by integration"


async def test_a_renamed_repository_is_found_by_its_old_name_unless_told_not_to(github: GitHub) -> None:
    api = github.repository("api")
    github.world.state.repositories.move(api, owner_id=github.acme.id, name="core", now="2026-02-01T00:00:00Z")
    query = 'query($follow: Boolean) { repository(owner: "acme", name: "api", followRenames: $follow) { name } }'
    assert (await github.data(query, {"follow": True}))["repository"] == {"name": "core"}
    assert await github.data(query.replace("($follow: Boolean)", "").replace(", followRenames: $follow", ""))
    assert (await github.ask(query, {"follow": False}))["data"] == {"repository": None}


async def test_the_viewer_is_the_bot_and_owners_are_told_by_their_kind(github: GitHub) -> None:
    query = """{ viewer { login __typename } repositoryOwner(login: "acme") { __typename }
      nobody: repositoryOwner(login: "nobody") { id } user(login: "ada") { login name } }"""
    assert await github.data(query) == {
        "viewer": {"login": "octobatch[bot]", "__typename": "User"},
        "repositoryOwner": {"__typename": "Organization"},
        "nobody": None,
        "user": {"login": "ada", "name": "Ada"},
    }
    answer = await github.ask('{ organization(login: "nobody") { id } }')
    assert answer["errors"][0]["message"] == "Could not resolve to an Organization with the login of 'nobody'."


async def test_every_kind_of_node_is_found_again_by_its_id(github: GitHub) -> None:
    api = github.repository("api")
    pull = await github.pull(api)
    team = github.world.state.accounts.create_team(github.acme.id, "core", "Core")
    label = github.world.state.pulls.ensure_label(api.id, "bug")
    found = await github.data(
        """{ repository(owner: "acme", name: "api") { id owner { id } defaultBranchRef { id target { id ... on Commit {
          tree { id } file(path: "README.md") { object { id } } } } } } viewer { id } }"""
    )
    repository, branch = found["repository"], found["repository"]["defaultBranchRef"]
    commit = branch["target"]
    expected = {
        repository["id"]: "Repository",
        repository["owner"]["id"]: "Organization",
        branch["id"]: "Ref",
        commit["id"]: "Commit",
        commit["tree"]["id"]: "Tree",
        commit["file"]["object"]["id"]: "Blob",
        found["viewer"]["id"]: "Bot",
        pull["id"]: "PullRequest",
        team.node_id: "Team",
        label.node_id: "Label",
        github.person.node_id: "User",
    }
    nodes = await github.data("query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }", {"ids": list(expected)})
    assert {node["id"]: node["__typename"] for node in nodes["nodes"]} == expected


async def test_ids_that_were_made_up_are_not_found_whatever_they_hold(github: GitHub) -> None:
    api = github.repository("api")
    made_up = [
        encode(Kind.REPOSITORY, 1),
        encode(Kind.REPOSITORY, "text"),
        encode(Kind.PULL_REQUEST, api.id),
        encode(Kind.COMMIT, api.id, 5),
        encode(Kind.COMMIT, api.id, "no oid"),
        encode(Kind.COMMIT, api.id, "1" * 40),
        encode(Kind.REF, api.id, "refs/heads/none"),
        encode(Kind.CHECK_RUN, api.id, 1),
        encode(Kind.TOPIC, "go"),
        "",
        "MDQ6VXNlcjE=",
    ]
    answer = await github.ask("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": made_up})
    assert answer["data"] == {"nodes": [None] * len(made_up)}
    assert {error["type"] for error in answer["errors"]} == {"NOT_FOUND"}
