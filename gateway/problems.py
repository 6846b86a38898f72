"""Errors as problem details (RFC 9457): the only place where an error becomes an HTTP answer.

Each kind has a stable `type`, which is also the address of a page that explains it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from http import HTTPStatus
from math import ceil
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.routing import compile_path

from shared import errors
from shared.clock import utcnow
from shared.observability.redaction import redact

log = structlog.stdlib.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True)
class Kind:
    """A kind of problem: its name in `type`, its status, and what a user does about it."""

    name: str
    status: int
    advice: str


class InvalidField(BaseModel):
    """One thing that is wrong in a request, or in a document in it."""

    path: str = Field(description="dotted path of the field, such as `query.limit`, `body.dry_run`, or one of a spec")
    message: str
    line: int | None = Field(None, description="in the document")
    column: int | None = None
    hint: str = Field("", description="what to do, such as the nearest known name")


class Problem(BaseModel):
    """An error (RFC 9457)."""

    type: str = Field(description="the kind of problem, and the address of a page about it")
    title: str
    status: int
    detail: str = Field(description="what was wrong this time")
    advice: str = Field(description="what to do about this kind of problem")
    problems: list[InvalidField] = Field([], description="each invalid field")


KINDS: dict[type[Exception], Kind] = {
    errors.InvalidSpec: Kind("invalid-spec", 422, "Correct the fields that `problems` lists, with their lines."),
    errors.InvalidPolicies: Kind("invalid-policies", 422, "Correct what `problems` lists, each with its line."),
    errors.InvalidInput: Kind("invalid-input", 422, "Correct the fields that `problems` lists."),
    errors.ArtifactDeleted: Kind("artifact-deleted", 410, "Run the campaign again: its artifacts are made anew."),
    errors.NotFound: Kind("not-found", 404, "Check the name or id; lists show what exists."),
    errors.AlreadyExists: Kind("already-exists", 409, "Choose another name, or change the existing one with PUT."),
    errors.InvalidTransition: Kind("invalid-transition", 409, "Read the resource again: its state has changed."),
    errors.PreconditionFailed: Kind(
        "precondition-failed", 412, "Read the resource again, and change what it is now: somebody else changed it."
    ),
    errors.Conflict: Kind("conflict", 409, "The detail says what would be possible."),
    errors.NotAuthenticated: Kind("not-authenticated", 401, "Send `Authorization: Bearer obk_…` with a valid API key."),
    errors.NotPermitted: Kind("not-permitted", 403, "Ask for fewer permissions, or have them granted."),
    errors.TargetBlocked: Kind("target-blocked", 409, "Somebody must act first; the detail says how."),
    errors.StepFailed: Kind("step-failed", 422, "Read the target's log."),
    errors.Defer: Kind("try-later", 503, "Ask again after `Retry-After`."),
    errors.Unavailable: Kind("unavailable", 503, "A store or worker does not answer; ask again shortly."),
    errors.GitHubLimited: Kind("github-limited", 503, "GitHub's rate limit; ask again after `Retry-After`."),
    errors.GitHubUnavailable: Kind("github-unavailable", 502, "GitHub does not answer; ask again shortly."),
    errors.GitHubUnauthorized: Kind("github-unauthorized", 502, "Check the App's id and private key."),
    errors.GitHubForbidden: Kind("github-forbidden", 502, "The App lacks a permission; grant it on GitHub."),
    errors.GitHubNotFound: Kind("github-not-found", 404, "It does not exist, or the App may not see it."),
    errors.GitHubInvalid: Kind("github-invalid", 502, "GitHub refuses the request; the detail says why."),
    errors.InstallationSuspended: Kind("installation-suspended", 409, "Unsuspend the installation on GitHub."),
    errors.InstallationNotFound: Kind("installation-not-found", 404, "Install the App on that account."),
    errors.GitHubError: Kind("github-error", 502, "GitHub answered with an error; the detail says which."),
}
INTERNAL = Kind("internal", 500, "This is a defect or an outage of ours; the server's log has the details.")
HTTP = Kind("http", 400, "The request is not one that this API knows.")
METHOD_NOT_ALLOWED = Kind("method-not-allowed", 405, "Use a method that `Allow` lists.")
TOO_LARGE = Kind("too-large", 413, "Send a smaller body.")
RATE_LIMITED = Kind("rate-limited", 429, "Ask again after `Retry-After`, and less often.")
ALL_KINDS = (*KINDS.values(), INTERNAL, HTTP, METHOD_NOT_ALLOWED, TOO_LARGE, RATE_LIMITED)

_BY_STATUS = {kind.status: kind for kind in (KINDS[errors.NotFound], METHOD_NOT_ALLOWED, TOO_LARGE)}
"""Of what Starlette raises by itself."""


def kind_of(error: Exception) -> Kind:
    """The nearest kind up the error's classes."""
    return next((KINDS[cls] for cls in type(error).__mro__ if cls in KINDS), INTERNAL)


def problem(
    kind: Kind,
    detail: str,
    *,
    status: int | None = None,
    problems: list[dict[str, Any]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """A problem response."""
    body = problem_body(kind, detail, status=status)
    if problems:
        body["problems"] = problems
    return JSONResponse(body, status or kind.status, dict(headers or {}), MEDIA_TYPE)


def problem_body(kind: Kind, detail: str, *, status: int | None = None) -> dict[str, Any]:
    """What a problem response says, as `Problem` describes it."""
    return {
        "type": f"/problems/{kind.name}",
        "title": title_of(kind),
        "status": status or kind.status,
        "detail": detail,
        "advice": kind.advice,
    }


def install(app: FastAPI) -> None:
    """Makes every error of the app a problem response."""
    app.add_exception_handler(errors.OctobatchError, _known)
    app.add_exception_handler(RequestValidationError, _invalid_request)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unknown)


async def _known(request: Request, error: Exception) -> JSONResponse:
    kind = kind_of(error)
    if kind is INTERNAL:
        return await _unknown(request, error)
    headers: dict[str, str] = {}
    if isinstance(error, errors.NotAuthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    until = error.retry_at if isinstance(error, errors.GitHubLimited) else getattr(error, "until", None)
    if until:
        headers["Retry-After"] = str(max(ceil((until - utcnow()).total_seconds()), 1))
    elif kind.status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = "2"
    listed = _listed(request, error) if isinstance(error, errors.InvalidInput) else None
    detail = error.message if isinstance(error, errors.InvalidInput) else str(error)
    return problem(kind, redact(detail), problems=listed, headers=headers)


def _listed(request: Request, error: errors.InvalidInput) -> list[dict[str, Any]]:
    """Each field that is wrong; where the error does not say which it is, the part of the request that it is in."""
    part = "query" if request.method == "GET" else "body"
    if error.problems:
        return [asdict(each) | {"path": each.path or part} for each in error.problems]
    return [{"path": error.field or part, "message": redact(error.message)}]


async def _invalid_request(_request: Request, error: Exception) -> JSONResponse:
    found: Sequence[Any] = error.errors() if isinstance(error, RequestValidationError) else []
    listed = [{"path": ".".join(map(str, each["loc"])), "message": str(each["msg"])} for each in found]
    return problem(KINDS[errors.InvalidInput], "the request is not valid", problems=listed)


async def _http(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        raise error
    if error.status_code == HTTPStatus.BAD_REQUEST:  # FastAPI's word for a body that is no text
        listed = [{"path": "body", "message": "it cannot be read: it is neither JSON in UTF-8 nor a form"}]
        return problem(KINDS[errors.InvalidInput], "the request is not valid", problems=listed)
    kind = _BY_STATUS.get(error.status_code, HTTP)
    headers = dict(error.headers or {})
    if kind is METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(_methods_of(request)) or headers.get("Allow", "")
    return problem(kind, str(error.detail), status=error.status_code, headers=headers)


def _methods_of(request: Request) -> list[str]:
    """Every method that the address takes: Starlette names those of one route alone."""
    paths: dict[str, dict[str, Any]] = request.app.openapi()["paths"]
    matching = [path for path in paths if compile_path(path)[0].fullmatch(request.url.path)]
    fewest = min((path.count("{") for path in matching), default=0)  # what is named outright is no parameter
    return sorted({method.upper() for path in matching if path.count("{") == fewest for method in paths[path]})


async def _unknown(request: Request, error: Exception) -> JSONResponse:
    log.error("request_failed", method=request.method, path=request.url.path, exc_info=error)
    return problem(INTERNAL, "the request could not be carried out")


def title_of(kind: Kind) -> str:
    """Its name as words."""
    return kind.name.replace("-", " ").capitalize()
