"""`octobatch spec`: checking, comparing and importing campaign specs; only comparing needs a gateway."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from shared.domain.spec import CampaignSpec, parse_spec, spec_json_schema
from shared.errors import InvalidSpec

from .client import open_gateway
from .failures import CommandFailed, ExitCode, invalid
from .names_files import with_names
from .naming import CampaignName, find_campaign
from .output import Output, OutputFormat, print_as, print_json, print_text, say
from .sourcegraph import import_batch_spec
from .sourcegraph.mounts import read_beside
from .spec_differences import difference_of, print_difference

app = typer.Typer(help="Check, compare and import campaign specs.", no_args_is_help=True)

SpecFile = Annotated[
    Path,
    typer.Option("--file", "-f", metavar="FILE", help="The campaign's spec, YAML; - reads stdin.", show_default=False),
]

OptionalSpecFile = Annotated[
    Path | None,
    typer.Option("--file", "-f", metavar="FILE", help="The campaign's spec, YAML; - reads stdin.", show_default=False),
]


def read_spec(file: Path) -> tuple[str, CampaignSpec]:
    """The document and what it says; raises `CommandFailed` that names file, line and what to do."""
    document = read_spec_document(file)
    try:
        return document, parse_spec(document)
    except InvalidSpec as error:
        raise invalid(error, document=str(file)) from None


def read_spec_document(file: Path) -> str:
    """The text of a spec, with the names of its `file` entries in it; raises `CommandFailed`."""
    folder = Path() if str(file) == "-" else file.parent
    return with_names(read_document(file), folder=folder, read=read_document)


def read_document(file: Path) -> str:
    """The text of a file, or of stdin for `-`; raises `CommandFailed`."""
    try:
        return sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except OSError as error:
        raise CommandFailed(f"{file} cannot be read: {error.strerror}", exit_code=ExitCode.BAD_INPUT) from None
    except UnicodeDecodeError:
        raise CommandFailed(f"{file} is not UTF-8 text", exit_code=ExitCode.BAD_INPUT) from None


@app.command(epilog="Example: octobatch spec validate -f campaign.yaml")
def validate(file: SpecFile, output: Output = OutputFormat.TABLE) -> None:
    """Check a spec: every problem with its line and what to do. Exit code 2 where there is one."""
    if output is OutputFormat.TABLE:
        _, spec = read_spec(file)
        print_text(f"{file}: valid: campaign {spec.name}, {len(spec.steps)} steps\n")
        return
    problems = _problems(read_spec_document(file))
    print_as(output, {"valid": not problems, "problems": problems})
    if problems:
        raise typer.Exit(ExitCode.BAD_INPUT)


def _problems(document: str) -> list[dict[str, object]]:
    try:
        parse_spec(document)
    except InvalidSpec as error:
        return [
            {"message": each.message, "path": each.path, "line": each.line, "column": each.column, "hint": each.hint}
            for each in error.problems
        ]
    return []


@app.command("import", epilog="Example: octobatch spec import batch.yaml -o campaign.yaml")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A batch spec of Sourcegraph's; - reads stdin.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to write the spec; else to stdout.")
    ] = None,
    containers: Annotated[
        bool, typer.Option(help="Keep the images of steps, which need Kubernetes, or run them on the workers.")
    ] = True,
) -> None:
    """Turn a batch spec of Sourcegraph's into a campaign spec, and say on stderr what could not be carried over."""
    folder = Path() if str(file) == "-" else file.parent
    try:
        imported = import_batch_spec(read_document(file), read=read_beside(folder), with_containers=containers)
    except InvalidSpec as error:
        raise invalid(error, document=str(file)) from None
    if output is None:
        print_text(imported.document)
    else:
        _write(output, imported.document)
    for note in imported.notes:
        say(f"{file}:{note.line}: {note.message}")
    try:
        parse_spec(imported.document)
    except InvalidSpec as error:
        raise invalid(error, document=str(output or "the campaign spec")) from None


@app.command(epilog="Examples: octobatch spec diff bump-go · octobatch spec diff bump-go 3 5 · … -f campaign.yaml")
def diff(
    name: CampaignName,
    before: Annotated[
        int | None, typer.Argument(metavar="[A]", min=1, help="A version; none = the one before B.", show_default=False)
    ] = None,
    after: Annotated[
        int | None, typer.Argument(metavar="[B]", min=1, help="A version; none = the newest.", show_default=False)
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option("--file", "-f", metavar="FILE", help="Compare with this file instead of B.", show_default=False),
    ] = None,
    output: Output = OutputFormat.TABLE,
) -> None:
    """Show what is different between two versions of a campaign's spec, and what it means."""
    if file and after:
        raise CommandFailed("give either a version B or a file", exit_code=ExitCode.BAD_INPUT)
    with open_gateway() as gateway:
        found = find_campaign(gateway, name)
        campaign, newest = found["name"], found["current_version"]
        if file:
            version = gateway.get(f"/campaigns/{campaign}/versions/{before or newest}")
            names = f"{campaign} version {version['version']}", str(file)
            difference = difference_of(version["document"], read_spec_document(file), names)
        else:
            later = after or newest
            if newest == 1:
                say(f"{campaign} has one version")
            path = f"/campaigns/{campaign}/versions/{before or max(later - 1, 1)}/diff/{later}"
            difference = gateway.get(path)
    print_difference(difference, output)


def _write(file: Path, document: str) -> None:
    try:
        file.write_text(document, encoding="utf-8")
    except OSError as error:
        raise CommandFailed(f"{file} cannot be written: {error.strerror}", exit_code=ExitCode.BAD_INPUT) from None


@app.command(epilog="Example: octobatch spec schema > campaign-spec.schema.json")
def schema() -> None:
    """Print the JSON Schema of specs, for editors that complete and check."""
    print_json(spec_json_schema())
