"""GraphQL documents, and the answers to them.

A document is a file `documents/<name>.graphql`, and what several share is a fragment in `documents/fragments/`; the
tests validate each against GitHub's published schema.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any, cast

from ..errors import GitHubError, GitHubUnavailable
from .limits import graphql_error

RATE_LIMIT = "rateLimit { cost limit remaining resetAt }"
"""What every query asks for, so that its cost is known; a mutation cannot."""

_SPREAD = re.compile(r"\.\.\.([A-Z]\w*)")
_MISSING = frozenset({"NOT_FOUND", "FORBIDDEN"})


@dataclass(frozen=True)
class GraphQLError:
    """One entry of an answer's `errors`; `path` leads to the field that is null because of it."""

    message: str
    type: str | None
    path: tuple[str | int, ...]

    def as_exception(self) -> GitHubError:
        """The error to raise where this part of the answer is needed."""
        return graphql_error(self.message, self.type)


@dataclass(frozen=True, kw_only=True)
class RateLimit:
    """What a query cost, in points, and what is left of the installation's primary `limit` until the reset.

    Source: docs.github.com "Rate limits and query limits for the GraphQL API". None of a server without limits.
    """

    cost: int
    limit: int
    remaining: int
    reset_at: datetime


@dataclass(frozen=True)
class GraphQLAnswer:
    """What GitHub could answer, and what it could not: GraphQL answers in part.

    `rate` is what the document asked for with `rateLimit`, and no part of the data.
    """

    data: dict[str, Any]
    errors: tuple[GraphQLError, ...]
    rate: RateLimit | None = None

    def complete(self) -> dict[str, Any]:
        """The data, where nothing of it is missing; else raises the first error."""
        for error in self.errors:
            raise error.as_exception()
        return self.data

    def but_for_missing(self) -> dict[str, Any]:
        """The data, where what is missing of it is only nodes that do not exist or may not be seen, which are null."""
        for error in self.errors:
            if error.type not in _MISSING or not {"nodes", "edges"} & set(error.path):
                raise error.as_exception()
        return self.data

    def but_for_missing_fields(self, *, depth: int = 1) -> dict[str, Any]:
        """The same where each thing is a field of its own, under an alias: those that are not there are null.

        `depth` is how far below the top such a field may stand.
        """
        for error in self.errors:
            if error.type not in _MISSING or not 1 <= len(error.path) <= depth:
                raise error.as_exception()
        return self.data

    def error_at(self, *path: str | int) -> GraphQLError | None:
        """The first error at or below `path`, such as `error_at("createRef")`."""
        return next((error for error in self.errors if error.path[: len(path)] == path), None)


@cache
def document_text(name: str) -> str:
    """The text of `documents/<name>.graphql`, with the fragments that it spreads."""
    return with_fragments(files("shared.github").joinpath("documents", f"{name}.graphql").read_text())


def with_fragments(text: str) -> str:
    """A document with the fragments that it spreads: each is a file `documents/fragments/<name>.graphql`."""
    folder = files("shared.github").joinpath("documents", "fragments")
    names = dict.fromkeys(_SPREAD.findall(text))
    return "\n".join([text, *(folder.joinpath(f"{name}.graphql").read_text() for name in names)])


def nodes_of(connection: Mapping[str, Any] | None) -> list[Mapping[str, Any]]:
    """The nodes of a connection that the App may see; none where it may not see the connection."""
    found: Sequence[Mapping[str, Any] | None] = (connection or {}).get("nodes") or ()
    return [node for node in found if node]


def parse_answer(payload: Mapping[str, Any]) -> GraphQLAnswer:
    """An answer from its JSON; raises the first error where there is no data at all."""
    raw_errors = cast("list[dict[str, Any]]", payload.get("errors") or [])
    errors = tuple(
        GraphQLError(str(error.get("message", "")), error.get("type"), tuple(error.get("path") or ()))
        for error in raw_errors
    )
    data = payload.get("data")
    if not isinstance(data, dict):
        raise errors[0].as_exception() if errors else GitHubUnavailable("GitHub's answer holds no data", status=200)
    found = cast("dict[str, Any]", data)
    return GraphQLAnswer(found, errors, _rate_of(found.pop("rateLimit", None)))


def _rate_of(raw: Mapping[str, Any] | None) -> RateLimit | None:
    if raw is None:
        return None
    reset_at = datetime.fromisoformat(raw["resetAt"])
    return RateLimit(cost=raw["cost"], limit=raw["limit"], remaining=raw["remaining"], reset_at=reset_at)
