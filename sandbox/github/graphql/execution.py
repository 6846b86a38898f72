"""From a request to its answer: parse, validate, price, charge, run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphql import ExecutionResult, GraphQLError, OperationType, VariableDefinitionNode, print_ast
from graphql import execute as run
from graphql.execution import get_variable_values

from ..access import Viewer
from ..world import World
from .cost import cost_of
from .documents import document, fragments, operation
from .errors import Failed, formatted
from .nodes import Request
from .schema import EXECUTABLE

Answer = dict[str, Any]


async def execute(
    world: World,
    viewer: Viewer,
    *,
    query: str | None,
    variables: Mapping[str, Any] | None = None,
    operation_name: str | None = None,
) -> Answer:
    """The JSON body that answers the request; raises `limits.Limited` where a limit is reached.

    Everything runs on the loop's thread without a pause, so one request sees one state.
    """
    if not query:
        return {"errors": [{"message": "A query attribute must be specified and must be a string."}]}
    found = document(query)
    if found.node is None or found.errors:
        return {"errors": [dict(error) for error in found.errors]}
    chosen = operation(found.node, operation_name)
    if chosen is None:
        wanted = f"No operation named {operation_name!r}" if operation_name else "An operation name is required"
        return {"errors": [{"message": wanted}]}
    given = dict(variables or {})
    values = get_variable_values(EXECUTABLE, chosen.variable_definitions or (), given)
    if isinstance(values, list):
        return {"errors": [_wrong_variable(error, chosen.variable_definitions or (), given) for error in values]}
    try:
        cost = cost_of(EXECUTABLE, chosen, fragments(found.node), given)
    except Failed as failed:
        return {"errors": [{"type": failed.kind, "message": failed.message}]}
    mutation = chosen.operation is OperationType.MUTATION
    world.counters.add("graphql mutation" if mutation else "graphql query")
    world.limits.charge_graphql(viewer, cost=cost.points, mutation=mutation, creates=cost.creates)
    result = run(
        EXECUTABLE,
        found.node,
        context_value=Request(world=world, viewer=viewer, cost=cost),
        variable_values=given,
        operation_name=operation_name,
    )
    if not isinstance(result, ExecutionResult):
        raise TypeError("resolvers answer at once")
    answer: Answer = {"data": result.data}
    if result.errors:
        answer["errors"] = [formatted(error) for error in result.errors]
    return answer


def _wrong_variable(
    error: GraphQLError, definitions: tuple[VariableDefinitionNode, ...], given: Mapping[str, Any]
) -> Answer:
    """`Variable $ids of type [ID!]! was provided invalid value`."""
    locations = [{"line": at.line, "column": at.column} for at in error.locations or ()]
    for definition in definitions:
        if definition in (error.nodes or ()):
            name = definition.variable.name.value
            missing = "Expected value to not be null" if given.get(name) is None else error.message
            problem = {"path": [], "explanation": missing}
            return {
                "extensions": {"value": given.get(name), "problems": [problem]},
                "locations": locations,
                "message": f"Variable ${name} of type {print_ast(definition.type)} was provided invalid value",
            }
    return {"locations": locations, "message": error.message}
