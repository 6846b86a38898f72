"""What GitHub refuses, apart from how REST and GraphQL say so."""

from __future__ import annotations

from enum import StrEnum
from typing import Any


class Reason(StrEnum):
    """Why a request is refused; GraphQL's error types are named alike."""

    BAD_REQUEST = "BAD_REQUEST"
    UNAUTHORIZED = "UNAUTHORIZED"
    FORBIDDEN = "FORBIDDEN"
    NOT_FOUND = "NOT_FOUND"
    NOT_MERGEABLE = "NOT_MERGEABLE"
    CONFLICT = "CONFLICT"
    STALE_DATA = "STALE_DATA"
    UNPROCESSABLE = "UNPROCESSABLE"


class Refused(Exception):
    """The request changes nothing. `errors` are the details REST gives with a 422."""

    def __init__(self, reason: Reason, message: str, *, errors: list[Any] | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.errors = errors


def not_found(message: str = "Not Found") -> Refused:
    """It is not there, or may not be seen."""
    return Refused(Reason.NOT_FOUND, message)


def forbidden(message: str = "Resource not accessible by integration") -> Refused:
    """It is there, and the permissions do not suffice."""
    return Refused(Reason.FORBIDDEN, message)


def unprocessable(message: str, errors: list[Any] | None = None) -> Refused:
    """The request is understood and cannot be followed."""
    return Refused(Reason.UNPROCESSABLE, message, errors=errors)


def invalid(resource: str, field: str | None = None, *, code: str = "invalid", message: str | None = None) -> Refused:
    """`Validation Failed` with one detail."""
    detail = {"resource": resource, "code": code, "field": field, "message": message}
    return unprocessable("Validation Failed", [{key: value for key, value in detail.items() if value is not None}])
