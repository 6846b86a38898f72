"""The OpenAPI description made whole: every answer of every route, examples, and what can be asked next."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from shared import errors

from .problems import KINDS, MEDIA_TYPE, RATE_LIMITED, TOO_LARGE, Kind, Problem, problem_body
from .reference import EXAMPLES
from .versions import V1

EVENTS = "text/event-stream"

_ASKS_GITHUB = (
    errors.NotPermitted,
    errors.InstallationNotFound,
    errors.InstallationSuspended,
    errors.GitHubUnavailable,
    errors.InvalidInput,
)
_BESIDES: dict[str, tuple[type[Exception], ...]] = {
    "put_campaign": (errors.PreconditionFailed,),
    "create_campaign": (errors.AlreadyExists,),
    "create_api_key": (errors.AlreadyExists,),
    "create_schedule": (errors.AlreadyExists,),
    "create_endpoint": (errors.Conflict, errors.NotFound),
    "get_secret": (errors.Conflict,),
    "start_selection": (errors.Conflict,),
    "compare_selections": (errors.Conflict,),
    "list_repositories": (errors.Conflict,),
    "count_by_facet": (errors.Conflict,),
    "explain_repository": (errors.Conflict,),
    "export_selection": (errors.Conflict,),
    "decide_question": (errors.NotFound,),
    "download_artifact": (errors.ArtifactDeleted,),
    "get_content": (errors.ArtifactDeleted,),
    "take_webhook": (errors.NotAuthenticated,),
    "check": _ASKS_GITHUB,
    "dry_run_scope": _ASKS_GITHUB,
    "get_scoped_token": _ASKS_GITHUB,
    "get_token": _ASKS_GITHUB,
    "sync_installations": _ASKS_GITHUB,
}
"""What may go wrong with a route that does not follow from its method and its address."""

_RUN = {"run_id": "$response.body#/run/id"}
_LINKS: dict[str, dict[str, dict[str, str]]] = {
    "create_campaign": {
        "get_campaign": {"name": "$response.body#/name"},
        "put_campaign": {"name": "$response.body#/name"},
        "start_run": {"name": "$response.body#/name"},
        "close_campaign": {"name": "$response.body#/name"},
        "delete_campaign": {"name": "$response.body#/name"},
    },
    "start_run": {
        "get_operation": {"operation_id": "$response.body#/operation/id"},
        "get_run": _RUN,
        "list_targets": _RUN,
        "pause_run": _RUN,
        "cancel_run": _RUN,
        "act_on_run": _RUN,
    },
    "start_selection": {
        "get_operation": {"operation_id": "$response.body#/operation/id"},
        "get_selection": {"selection_id": "$response.body#/selection/id"},
        "cancel_selection": {"selection_id": "$response.body#/selection/id"},
        "repeat_selection": {"selection_id": "$response.body#/selection/id"},
    },
    "create_schedule": {
        "get_schedule": {"name": "$response.body#/name"},
        "pause_schedule": {"name": "$response.body#/name"},
        "delete_schedule": {"name": "$response.body#/name"},
    },
    "create_endpoint": {
        "get_endpoint": {"endpoint_id": "$response.body#/endpoint/id"},
        "update_endpoint": {"endpoint_id": "$response.body#/endpoint/id"},
        "rotate_secret": {"endpoint_id": "$response.body#/endpoint/id"},
        "ping": {"endpoint_id": "$response.body#/endpoint/id"},
        "delete_endpoint": {"endpoint_id": "$response.body#/endpoint/id"},
    },
    "list_targets": {"get_target": {"target_id": "$response.body#/items/0/id"}},
    "list_runs": {"get_run": {"run_id": "$response.body#/items/0/id"}},
    "list_campaigns": {"get_campaign": {"name": "$response.body#/items/0/name"}},
}
"""What can be asked next with what a route has answered."""


def install(app: FastAPI) -> None:
    """Completes what FastAPI describes by itself."""
    describe = app.openapi

    def complete() -> dict[str, Any]:
        if app.openapi_schema is None:
            _complete(describe())
        return describe()

    app.openapi = complete


def _complete(api: dict[str, Any]) -> None:
    schemas = api["components"]["schemas"]
    for unused in ("HTTPValidationError", "ValidationError"):  # FastAPI's own; ours are problems
        schemas.pop(unused, None)
    described = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= described.pop("$defs") | {"Problem": described}
    for name, example in EXAMPLES.items():
        schemas[name]["examples"] = [example]
        if page := schemas.get(f"Page_{name}_"):
            page["examples"] = [{"items": [example], "next_cursor": None}]
    for path, operations in api["paths"].items():
        for method, operation in operations.items():
            _complete_operation(path, method, operation)


def _complete_operation(path: str, method: str, operation: dict[str, Any]) -> None:
    answers: dict[str, Any] = operation["responses"]
    answers.pop("422", None)
    if (
        method == "get"
        and path.startswith(V1)
        and list(answers.get("200", {}).get("content", {})) == ["application/json"]
    ):
        answers["200"]["headers"] = {"ETag": _header("the tag of this answer; none where it is not to be stored")}
        answers["304"] = {"description": "What `If-None-Match` names is still what would be answered."}
    if "202" in answers and path.startswith(V1):
        answers["202"]["headers"] = {"Location": _header("where to follow what was begun")}
    for answer in answers.values():
        if EVENTS in answer.get("content", {}):
            answer["content"][EVENTS] = {}  # a schema would be of each event, and FastAPI's is of the text
    for kind in _kinds_of(path, method, operation):
        answers.setdefault(str(kind.status), _answer(kind))
    for name, parameters in _LINKS.get(operation["operationId"], {}).items():
        for status in ("200", "201", "202"):
            if status in answers:
                links = answers[status].setdefault("links", {})
                links[name] = {"operationId": name, "parameters": parameters}


def _kinds_of(path: str, method: str, operation: dict[str, Any]) -> list[Kind]:
    found: list[type[Exception]] = []
    limits: list[Kind] = []
    if operation.get("security"):
        found += [errors.NotAuthenticated, errors.NotPermitted, errors.Unavailable]
    if path.startswith(V1):
        found.append(errors.InvalidInput)
        limits.append(RATE_LIMITED)
    if "{" in path:
        found.append(errors.NotFound)
    if "{" in path and method != "get":
        found.append(errors.Conflict)
    if operation.get("parameters") or operation.get("requestBody"):
        found.append(errors.InvalidInput)
    if operation.get("requestBody") or path.startswith("/webhooks/"):
        limits.append(TOO_LARGE)
    found += _BESIDES.get(operation["operationId"], ())
    return [*(KINDS[error] for error in found), *limits]


def _answer(kind: Kind) -> dict[str, Any]:
    content = {"schema": {"$ref": "#/components/schemas/Problem"}, "example": problem_body(kind, kind.advice)}
    answer: dict[str, Any] = {"description": kind.advice, "content": {MEDIA_TYPE: content}}
    if kind.status in {429, 503}:
        answer["headers"] = {"Retry-After": {**_header("seconds until it is worth another try"), "required": True}}
    return answer


def _header(description: str) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "string"}}
