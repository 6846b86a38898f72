"""REST exchanges judged by GitHub's OpenAPI description: path, parameters, request body, status, response body.

    description = Description(published.openapi())
    description.problems(exchange)                                  # [] where it conforms

Beside what a JSON Schema validator finds, an object's properties must all be known to its schema: the description
leaves most objects open, so a misspelt optional property would pass otherwise.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from jsonschema.exceptions import best_match
from jsonschema.validators import extend
from openapi_schema_validator import OAS30Validator, oas30_format_checker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

from .corrections import Json, corrected

_DOCUMENT = "urn:github"
_EMPTY = {"path"}
_MULTIPART = {"path", "ref", "basehead", "branch", "tree_sha", "name", "tag_sha"}
"""Path parameters that may hold slashes; those of `_EMPTY` may hold nothing, too."""


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """A request to REST (`path` below the API's root) and its answer."""

    method: str
    path: str
    query: Collection[str] = ()
    request: bytes = b""
    status: int
    media_type: str = ""
    response: bytes = b""

    def __str__(self) -> str:
        return f"{self.method} {self.path} → {self.status}"


@dataclass(frozen=True)
class Operation:
    """A method of a path; `pointer` leads to it in the description."""

    template: str
    method: str
    facts: Mapping[str, Any]

    @property
    def pointer(self) -> tuple[str, ...]:
        """The keys from the description's root."""
        return ("paths", self.template, self.method)


class Description:
    """GitHub's OpenAPI description."""

    def __init__(self, document: Json) -> None:
        self._document = corrected(document)
        resource: Resource[Any] = Resource(contents=self._document, specification=DRAFT4)
        self._registry: Registry[Any] = Registry().with_resource(_DOCUMENT, resource)
        templates = sorted(document["paths"], key=_openness)
        self._paths = [(re.compile(_pattern(template)), template) for template in templates]

    def operation(self, method: str, path: str) -> Operation | None:
        """The operation of a request, if GitHub has one."""
        for pattern, template in self._paths:
            methods = self._document["paths"][template]
            if (pattern.fullmatch(path) or pattern.fullmatch(f"{path}/")) and method.lower() in methods:
                return Operation(template, method.lower(), methods[method.lower()])
        return None

    def has(self, method: str, template: str) -> bool:
        """Whether GitHub has an operation whose path differs in the names of parameters at most."""
        wanted = re.sub(r"\{[^}]*\}", "{}", template)
        return any(
            re.sub(r"\{[^}]*\}", "{}", path) == wanted and method.lower() in methods
            for path, methods in self._document["paths"].items()
        )

    def problems(self, exchange: Exchange) -> list[str]:
        """All in which the exchange is not as described; each begins with what was asked."""
        operation = self.operation("GET" if exchange.method == "HEAD" else exchange.method, exchange.path)
        if operation is None:
            # what is not there is a 404 on GitHub too
            found = [] if exchange.status == 404 else ["GitHub has no such endpoint"]
            return [f"{exchange}: {each}" for each in found]
        found = [
            *self._query_problems(operation, exchange),
            *self._request_problems(operation, exchange),
            *self._response_problems(operation, exchange),
        ]
        return [f"{exchange}: {each}" for each in found]

    def _query_problems(self, operation: Operation, exchange: Exchange) -> Iterator[str]:
        listed = [self._resolved(each) for each in operation.facts.get("parameters", ())]
        known = {each["name"] for each in listed if each["in"] == "query"}
        yield from (f"the parameter {name!r} is unknown" for name in exchange.query if name not in known)

    def _request_problems(self, operation: Operation, exchange: Exchange) -> Iterator[str]:
        content = operation.facts.get("requestBody", {}).get("content", {})
        refused = exchange.status in {400, 404, 422}  # wrong requests are sent on purpose, too
        if not exchange.request or refused or exchange.request == b"{}":
            return
        if "application/json" not in content:
            yield "a body is sent, and none is taken"
            return
        pointer = (*operation.pointer, "requestBody", "content", "application/json", "schema")
        yield from (f"request {each}" for each in self._of_value(pointer, json.loads(exchange.request)))

    def _response_problems(self, operation: Operation, exchange: Exchange) -> Iterator[str]:
        if exchange.status >= 500 or exchange.method == "HEAD" or exchange.status == 304:
            return
        pointer = self._schema_of(operation, exchange.status)
        if pointer is None:
            yield "the status is not described"
        elif not pointer:
            if exchange.response and exchange.status < 300:
                yield "a body is answered, and none is described"
        elif "json" not in exchange.media_type:
            yield f"the answer is {exchange.media_type or 'empty'}, not JSON"
        else:
            yield from (f"response {each}" for each in self._of_value(pointer, json.loads(exchange.response)))

    def _schema_of(self, operation: Operation, status: int) -> tuple[str, ...] | None:
        """Where the schema of an answer stands; () where it has no body, None where the status is not described.

        GitHub answers many refusals that it does not list, all with the same body.
        """
        responses = operation.facts["responses"]
        if str(status) not in responses:
            return ("components", "schemas", "basic-error") if 300 <= status < 500 else None
        pointer = (*operation.pointer, "responses", str(status))
        response = responses[str(status)]
        if "$ref" in response:
            pointer = tuple(response["$ref"].removeprefix("#/").split("/"))
            response = self._resolved(response)
        if "application/json" not in response.get("content", {}):
            return ("components", "schemas", "basic-error") if 400 <= status < 500 else ()
        return (*pointer, "content", "application/json", "schema")

    def _of_value(self, pointer: Sequence[str], value: Any) -> Iterator[str]:
        escaped = "/".join(key.replace("~", "~0").replace("/", "~1") for key in pointer)
        validator: Any = _Validator(
            {"$ref": f"{_DOCUMENT}#/{quote(escaped, safe='/~')}"},
            registry=self._registry,
            format_checker=oas30_format_checker,
        )
        for error in validator.iter_errors(value):
            deepest = best_match([error]) or error
            where = ".".join(str(key) for key in deepest.absolute_path)
            yield f"at {where or 'the root'}: {deepest.message[:300]}"
        schema: Any = self._document
        for key in pointer:
            schema = schema[key]
        if isinstance(value, dict) and {"message", "status"} <= value.keys():
            value = {key: value[key] for key in value if key != "status"}  # all errors have it, few descriptions
        yield from (f"at {where}: unknown property" for where in self._strangers([schema], value, ""))

    def _strangers(self, schemas: Sequence[Json], value: Any, where: str) -> Iterator[str]:
        """Paths of properties that none of the schemas knows."""
        flat = [each for schema in schemas for each in self._flat(schema)]
        if isinstance(value, list):
            items = [schema["items"] for schema in flat if "items" in schema]
            for index, item in enumerate(value):
                yield from self._strangers(items, item, f"{where}[{index}]") if items else ()
        if not isinstance(value, dict):
            return
        objects = [schema for schema in flat if "properties" in schema]
        if not objects or any(schema.get("additionalProperties") for schema in flat):
            return
        for name, member in value.items():
            known = [schema["properties"][name] for schema in objects if name in schema["properties"]]
            if known:
                yield from self._strangers(known, member, f"{where}.{name}")
            else:
                yield f"{where}.{name}".lstrip(".")

    def _flat(self, schema: Json) -> Iterator[Json]:
        """The schema and all it is composed of."""
        schema = self._resolved(schema)
        yield schema
        for composition in ("allOf", "anyOf", "oneOf"):
            for part in schema.get(composition, ()):
                yield from self._flat(part)

    def _resolved(self, node: Json) -> Json:
        found: Any = node
        while "$ref" in found:
            keys = found["$ref"].removeprefix("#/").split("/")
            found = self._document
            for key in keys:
                found = found[key.replace("~1", "/").replace("~0", "~")]
        return found


def _or_null(keyword: str) -> Any:
    """GitHub writes `nullable` beside this keyword too, where OpenAPI 3.0.3 heeds it beside `type` alone.

    It also writes a `discriminator` where one of the alternatives is an array, which has no property to tell it by.
    """
    validate = OAS30Validator.VALIDATORS[keyword]

    def validate_or_null(validator: Any, value: Any, instance: Any, schema: Json) -> Iterator[Any]:
        if isinstance(instance, list):
            schema = {key: schema[key] for key in schema if key != "discriminator"}
        if instance is not None or not schema.get("nullable"):
            yield from validate(validator, value, instance, schema) or ()

    return validate_or_null


_Validator: Any = extend(OAS30Validator, {key: _or_null(key) for key in ("allOf", "anyOf", "oneOf", "enum")})


def _pattern(template: str) -> str:
    parts = re.split(r"\{([^}]*)\}", template)
    return "".join(
        re.escape(part) if index % 2 == 0 else (".*" if part in _EMPTY else ".+" if part in _MULTIPART else "[^/]+")
        for index, part in enumerate(parts)
    )


def _openness(template: str) -> tuple[int, int, int]:
    """Templates with fewer parameters, and those that take slashes last, are tried first."""
    names = re.findall(r"\{([^}]*)\}", template)
    return sum(name in _MULTIPART for name in names), len(names), -len(template)
