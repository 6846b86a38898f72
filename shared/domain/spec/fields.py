"""Kinds of fields of the spec: each a type that checks itself, so that its error names its line."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, cast

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    StringConstraints,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError
from pydantic_core.core_schema import no_info_before_validator_function

from ..globs import InvalidGlob, check_glob
from ..patterns import InvalidPattern, compile_pattern

MAX_TIMEOUT = timedelta(hours=2)
_MOST_DAYS = 36_500


class SpecModel(BaseModel):
    """A mapping of the spec: frozen, keys in camelCase, and no key that is not declared."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        validate_by_alias=True,
        validate_by_name=False,
        serialize_by_alias=True,
        strict=True,
    )


def wrong(message: str) -> PydanticCustomError:
    """An error of a field in plain words."""
    return PydanticCustomError("spec", "{message}", {"message": message})


def _checked(check: Callable[[str], Any]) -> AfterValidator:
    def validate(value: str) -> str:
        try:
            check(value)
        except (InvalidPattern, InvalidGlob) as error:
            raise wrong(str(error)) from None
        return value

    return AfterValidator(validate)


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]


AsTuple = BeforeValidator(_as_tuple)
"""Lets a list of the document stand for a tuple of the model."""


def _one_or_many(value: Any) -> Any:
    return (value,) if isinstance(value, str | dict) else _as_tuple(value)


class _OneOrMany:
    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return no_info_before_validator_function(_one_or_many, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        many = handler(schema)
        return {"anyOf": [many["items"], many]}


as_tuple_of_one = _OneOrMany()
"""Lets one value of the document stand for a tuple of the model too."""


def as_enums(kind: type[StrEnum]) -> BeforeValidator:
    """Lets a word of the document, or a list of them, stand for a tuple of an enumeration's members."""

    def validate(value: Any) -> Any:
        given = _one_or_many(value)
        if not isinstance(given, tuple):
            return given
        known = {member.value: member for member in kind}
        members: list[StrEnum] = []
        for each in cast("tuple[Any, ...]", given):
            if not isinstance(each, str) or each not in known:
                raise wrong(f"must be {', '.join(known)} or several of these, not {each!r}")
            members.append(known[each])
        return tuple(members)

    return BeforeValidator(validate)


Regex = Annotated[str, StringConstraints(min_length=1), _checked(compile_pattern)]
Glob = Annotated[str, StringConstraints(min_length=1), _checked(check_glob)]


def check_path(path: str) -> str:
    """A path in a repository: relative, without `..`, and never in `.git`."""
    parts = path.split("/")
    if path.startswith("/") or "" in parts or "." in parts or ".." in parts or "\0" in path:
        raise wrong("must be a path in the repository, such as src/main.go, without .. or a leading slash")
    if any(part.lower() == ".git" for part in parts):
        raise wrong("must not be in .git")
    return path


RepositoryPath = Annotated[str, StringConstraints(min_length=1, max_length=4000), AfterValidator(check_path)]
PathGlob = Annotated[Glob, AfterValidator(check_path)]

_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")


def _duration(value: Any) -> timedelta:
    if isinstance(value, timedelta):
        return value
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None or not any(match.groups()):
        raise wrong("must be a duration such as 30s, 10m or 1h30m")
    hours, minutes, seconds = (int(number or 0) for number in match.groups())
    duration = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    if not timedelta() < duration <= MAX_TIMEOUT:
        raise wrong("must be longer than 0s and at most 2h")
    return duration


Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    WithJsonSchema({"type": "string", "pattern": r"^(\d+h)?(\d+m)?(\d+s)?$", "minLength": 2}),
]

_AGE = re.compile(r"(\d+)([dh])")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2})?Z?)?")


def moment_or_age(value: Any) -> Any:
    """A day or a time in UTC, or a `timedelta` for an age such as 90d or 12h."""
    if isinstance(value, timedelta | datetime):
        return value
    text = value.isoformat() if isinstance(value, date) else value
    if isinstance(text, str):
        if age := _AGE.fullmatch(text):
            number = int(age[1])
            if number <= _MOST_DAYS:
                return timedelta(days=number) if age[2] == "d" else timedelta(hours=number)
        elif _MOMENT.fullmatch(text):
            try:
                return datetime.fromisoformat(text.removesuffix("Z")).replace(tzinfo=UTC)
            except ValueError:
                pass
    raise wrong("must be a day such as 2026-01-31, a time such as 2026-01-31T08:00:00Z, or an age such as 90d or 12h")


CampaignName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", max_length=100)]
RepositoryName = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+$", max_length=140)
]
TeamName = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9](-?[A-Za-z0-9])*/[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=200)
]
Login = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9](-?[A-Za-z0-9])*$", max_length=39)]
EnvName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=200)]
OutputName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=100)]
LabelName = Annotated[str, StringConstraints(pattern=r"^[^,\r\n]+$", min_length=1, max_length=50)]
SecretName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$", max_length=200)]
FileName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]*$", max_length=200)]


def branch_problem(name: str) -> str | None:
    """What is wrong with the name of a branch by git's rules (`git check-ref-format`), or None."""
    if not name or len(name) > 240:
        return "must have 1 to 240 characters"
    if any(ord(character) < 33 or ord(character) == 127 or character in "~^:?*[\\" for character in name):
        return "must not have spaces, control characters or any of ~ ^ : ? * [ \\"
    if ".." in name or "@{" in name or "//" in name or name == "@":
        return "must not have .. or @{ or // in it"
    if name.startswith(("/", "-")) or name.endswith(("/", ".")):
        return "must not begin with / or -, or end with / or a dot"
    if any(part.startswith(".") or part.endswith(".lock") for part in name.split("/")):
        return "must have no part that begins with a dot or ends with .lock"
    if name.startswith("refs/") or name == "HEAD":
        return "must be the name of a branch, without refs/heads/"
    return None


def check_branch(name: str) -> str:
    """The name, where it may be one of a branch."""
    if problem := branch_problem(name):
        raise wrong(problem)
    return name


BranchName = Annotated[str, AfterValidator(check_branch)]

Template = str
"""Text with `${{ … }}` in it; checked by `templating.check_templates`, which knows what names stand where."""
