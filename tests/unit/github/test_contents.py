"""The documents that read files and folders are GitHub's GraphQL."""

from __future__ import annotations

from graphql import parse, validate

from sandbox.github.graphql.schema_text import SCHEMA
from shared.github.contents import Wanted, contents_query, git_blob_oid


def test_the_generated_document_is_valid_and_holds_no_path_itself() -> None:
    wanted = [Wanted(repository_node_id="R_1", oid="0" * 40), Wanted(repository_node_id="R_2", oid="1" * 40)]
    batch = [(0, "file", 'a"b{'), (1, "folder", ""), (0, "file", "c"), (1, "folder", "d/e")]
    document, variables = contents_query(wanted, batch)
    assert validate(SCHEMA, parse(document)) == []
    assert [variables[f"e{i}"] for i in range(4)] == [f"{wanted[place].oid}:{path}" for place, _, path in batch]
    assert 'a"b' not in document


def test_a_blobs_oid_is_gits() -> None:
    assert git_blob_oid(b"hello\n") == "ce013625030ba8dba906f756967f9e9ca394464a"
