"""What conformance is judged by, and a sandbox whose every REST exchange is judged."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from graphql import GraphQLSchema, build_schema

from tests.conformance import published
from tests.conformance.exchanges import Description
from tests.conformance.server import JudgedSandbox, judged_sandbox


@pytest.fixture(scope="session")
def npm() -> str:
    """The npm command. Without it these tests are skipped, except where `CI=true`: there they must run."""
    found = shutil.which("npm")
    if found is None and os.environ.get("CI") == "true":
        pytest.fail("CI=true, and npm, which fetches what GitHub publishes of its API, is not installed")
    if found is None:
        pytest.skip("npm, which fetches what GitHub publishes of its API, is not installed")
    return found


@pytest.fixture(scope="session")
def github_sdl(npm: str) -> str:
    """GitHub's GraphQL schema as text."""
    return published.graphql_schema()


@pytest.fixture(scope="session")
def github_schema(github_sdl: str) -> GraphQLSchema:
    """GitHub's GraphQL schema."""
    return build_schema(github_sdl, assume_valid=True)


@pytest.fixture(scope="session")
def description(npm: str) -> Description:
    """GitHub's OpenAPI description."""
    return Description(published.openapi())


@pytest.fixture
def sandbox(description: Description, tmp_path_factory: pytest.TempPathFactory) -> Iterator[JudgedSandbox]:
    """A sandbox served on a port; at the end of the test all its REST exchanges must have conformed."""
    with judged_sandbox(description, tmp_path_factory.mktemp("github")) as sandbox:
        yield sandbox
        assert sandbox.problems == []
