"""Errors as GitHub's GraphQL words them: `type`, `path`, `locations` and `message`, beside what data there is."""

from __future__ import annotations

from typing import Any

from graphql import GraphQLError

from ..errors import Reason, Refused

UNKNOWN_NODE = "Could not resolve to a node with the global id of '{id}'."


class Failed(Exception):
    """A field fails with one of the types that only GraphQL has, such as `EXCESSIVE_PAGINATION`."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message


def no_such(kind: str, how: str) -> Refused:
    """`Could not resolve to a Repository with the name 'acme/none'.`"""
    return Refused(Reason.NOT_FOUND, f"Could not resolve to {kind} with {how}.")


def no_node(node_id: str) -> Refused:
    """An id that stands for nothing, or for nothing that the viewer may know of."""
    return Refused(Reason.NOT_FOUND, UNKNOWN_NODE.format(id=node_id))


def formatted(error: GraphQLError) -> dict[str, Any]:
    """One entry of `errors`; raises what is no refusal but a fault of the sandbox."""
    original = error.original_error
    match original:
        case Refused():
            facts: dict[str, Any] = {"type": original.reason.value, "path": list(error.path or ())}
            if original.reason is Reason.FORBIDDEN:
                facts["extensions"] = {"saml_failure": False}
            message = _message(original)
        case Failed():
            facts = {"type": original.kind, "path": list(error.path or ())}
            message = original.message
        case _:
            raise original or error
    return facts | {"locations": _locations(error), "message": message}


def _message(refused: Refused) -> str:
    """GraphQL gives the first detail where REST says `Validation Failed` and lists them."""
    for detail in refused.errors or ():
        if isinstance(detail, str):
            return detail
        if detail.get("message"):
            return str(detail["message"])
    return refused.message


def _locations(error: GraphQLError) -> list[dict[str, int]]:
    return [{"line": at.line, "column": at.column} for at in error.locations or ()]
