"""`octobatch health`: how the gateway does, and all that it needs."""

from __future__ import annotations

import typer

from .client import open_gateway
from .failures import ExitCode
from .output import Output, OutputFormat, print_as, print_rows


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(epilog="Exit codes: 0 all is well, 1 something is not, 3 the gateway cannot be reached.")(health)


def health(output: Output = OutputFormat.TABLE) -> None:
    """Show how Postgres, Redis, the blob store, GitHub and the workers do, as the gateway sees them."""
    with open_gateway() as gateway:
        report = gateway.health()
    if output.is_for_programs:
        print_as(output, report)
    else:
        print_rows(
            ("check", "health", "ms", "detail"),
            (
                (each["name"], "healthy" if each["is_healthy"] else "unhealthy", each["duration_ms"], each["detail"])
                for each in report["checks"]
            ),
        )
    if not report["healthy"]:
        raise typer.Exit(ExitCode.FAILED)
