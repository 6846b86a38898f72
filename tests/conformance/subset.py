"""Whether one GraphQL schema is a part of another: what a client may ask of the part, the whole answers alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    is_required_argument,
    is_required_input_field,
)


def differences(part: GraphQLSchema, whole: GraphQLSchema) -> list[str]:
    """All that the part has otherwise than the whole, or has to itself."""
    found: list[str] = []
    for name, kind in part.type_map.items():
        if name.startswith("__"):
            continue
        other = whole.type_map.get(name)
        if other is None or type(other) is not type(kind):
            found.append(f"{name}: no such {type(kind).__name__}")
        else:
            found += [f"{name}{difference}" for difference in _of_type(kind, other)]
    return found


def _of_type(kind: GraphQLNamedType, other: Any) -> Iterator[str]:
    match kind:
        case GraphQLObjectType() | GraphQLInterfaceType():
            yield from _strangers(" implements ", {each.name for each in kind.interfaces}, other.interfaces)
            yield from _of_fields(kind.fields, other.fields)
        case GraphQLUnionType():
            yield from _strangers(" has the member ", {each.name for each in kind.types}, other.types)
        case GraphQLEnumType():
            yield from (f".{value}: no such value" for value in kind.values if value not in other.values)
        case GraphQLInputObjectType():
            yield from _of_inputs(kind.fields, other.fields, is_required_input_field)
        case _:
            pass


def _strangers(what: str, names: set[str], others: Any) -> Iterator[str]:
    yield from (f"{what}{name}, GitHub's not" for name in sorted(names - {each.name for each in others}))


def _of_fields(fields: Mapping[str, Any], others: Mapping[str, Any]) -> Iterator[str]:
    for name, field in fields.items():
        other = others.get(name)
        if other is None:
            yield f".{name}: no such field"
        elif other.deprecation_reason is not None:
            yield f".{name}: deprecated"
        elif str(field.type) != str(other.type):
            yield f".{name}: is {field.type}, GitHub's {other.type}"
        else:
            yield from (f".{name}{each}" for each in _of_inputs(field.args, other.args, is_required_argument))


def _of_inputs(inputs: Mapping[str, Any], others: Mapping[str, Any], is_required: Any) -> Iterator[str]:
    for name, given in inputs.items():
        other = others.get(name)
        if other is None:
            yield f".{name}: no such input"
        elif str(given.type) != str(other.type):
            yield f".{name}: takes {given.type}, GitHub's {other.type}"
        elif given.default_value != other.default_value:
            yield f".{name}: defaults to {given.default_value}, GitHub's to {other.default_value}"
    yield from (
        f".{name}: required by GitHub" for name, other in others.items() if name not in inputs and is_required(other)
    )
