"""The forms of `edit`: changes that need no code to run and no clone.

Fields of edits are literal text. They hold no templates, so that a workflow's own `${{ secrets.X }}` needs no escape.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from ..data_paths import InvalidDataPath, parse_data_path
from ..patterns import InvalidPattern, compile_pattern, parse_replacement
from .fields import PathGlob, Regex, RepositoryPath, SpecModel, wrong


class Replace(SpecModel):
    """Replaces what a regular expression finds."""

    path: PathGlob = Field(description="Files: a path or a glob", examples=["go.mod", "**/*.tf"])
    pattern: Regex = Field(
        description="RE2; ^ and $ match at each line, (?i) ignores case, (?s) lets . match line ends",
        examples=["^go 1\\.2[0-2]$"],
    )
    replacement: str = Field(
        alias="with",
        description="New text; \\1 to \\9 are groups, \\0 the match, \\\\ a backslash",
        examples=["go 1.23"],
    )

    @model_validator(mode="after")
    def _groups_exist(self) -> Replace:
        try:
            parse_replacement(self.replacement, compile_pattern(self.pattern).groups)
        except InvalidPattern as error:
            raise PydanticCustomError("spec_field", "{message}", {"message": str(error), "key": "with"}) from None
        return self


class Write(SpecModel):
    """Writes a whole file."""

    path: RepositoryPath = Field(description="The file", examples=["CODEOWNERS"])
    content: str = Field(description="Its whole content", examples=["* @acme/platform\n"])
    if_missing: bool = Field(False, alias="if-missing", description="Leave the file alone where it exists")


class Delete(SpecModel):
    """Deletes files."""

    path: PathGlob = Field(description="Files: a path or a glob", examples=[".travis.yml"])


class Rename(SpecModel):
    """Renames a file; a target that exists already is an error."""

    path: RepositoryPath = Field(description="The file as it is called", examples=["README"])
    to: RepositoryPath = Field(description="What it becomes", examples=["README.md"])


def _data_path(text: str) -> str:
    try:
        parse_data_path(text)
    except InvalidDataPath as error:
        raise wrong(str(error)) from None
    return text


def _plain_value(value: Any) -> Any:
    """Numbers that are no numbers (.nan, .inf) are in neither JSON nor TOML alike, so they are refused everywhere."""
    if isinstance(value, float) and (value != value or abs(value) == float("inf")):  # noqa: PLR0124
        raise wrong("must be a finite number")
    return value


DataPath = Annotated[str, AfterValidator(_data_path)]
Value = Annotated[Any, BeforeValidator(_plain_value), WithJsonSchema({})]
Assignments = Annotated[
    dict[DataPath, Value],
    Field(
        min_length=1,
        description="Paths and their new values: keys and indexes joined by dots, * for all, [n], [?key=='value']",
        examples=[{"jobs.*.steps[?uses=='actions/setup-go@v4'].uses": "actions/setup-go@v5"}],
    ),
]


class SetYaml(SpecModel):
    """Sets values in YAML files; everything else in the file stays as it is, byte for byte."""

    path: PathGlob = Field(description="Files: a path or a glob", examples=[".github/workflows/*.yml"])
    set: Assignments


class SetJson(SpecModel):
    """Sets values in JSON files (comments allowed); everything else stays as it is, byte for byte."""

    path: PathGlob = Field(description="Files: a path or a glob", examples=["package.json"])
    set: Assignments


class SetToml(SpecModel):
    """Sets values in TOML files; everything else stays as it is, byte for byte."""

    path: PathGlob = Field(description="Files: a path or a glob", examples=["pyproject.toml"])
    set: Assignments


class ReplaceEdit(SpecModel):
    """`replace`"""

    replace: Replace


class WriteEdit(SpecModel):
    """`write`"""

    write: Write


class DeleteEdit(SpecModel):
    """`delete`"""

    delete: Delete


class RenameEdit(SpecModel):
    """`rename`"""

    rename: Rename


class YamlEdit(SpecModel):
    """`yaml`"""

    yaml: SetYaml


class JsonEdit(SpecModel):
    """`json`"""

    json_: SetJson = Field(alias="json")


class TomlEdit(SpecModel):
    """`toml`"""

    toml: SetToml


FORMS = ("replace", "write", "delete", "rename", "yaml", "json", "toml")


def _form(edit: Any) -> str | None:
    if isinstance(edit, dict):
        return next((f"<{form}>" for form in FORMS if form in edit), None)
    return None


Edit = Annotated[
    Annotated[ReplaceEdit, Tag("<replace>")]
    | Annotated[WriteEdit, Tag("<write>")]
    | Annotated[DeleteEdit, Tag("<delete>")]
    | Annotated[RenameEdit, Tag("<rename>")]
    | Annotated[YamlEdit, Tag("<yaml>")]
    | Annotated[JsonEdit, Tag("<json>")]
    | Annotated[TomlEdit, Tag("<toml>")],
    Discriminator(
        _form,
        custom_error_type="spec",
        custom_error_message="must have one of the keys replace, write, delete, rename, yaml, json or toml",
    ),
]
"""One change that needs no code to run."""
