"""Mutations: each takes its `input` in snake case and gives the fields of its payload.

Several in one document run in order; one that fails is null with its error, and the next ones run all the same.
"""

from __future__ import annotations

from typing import Any

from graphql import GraphQLResolveInfo

from ..resolvers import Resolvers
from .conversation import CONVERSATION
from .pulls import PULLS
from .refs import REFS


def _mutation(name: str) -> Any:
    act = (REFS | PULLS | CONVERSATION)[name]

    def resolve(_: Any, info: GraphQLResolveInfo, *, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
        return {"clientMutationId": input.get("client_mutation_id")} | act(info, input)

    return resolve


MUTATION: Resolvers = {name: _mutation(name) for name in REFS | PULLS | CONVERSATION}
