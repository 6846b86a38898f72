"""What a query costs, and how many nodes it may ask for, before it runs.

GitHub's formula: the requests needed for each connection, taking every `first` and `last` as reached, added up and
divided by 100, at least 1 point; at most 500,000 nodes. Source: docs.github.com "Rate limits and query limits for the
GraphQL API".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
)

from .errors import Failed

MAX_NODES = 500_000
_CREATING = frozenset({"createPullRequest", "addComment", "requestReviews"})
"""Mutations that people are notified of, which GitHub's limits of content creation are about."""


@dataclass
class Cost:
    """`requests` for connections, `nodes` at most, and how many mutations create content that people are told of."""

    requests: int = 0
    nodes: int = 0
    creates: int = 0

    @property
    def points(self) -> int:
        """Of the primary limit."""
        return max(1, round(self.requests / 100))


@dataclass
class _Walk:
    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    variables: Mapping[str, Any]
    cost: Cost = field(default_factory=Cost)

    def selections(self, parent: GraphQLNamedType, selected: SelectionSetNode | None, times: int) -> None:
        for node in selected.selections if selected else ():
            match node:
                case FieldNode():
                    self.field(parent, node, times)
                case InlineFragmentNode():
                    name = node.type_condition.name.value if node.type_condition else parent.name
                    self.selections(self.schema.type_map[name], node.selection_set, times)
                case FragmentSpreadNode():
                    fragment = self.fragments[node.name.value]
                    self.selections(
                        self.schema.type_map[fragment.type_condition.name.value], fragment.selection_set, times
                    )
                case _:
                    raise TypeError(node)

    def field(self, parent: GraphQLNamedType, node: FieldNode, times: int) -> None:
        definition = getattr(parent, "fields", {}).get(node.name.value)
        if definition is None:  # __typename and introspection
            return
        named = get_named_type(definition.type)
        below = times
        if "first" in definition.args:
            below = times * self.page(node)
            self.cost.requests += times
            self.count(node, below)
        elif parent.name == "Query" and node.name.value == "nodes":
            below = times * self.length(node)
            self.count(node, below)
        elif parent.name == "Mutation":
            self.cost.creates += node.name.value in _CREATING
        self.selections(named, node.selection_set, below)

    def count(self, node: FieldNode, nodes: int) -> None:
        self.cost.nodes += nodes
        if self.cost.nodes > MAX_NODES:
            raise Failed(
                "MAX_NODE_LIMIT_EXCEEDED",
                f"By the time this query traverses to the {node.name.value} connection, it is requesting up to"
                f" {self.cost.nodes:,} possible nodes which exceeds the maximum limit of {MAX_NODES:,}.",
            )

    def page(self, node: FieldNode) -> int:
        for argument in node.arguments or ():
            if argument.name.value in {"first", "last"}:
                value = self.value(argument.value)
                if isinstance(value, int):
                    return max(0, value)
        return 0

    def length(self, node: FieldNode) -> int:
        value = self.value((node.arguments or ())[0].value)
        return len(value) if isinstance(value, list) else 1

    def value(self, node: ValueNode) -> Any:
        match node:
            case VariableNode():
                return self.variables.get(node.name.value)
            case IntValueNode():
                return int(node.value)
            case ListValueNode():
                return list(node.values)
            case _:
                return None


def cost_of(
    schema: GraphQLSchema,
    operation: OperationDefinitionNode,
    fragments: Mapping[str, FragmentDefinitionNode],
    variables: Mapping[str, Any],
) -> Cost:
    """The cost of an operation with these variables; raises `Failed` where it may ask for too many nodes."""
    root = schema.mutation_type if operation.operation is OperationType.MUTATION else schema.query_type
    if root is None:
        raise TypeError("the schema has no such root")
    walk = _Walk(schema, fragments, variables)
    walk.selections(root, operation.selection_set, 1)
    return walk.cost
