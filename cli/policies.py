"""`octobatch policies`: who may have which tokens."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from shared.domain.permissions import describe_permissions, parse_permissions
from shared.domain.policy import policies_json_schema

from . import policy_questions
from .asking import ask
from .client import open_gateway
from .completion import complete_policies
from .output import (
    Output,
    OutputFormat,
    moment,
    print_as,
    print_facts,
    print_json,
    print_rows,
    print_text,
    say,
    yaml_text,
)
from .policy_files import FILE_HELP, read_policies

app = typer.Typer(help="Trust policies: who may have which installation tokens.", no_args_is_help=True)

PolicyName = Annotated[str, typer.Argument(metavar="NAME", help="The policy's name.", autocompletion=complete_policies)]


@app.command(epilog="Example: octobatch policies apply -f policies.yaml --dry-run")
def apply(
    file: Annotated[Path, typer.Option("--file", "-f", metavar="FILE", help=FILE_HELP, show_default=False)],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")] = False,
    prune: Annotated[
        bool, typer.Option("--prune", help="Remove the policies that the document does not have. Asks first.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    output: Output = OutputFormat.TABLE,
) -> None:
    """Add the policies of a document and change those that are there; they come first, in the document's order."""
    document, _ = read_policies(file)
    body = {"document": document, "prune": prune}
    with open_gateway() as gateway:
        changes = gateway.put("/policies", {**body, "dry_run": True}, document=str(file))
        if not dry_run:
            if changes["removed"]:
                ask(f"Remove the trust policies {', '.join(changes['removed'])}?", yes=yes)
            changes = gateway.put("/policies", body, document=str(file))
    if output.is_for_programs:
        print_as(output, changes)
        return
    would = "would be " if dry_run else ""
    kinds = ("added", "changed", "removed", "unchanged")
    print_facts((f"{would if kind != 'unchanged' else ''}{kind}", ", ".join(changes[kind])) for kind in kinds)


@app.command("list")
def list_(output: Output = OutputFormat.TABLE) -> None:
    """List the policies in the order in which they are considered."""
    with open_gateway() as gateway:
        found = gateway.get("/policies")["items"]
    if output.is_for_programs:
        print_as(output, found)
        return
    print_rows(
        ("policy", "principals", "installations", "repositories", "permissions", "changed", "by"),
        (_row(each) for each in found),
    )


def _row(found: dict[str, Any]) -> Sequence[Any]:
    policy = found["policy"]
    return (
        found["name"],
        ", ".join(each.get("apiKey") or f"{each['subject']} of {each['issuer']}" for each in policy["principals"]),
        ", ".join(policy["installations"]),
        ", ".join(policy.get("repositories", ["all"])),
        describe_permissions(parse_permissions(policy["permissions"])),
        moment(found["updated_at"]),
        found["updated_by"],
    )


@app.command(epilog="Example: octobatch policies show release-bots > policies.yaml")
def show(name: PolicyName, output: Output = OutputFormat.TABLE) -> None:
    """Print a policy as a document that can be changed and applied again."""
    with open_gateway() as gateway:
        found = gateway.get(f"/policies/{name}")
    if output.is_for_programs:
        print_as(output, found)
        return
    say(f"changed {moment(found['updated_at'])} by {found['updated_by']}")
    print_text(yaml_text({"version": 1, "policies": [found["policy"]]}))


@app.command()
def delete(name: PolicyName, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """Delete a policy. Asks first. Tokens that it allowed live until they expire or are revoked."""
    with open_gateway() as gateway:
        gateway.get(f"/policies/{name}")
        ask(f"Delete the trust policy {name}?", yes=yes, hint="run it with --yes to do it")
        gateway.delete(f"/policies/{name}")
    say(f"deleted {name}")


@app.command(epilog="Example: octobatch policies schema > policies.schema.json")
def schema() -> None:
    """Print the JSON Schema of documents of policies, for editors that complete and check."""
    print_json(policies_json_schema())


policy_questions.register(app)
