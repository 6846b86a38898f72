"""The sandbox's GraphQL schema is a part of GitHub's, and every document of the product is valid on both."""

from __future__ import annotations

from pathlib import Path

import pytest
from graphql import GraphQLSchema, build_schema, parse, validate

from shared.github.branches import bases_query
from shared.github.contents import Wanted, contents_query
from shared.github.decorations import mutations_document
from shared.github.files import files_document
from shared.github.graphql import document_text
from shared.github.imports import by_numbers_query
from shared.github.node_ids import create_labels_document, labels_query, node_ids_document
from shared.github.outlooks import WantedOutlook, outlooks_query
from shared.github.repositories import WantedRepository, by_name_document
from shared.github.search import count_document
from shared.github.teams import teams_document
from tests.conformance.subset import differences

ROOT = Path(__file__).parents[2]
SDL = ROOT / "sandbox" / "github" / "graphql" / "schema.graphql"
DOCUMENTS = sorted((ROOT / "shared" / "github" / "documents").glob("*.graphql"))


def test_the_sandbox_schema_is_a_part_of_githubs(github_schema: GraphQLSchema) -> None:
    assert differences(build_schema(SDL.read_text()), github_schema) == []


@pytest.mark.parametrize(
    ("right", "wrong", "difference"),
    [
        ("  nameWithOwner: String!", "  nameWithOwnr: String!", "Repository.nameWithOwnr: no such field"),
        ("  databaseId: Int\n", "  databaseId: Int!\n", "Repository.databaseId: is Int!, GitHub's Int"),
        (
            "  login: String!\n  name: String\n",
            "  login: String\n  name: String\n",
            "User.login: is String, GitHub's String!",
        ),
        (
            "repository(followRenames: Boolean, name: String!, owner: String!)",
            "repository(name: String!, ownr: String!)",
            "Query.repository.ownr: no such input",
        ),
        (
            "repository(followRenames: Boolean, name: String!, owner: String!)",
            "repository(name: String!)",
            "Query.repository.owner: required by GitHub",
        ),
        (
            "object(expression: String, oid: GitObjectID)",
            "object(expression: String!)",
            "Repository.object.expression: takes String!, GitHub's String",
        ),
        ("  expectedHeadOid: GitObjectID!\n", "", "CreateCommitOnBranchInput.expectedHeadOid: required by GitHub"),
        (
            "  expectedHeadOid: GitObjectID!\n",
            "  expectedHeadOid: String!\n",
            "CreateCommitOnBranchInput.expectedHeadOid: takes String!, GitHub's GitObjectID!",
        ),
        ("  SQUASH\n", "  SQUISH\n", "PullRequestMergeMethod.SQUISH: no such value"),
        ("union RequestedReviewer = ", "union RequestedReviewer = Label | ", "has the member Label, GitHub's not"),
        ("type Label implements Node", "type Label implements Node & Actor2", None),
        ("type Topic implements Node {", "type Topics implements Node {", None),
    ],
)
def test_a_schema_that_is_otherwise_is_caught(
    github_schema: GraphQLSchema, right: str, wrong: str, difference: str | None
) -> None:
    text = SDL.read_text()
    assert right in text
    changed = text.replace(right, wrong)
    if difference is None:  # graphql-core itself refuses it
        with pytest.raises(TypeError):
            build_schema(changed)
        return
    found = differences(build_schema(changed, assume_valid=True), github_schema)
    assert any(difference in each for each in found), found


def test_there_are_documents_to_check() -> None:
    assert len(DOCUMENTS) >= 10


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem)
def test_every_document_of_the_product_is_valid_on_github_and_the_sandbox(
    github_schema: GraphQLSchema, path: Path
) -> None:
    document = parse(document_text(path.stem))
    assert validate(github_schema, document) == []
    assert validate(build_schema(SDL.read_text()), document) == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem)
def test_every_query_asks_what_it_costs(path: Path) -> None:
    text = path.read_text()
    assert "mutation" in text or "rateLimit {" in text


@pytest.mark.parametrize(
    "text",
    [
        by_name_document([WantedRepository(name_with_owner="acme/api", branches=("main", "next"))])[0],
        bases_query([("R_1", "main"), ("R_2", "next")])[0],
        contents_query([Wanted(repository_node_id="R_1", oid="0" * 40)], [(0, "file", "a"), (0, "folder", "")])[0],
        count_document(3),
        by_numbers_query([("acme/api", 12), ("acme/web", 3)])[0],
        labels_query([("R_1", "a"), ("R_2", "b")])[0],
        files_document(2, with_text=True),
        files_document(1, with_text=False),
        node_ids_document(1, 1),
        outlooks_query([WantedOutlook(repository_node_id="R_1", base_branch="main", branch="b")] * 2)[0],
        node_ids_document(1, 0),
        teams_document(2),
    ],
)
def test_every_generated_document_is_valid_too_and_asks_what_it_costs(github_schema: GraphQLSchema, text: str) -> None:
    assert validate(github_schema, parse(text)) == []
    assert validate(build_schema(SDL.read_text()), parse(text)) == []
    assert "rateLimit {" in text


@pytest.mark.parametrize(
    "text",
    [
        create_labels_document(2),
        mutations_document(["addLabelsToLabelable", "addAssigneesToAssignable", "requestReviews"]),
    ],
)
def test_every_generated_mutation_is_valid_too(github_schema: GraphQLSchema, text: str) -> None:
    assert validate(github_schema, parse(text)) == []
    assert validate(build_schema(SDL.read_text()), parse(text)) == []


def test_a_misspelt_field_in_a_document_is_caught(github_schema: GraphQLSchema) -> None:
    path = next(path for path in DOCUMENTS if "nameWithOwner" in path.read_text())
    document = parse(path.read_text().replace("nameWithOwner", "nameWithOwnr"))
    assert "nameWithOwnr" in str(validate(github_schema, document)[0])
