"""The API's reference, made of its OpenAPI description."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from markupsafe import Markup, escape

from .kit import ROOMS, templates

router = APIRouter(include_in_schema=False)

_TICKED = re.compile("`([^`]+)`")

Part = tuple[str, str | None]
"""A piece of a type in words, and the schema that it names, where it names one."""


@dataclass(frozen=True, kw_only=True)
class Field:
    """A parameter, or a property of a schema."""

    name: str
    where: str = ""
    type: Sequence[Part]
    is_required: bool
    description: str


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One answer of an operation."""

    status: str
    description: str
    type: Sequence[Part]

    @property
    def is_problem(self) -> bool:
        """Whether it says that something is wrong."""
        return self.status >= "4"


@dataclass(frozen=True, kw_only=True)
class Operation:
    """A route of the API."""

    name: str
    method: str
    path: str
    description: str
    is_deprecated: bool
    parameters: Sequence[Field]
    body: Sequence[Part]
    body_fields: Sequence[Field]
    answers: Sequence[Answer]

    @property
    def meaning(self) -> str:
        """Its description up to the first end of a sentence."""
        return self.description.partition(". ")[0].split("\n")[0].rstrip(".")

    def has(self, text: str) -> bool:
        """Whether it is about the words of `text`, all of them."""
        told = f"{self.method} {self.path} {self.name} {self.description}".lower()
        return all(word in told for word in text.lower().split())


@dataclass(frozen=True, kw_only=True)
class Schema:
    """An object, or a choice of values, of bodies and answers."""

    name: str
    description: str
    type: Sequence[Part]
    fields: Sequence[Field]
    example: str


class Reference:
    """An OpenAPI description as a page shows it."""

    def __init__(self, api: Mapping[str, Any]) -> None:
        self._api = api
        self._schemas: Mapping[str, Any] = api["components"]["schemas"]

    @cached_property
    def groups(self) -> dict[str, list[Operation]]:
        """All operations by what they are about, in the order of the description."""
        found: defaultdict[str, list[Operation]] = defaultdict(list)
        for path, methods in self._api["paths"].items():
            for method, operation in methods.items():
                found[(operation.get("tags") or ["others"])[0]].append(self._operation(path, method, operation))
        return dict(found)

    @cached_property
    def schemas(self) -> list[Schema]:
        """All schemas in the order of their names."""
        return [self._schema(name, self._schemas[name]) for name in sorted(self._schemas)]

    def _operation(self, path: str, method: str, given: Mapping[str, Any]) -> Operation:
        body: Mapping[str, Any] = _content(given.get("requestBody", {}))
        named = body.get("$ref", "").rpartition("/")[2]
        return Operation(
            name=given["operationId"],
            method=method.upper(),
            path=path,
            description=given.get("description", given.get("summary", "")),
            is_deprecated=given.get("deprecated", False),
            parameters=[self._parameter(each) for each in given.get("parameters", ())],
            body=list(_type_of(body)) if body else [],
            body_fields=list(self._fields(self._schemas[named])) if named else [],
            answers=[
                Answer(status=status, description=each.get("description", ""), type=list(_type_of(_content(each))))
                for status, each in sorted(given["responses"].items())
            ],
        )

    def _parameter(self, given: Mapping[str, Any]) -> Field:
        schema: Mapping[str, Any] = given.get("schema", {})
        return Field(
            name=given["name"],
            where=given["in"],
            type=list(_type_of(schema)),
            is_required=given.get("required", False),
            description=given.get("description") or schema.get("description", ""),
        )

    def _schema(self, name: str, given: Mapping[str, Any]) -> Schema:
        examples = given.get("examples")
        return Schema(
            name=name,
            description=given.get("description", ""),
            type=[] if "properties" in given else list(_type_of(given)),
            fields=list(self._fields(given)),
            example=json.dumps(examples[0], indent=2, ensure_ascii=False) if examples else "",
        )

    @staticmethod
    def _fields(given: Mapping[str, Any]) -> Iterator[Field]:
        for name, schema in given.get("properties", {}).items():
            yield Field(
                name=name,
                type=list(_type_of(schema)),
                is_required=name in given.get("required", ()),
                description=schema.get("description", ""),
            )


def _content(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema of a body or an answer, of its first media type."""
    content: Mapping[str, Mapping[str, Any]] = given.get("content", {})
    for media_type in content.values():
        return media_type.get("schema", {})
    return {}


def _type_of(schema: Mapping[str, Any]) -> Iterator[Part]:
    """A type in words: `array of ShownRun`, `string (uuid) or null`, `open | merged`."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        yield name, name
    elif choices := schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf"):
        for index, each in enumerate(choices):
            if index:
                yield " or ", None
            yield from _type_of(each)
    elif "enum" in schema:
        yield " | ".join(map(str, schema["enum"])), None
    elif "const" in schema:
        yield str(schema["const"]), None
    elif schema.get("type") == "array":
        yield "array of ", None
        yield from _type_of(schema.get("items", {}))
    elif isinstance(values := schema.get("additionalProperties"), dict):
        yield "object of ", None
        yield from _type_of(values)  # pyright: ignore[reportUnknownArgumentType] -- of JSON
    elif schema:
        form = schema.get("format")
        yield f"{schema.get('type', 'anything')}{f' ({form})' if form else ''}", None


def _marked(text: str) -> Markup:
    """A description, with what stands in backticks as code."""
    return Markup(_TICKED.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704 -- it is escaped


@router.get("/docs")
async def docs_page(request: Request, q: Annotated[str, Query(max_length=200)] = "") -> Response:
    """Every route of the API, by what it is about; nobody has to sign in to read it."""
    state = request.app.state
    if not hasattr(state, "reference"):
        state.reference = Reference(request.app.openapi())
    reference: Reference = state.reference
    groups = {tag: [each for each in found if each.has(q)] for tag, found in reference.groups.items()}
    context = {
        "info": request.app.openapi()["info"],
        "groups": {tag: found for tag, found in groups.items() if found},
        "schemas": reference.schemas,
        "q": q,
        "marked": _marked,
        "rooms": ROOMS,
        "room": "API",
    }
    return templates.TemplateResponse(request, "docs.html", context)
