"""The documents that read files and folders are GitHub's GraphQL."""

from __future__ import annotations

from graphql import parse, validate

from sandbox.github.graphql.schema_text import SCHEMA
from shared.github.contents import contents_query, git_blob_oid


def test_the_generated_document_is_valid_and_holds_no_path_itself() -> None:
    batch = [("file", 'a"b{'), ("folder", ""), ("file", "c"), ("folder", "d/e")]
    document, variables = contents_query(repository="acme/api", oid="0" * 40, batch=batch)
    assert validate(SCHEMA, parse(document)) == []
    assert [variables[f"e{i}"] for i in range(4)] == [f"{'0' * 40}:{path}" for _, path in batch]
    assert 'a"b' not in document


def test_a_blobs_oid_is_gits() -> None:
    assert git_blob_oid(b"hello\n") == "ce013625030ba8dba906f756967f9e9ca394464a"
