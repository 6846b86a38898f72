"""GitHub's GraphQL API over the sandbox's state and git, executed by graphql-core over `schema.graphql`.

    answer = await execute(world, viewer, query="{ viewer { login } }", variables={}, operation_name=None)

`schema.graphql` is a part of GitHub's published schema, checked by `tests/conformance/`. What it leaves out is refused
as GitHub refuses fields that do not exist. `search/` is used by REST too.
"""

from __future__ import annotations

from .execution import execute

__all__ = ["execute"]
