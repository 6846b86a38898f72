"""Documents parsed and validated, with GitHub's words for what is wrong in them.

graphql-core's findings are said again as graphql-ruby, which GitHub uses, says them: message, `path` and `extensions`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSyntaxError,
    InlineFragmentNode,
    Node,
    OperationDefinitionNode,
    parse,
    validate,
)

from .schema_text import SCHEMA


@dataclass(frozen=True)
class Document:
    """A document that is valid, or the errors that say why it is not."""

    node: DocumentNode | None
    errors: tuple[Mapping[str, Any], ...] = ()


@lru_cache(maxsize=512)
def document(text: str) -> Document:
    """The document of that text."""
    try:
        node = parse(text)
    except GraphQLSyntaxError as error:
        return Document(None, (_syntax_error(error),))
    errors = validate(SCHEMA, node)
    return Document(node, tuple(_said_again(error, node) for error in errors))


def operation(node: DocumentNode, name: str | None) -> OperationDefinitionNode | None:
    """The operation to run: the one of that name, or the only one."""
    found = [each for each in node.definitions if isinstance(each, OperationDefinitionNode)]
    if name:
        found = [each for each in found if each.name and each.name.value == name]
    return found[0] if len(found) == 1 else None


def fragments(node: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    """The document's fragments by name."""
    return {each.name.value: each for each in node.definitions if isinstance(each, FragmentDefinitionNode)}


def _syntax_error(error: GraphQLSyntaxError) -> dict[str, Any]:
    at = (error.locations or [None])[0]
    message = error.message.removeprefix("Syntax Error: ").rstrip(".")
    if at is None:
        return {"message": message}
    return {
        "message": f"{message} at [{at.line}, {at.column}]",
        "locations": [{"line": at.line, "column": at.column}],
    }


_SAYINGS: Sequence[tuple[str, str, str, tuple[str, ...]]] = (
    # graphql-core's message, GitHub's, its code, and the names of the captured parts in `extensions`
    (r"Cannot query field '(.+?)' on type '(.+?)'", "Field '{0}' doesn't exist on type '{1}'", "undefinedField",
     ("fieldName", "typeName")),
    (r"Unknown argument '(.+?)' on field '.+?\.(.+?)'", "Field '{1}' doesn't accept argument '{0}'",
     "argumentNotAccepted", ("argumentName", "name")),
    (r"Field '(.+?)' of type '(.+?)' must have a selection of subfields",
     "Field must have selections (field '{0}' returns {1} but has no selections. Did you mean '{0} {{ ... }}'?)",
     "selectionMismatch", ("nodeName", "typeName")),
    (r"Field '(.+?)' must not have a selection since type '(.+?)' has no subfields",
     "Selections can't be made on scalars (field '{0}' returns {1} but has selections)", "selectionMismatch",
     ("nodeName", "typeName")),
    (r"Field '(?:.+?\.)?(.+?)' argument '(.+?)' of type '.+?' is required, but it was not provided",
     "Field '{0}' is missing required arguments: {1}", "missingRequiredArguments", ("name", "arguments")),
    (r"Argument '.+?\.(.+?)\((.+?):\)' of type '.+?' is required, but it was not provided",
     "Field '{0}' is missing required arguments: {1}", "missingRequiredArguments", ("name", "arguments")),
    (r"Variable '\$(.+?)' is never used in operation '(.+?)'", "Variable ${0} is declared by {1} but not used",
     "variableNotUsed", ("variableName",)),
    (r"Variable '\$(.+?)' is never used", "Variable ${0} is declared by anonymous query but not used",
     "variableNotUsed", ("variableName",)),
    (r"Variable '\$(.+?)' is not defined by operation '(.+?)'", "Variable ${0} is used by {1} but not declared",
     "variableNotDefined", ("variableName",)),
    (r"Variable '\$(.+?)' is not defined", "Variable ${0} is used by anonymous query but not declared",
     "variableNotDefined", ("variableName",)),
    (r"Variable '\$(.+?)' of type '(.+?)' used in position expecting type '(.+?)'",
     "Type mismatch on variable ${0} ({1} / {2})", "variableMismatch", ("variableName", "typeName")),
    (r"Unknown fragment '(.+?)'", "Fragment {0} was used, but not defined", "useAndDefineFragment",
     ("fragmentName",)),
    (r"Fragment '(.+?)' is never used", "Fragment {0} was defined, but not used", "useAndDefineFragment",
     ("fragmentName",)),
    (r"Unknown type '(.+?)'", "{0} isn't a defined input type (or fragment condition)", "undefinedType",
     ("typeName",)),
    (r"Field '(.+?)' is not defined by type '(.+?)'", "InputObject '{1}' doesn't accept argument '{0}'",
     "argumentNotAccepted", ("argumentName", "name")),
    (r"Field '(.+?)\.(.+?)' of required type '(.+?)' was not provided",
     "Argument '{1}' on InputObject '{0}' is required. Expected type {2}", "missingRequiredInputObjectAttribute",
     ("inputObjectType", "argumentName", "argumentType")),
)  # fmt: skip


def _said_again(error: GraphQLError, node: DocumentNode) -> dict[str, Any]:
    said: dict[str, Any] = {"path": _path(error, node)} if error.nodes else {}
    for pattern, message, code, names in _SAYINGS:
        if match := re.match(pattern, error.message):
            parts = match.groups()
            said["extensions"] = {"code": code, **dict(zip(names, parts, strict=False))}
            said["message"] = message.format(*parts)
            break
    else:
        said["message"] = error.message
    said["locations"] = [{"line": at.line, "column": at.column} for at in error.locations or ()]
    return said


def _path(error: GraphQLError, document: DocumentNode) -> list[str]:
    """Where in the document it is: `["query Name", "viewer", "... on Repository", "field"]`."""
    wanted = (error.nodes or [document])[0]
    trail: list[str] = []

    def search(node: Node) -> bool:
        label = _label(node)
        if label:
            trail.append(label)
        if node is wanted or any(search(child) for child in _children(node)):
            return True
        if label:
            trail.pop()
        return False

    search(document)
    return trail


def _children(node: Node) -> list[Node]:
    values = (getattr(node, key, None) for key in node.keys)
    return [
        child
        for value in values
        for child in (value if isinstance(value, tuple | list) else [value])
        if isinstance(child, Node)
    ]


def _label(node: Node) -> str:
    match node:
        case OperationDefinitionNode():
            return f"{node.operation.value} {node.name.value}" if node.name else node.operation.value
        case FragmentDefinitionNode():
            return f"fragment {node.name.value}"
        case InlineFragmentNode():
            return f"... on {node.type_condition.name.value}" if node.type_condition else "..."
        case FieldNode():
            return node.alias.value if node.alias else node.name.value
        case _:
            return ""
