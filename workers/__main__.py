"""`python -m workers campaigns|selection|tokens` runs one worker until SIGTERM or SIGINT.

Exit codes: 0 stopped, 1 Postgres or Redis did not answer in time, 2 wrong arguments or settings.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from typing import Any

from shared.domain.operation import Service

from .process import main
from .runtime import Worker


def load_worker(service: Service) -> Worker[Any, Any]:
    """The `WORKER` of the service's settings module; no other service's code is imported."""
    return importlib.import_module(f"workers.{service}.settings").WORKER


def run(arguments: Sequence[str]) -> int:
    """The exit code."""
    if len(arguments) != 1 or arguments[0] not in set(Service):
        print(f"usage: python -m workers {'|'.join(Service)}", file=sys.stderr)  # noqa: T201
        return 2
    return main(load_worker(Service(arguments[0])))


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
