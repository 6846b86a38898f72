"""Runs the GitHub sandbox: `python -m sandbox.github --port 8080 --folder .octobatch/github`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import uvicorn

from .app import create_app
from .first_start import OWNER, prepare
from .importing import directory_sources, import_directories, installed_packages
from .world import World


def main() -> None:
    """Serves until it is stopped. What is asked to be imported is, before the first request."""
    arguments = _arguments()
    base_url = arguments.base_url or f"http://{arguments.host}:{arguments.port}"
    world = World.open(arguments.folder, base_url=base_url.rstrip("/"))
    prepare(world, owner=arguments.owner, webhook_url=arguments.webhook_url)
    if arguments.import_installed_packages:
        owner = arguments.import_installed_packages
        print(f"{len(import_directories(world, owner, installed_packages()))} packages are repositories of {owner}")  # noqa: T201
    if arguments.directories:
        import_directories(world, arguments.owner, directory_sources(arguments.directories))
    uvicorn.run(
        create_app(world),
        host=arguments.host,
        port=arguments.port,
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=2,
        timeout_keep_alive=75,  # as GitHub: longer than clients keep a connection that they do not use
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox.github", description=__doc__)
    parser.add_argument("directories", nargs="*", type=Path, help="folders to import as repositories of the owner")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True, help="where everything is kept")
    parser.add_argument("--base-url", help="the address that clients use, if another than host and port")
    parser.add_argument("--owner", default=OWNER, help="the organisation that owns the App in a new sandbox")
    parser.add_argument("--webhook-url", help="where webhooks are sent")
    parser.add_argument(
        "--import-installed-packages", metavar="OWNER", help="make repositories of this Python's packages"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
