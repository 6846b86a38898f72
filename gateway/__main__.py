"""`python -m gateway`: serves the API until it is told to stop."""

from __future__ import annotations

import asyncio
import sys

import uvicorn

from shared.errors import InvalidSettings, Unavailable
from shared.observability.logs import configure_logging
from shared.settings import GatewaySettings, load

from .app import create_app


class _Server(uvicorn.Server):
    """Tells the event streams to end when the process is told to stop, or it would wait for them."""

    def handle_exit(self, sig: int, frame: object) -> None:
        resources = getattr(getattr(self.config.app, "state", None), "resources", None)
        if resources:
            resources.stopping.set()
        super().handle_exit(sig, frame)  # pyright: ignore[reportArgumentType]


def main() -> int:
    """Runs the gateway; 2 where a setting is wrong or a store is not there."""
    try:
        settings = load(GatewaySettings)
    except InvalidSettings as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 2
    configure_logging(settings.log_level, settings.log_format, "gateway")
    config = uvicorn.Config(
        create_app(settings),
        host=settings.gateway_host,
        port=settings.gateway_port,
        loop="uvloop",
        log_config=None,
        access_log=False,
        proxy_headers=False,  # the application knows whom to believe
        timeout_graceful_shutdown=10,
        timeout_keep_alive=75,  # longer than proxies keep a connection, so that none sends into one that closes
    )
    try:
        asyncio.run(_Server(config).serve())
    except (InvalidSettings, Unavailable) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
