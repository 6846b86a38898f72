"""The commands of `octobatch github-app`."""

from __future__ import annotations

import logging
import re
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import structlog
import typer
from rich.text import Text

from shared.domain.app_check import CheckLine
from shared.domain.permissions import EXPECTED, Permissions, parse_permissions_text, permissions_text
from shared.github.addresses import addresses_of
from shared.github.app_manifest import LONGEST_NAME, WEBHOOK_PATH, AppPlan
from shared.github.network import is_loopback
from shared.github.webhooks import SUBSCRIPTIONS

from ..failures import CommandFailed, ExitCode
from ..output import Output, OutputFormat, print_as, results
from .checking import DEFAULT_API_BASE, check_locally, check_through_gateway, find_local_app
from .creating import create_app
from .credentials import CredentialStore, FolderStore, KubernetesStore, SecretFileStore

DEFAULT_PUBLIC_URL = "http://127.0.0.1:8600"
HOUR = 3600
_RESOURCE = re.compile("[a-z][a-z_]*")

app = typer.Typer(help="Create the GitHub App that Octobatch signs in as, and check it.", no_args_is_help=True)


@app.callback()
def github_app() -> None:
    """Create the GitHub App that Octobatch signs in as, and check it."""
    # what the processes log is no result of a command's
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


@app.command(
    epilog="Example: octobatch github-app create --org acme --public-url https://octobatch.acme.example"
    " --kubernetes-secret --namespace octobatch"
)
def create(
    *,
    org: Annotated[
        str | None, typer.Option(metavar="LOGIN", help="The organisation that owns the App; none = your own account.")
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="The App's name, which nobody else at GitHub has; GitHub lets you change it.")
    ] = None,
    public_url: Annotated[
        str,
        typer.Option(metavar="URL", envvar="OCTOBATCH_PUBLIC_URL", help="Where GitHub and users reach the gateway."),
    ] = DEFAULT_PUBLIC_URL,
    webhook: Annotated[
        bool, typer.Option("--webhook/--no-webhook", help="Whether GitHub tells of changes, or has to be asked.")
    ] = True,
    extra: Annotated[
        list[str] | None,
        typer.Option(
            "--with",
            metavar="PERMISSION[:LEVEL]",
            help="A permission besides those needed, such as workflows or issues:read (write where no level is given).",
        ),
    ] = None,
    credentials: Annotated[
        Path, typer.Option(file_okay=False, help="The folder that the credentials are written to.")
    ] = Path("github-app"),
    kubernetes_secret: Annotated[
        bool, typer.Option("--kubernetes-secret", help="Apply them as the Secret github-app-credentials by kubectl.")
    ] = False,
    manifest_file: Annotated[
        Path | None, typer.Option(metavar="FILE", dir_okay=False, help="Write that Secret's YAML to a file instead.")
    ] = None,
    namespace: Annotated[str | None, typer.Option(help="The Secret's namespace; none = kubectl's own.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace credentials that are there.")] = False,
    api_base: Annotated[
        str, typer.Option(metavar="URL", envvar="OCTOBATCH_GITHUB_API_BASE", help="The API of the App's GitHub.")
    ] = DEFAULT_API_BASE,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Of the local page; none = any free one.")] = None,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page in the browser.")] = True,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until the App is installed somewhere.")] = True,
    timeout: Annotated[int, typer.Option(metavar="SECONDS", min=1, max=HOUR, help="Longest wait.")] = HOUR,
) -> None:
    """Create the GitHub App in the browser, with exactly the permissions needed, and keep its credentials.

    A page on this machine shows what will be made and leads to GitHub, which asks you to confirm it and comes back.
    """
    permissions = _permissions(extra or [])
    plan = AppPlan(
        name=_name(name, org),
        organization=org,
        homepage=public_url,
        webhook_url=_webhook_url(public_url, api_base) if webhook else None,
        permissions=permissions,
        events=SUBSCRIPTIONS,
    )
    store: CredentialStore
    if manifest_file:
        store = SecretFileStore(manifest_file, namespace=namespace, force=force)
    elif kubernetes_secret:
        store = KubernetesStore(namespace=namespace, force=force)
    else:
        settings = {"OCTOBATCH_GITHUB_API_BASE": api_base}
        settings |= {"OCTOBATCH_PUBLIC_URL": public_url} if webhook else {}
        settings |= {"OCTOBATCH_GITHUB_APP_PERMISSIONS": permissions_text(permissions)} if extra else {}
        store = FolderStore(credentials, settings=settings, force=force)
    create_app(
        plan,
        store,
        api_base=api_base,
        port=port,
        browse=browser,
        wait_seconds=timeout,
        installation_wanted=wait,
    )


@app.command(epilog="Examples: octobatch github-app check · octobatch github-app check --credentials github-app")
def check(
    credentials: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            file_okay=False,
            help="A folder that 'create' wrote; none = OCTOBATCH_GITHUB_APP_ID and …_PRIVATE_KEY[_FILE]"
            " where they are set, else the gateway is asked.",
        ),
    ] = None,
    output: Output = OutputFormat.TABLE,
) -> None:
    """Check server, clock, key, permissions, webhook and each installation; the exit code is 1 where one is wrong."""
    local = find_local_app(credentials)
    lines = check_locally(local) if local else check_through_gateway()
    if output.is_for_programs:
        print_as(output, [asdict(line) for line in lines])
    else:
        _print(lines)
    if not all(line.ok for line in lines):
        raise typer.Exit(ExitCode.FAILED)


def _print(lines: list[CheckLine]) -> None:
    """A line each, whole: no address or fingerprint is cut to fit a column."""
    width = max(len(line.name) for line in lines)
    for line in lines:
        mark = ("ok    ", "green") if line.ok else ("failed", "bold red")
        advice = (" — " + line.advice, "bold") if line.advice else ""
        results().print(Text.assemble(mark, f"  {line.name:{width}}  {line.detail}", advice), soft_wrap=True)


def _name(name: str | None, organization: str | None) -> str:
    if name and len(name) > LONGEST_NAME:
        raise CommandFailed(
            f"--name: GitHub takes at most {LONGEST_NAME} characters, these are {len(name)}",
            exit_code=ExitCode.BAD_INPUT,
        )
    return name or f"Octobatch {organization or ''}".strip()[:LONGEST_NAME]


def _webhook_url(public_url: str, api_base: str) -> str:
    if not public_url.startswith(("http://", "https://")):
        raise CommandFailed(
            f"--public-url must begin with https:// or http://: {public_url}", exit_code=ExitCode.BAD_INPUT
        )
    if is_loopback(public_url) and not is_loopback(addresses_of(api_base).rest):
        raise CommandFailed(
            f"GitHub cannot send webhooks to {public_url}",
            exit_code=ExitCode.BAD_INPUT,
            hint="give the gateway's public address with --public-url; without one, --no-webhook: GitHub is asked then",
        )
    return public_url.rstrip("/") + WEBHOOK_PATH


def _permissions(extra: list[str]) -> Permissions:
    """What is needed and what is asked for besides; the higher level counts."""
    permissions = dict(EXPECTED)
    for each in extra:
        try:
            added = parse_permissions_text(each if ":" in each else f"{each}:write")
        except ValueError as error:
            raise CommandFailed(f"--with: {error}", exit_code=ExitCode.BAD_INPUT) from None
        if not all(_RESOURCE.fullmatch(resource) for resource in added):
            raise CommandFailed(f"--with: {each!r} is no name of a permission", exit_code=ExitCode.BAD_INPUT)
        for resource, level in added.items():
            known = permissions.get(resource)
            permissions[resource] = level if known is None or level.rank > known.rank else known
    return permissions
