"""`python -m bench`: every measurement, one after another; with its name one of them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from . import campaign, events, gateway, lists, pace, queue, scale, selection, tokens

MEASUREMENTS: dict[str, tuple[Callable[[Sequence[str]], None], str]] = {
    "campaign": (campaign.main, "[--quick] [--repositories N] [--jobs N] [--only SYSTEMS] [--limits off|on]"),
    "scale": (scale.main, "[--quick]"),
    "pace": (pace.main, "[--quick] [--targets N]"),
    "queue": (queue.main, "[--quick] [--rounds N] [--seconds S] [--only ADAPTERS]"),
    "tokens": (tokens.main, "[--quick] [--rounds N]"),
    "lists": (lists.main, "[--quick]"),
    "selection": (selection.main, "[--quick] [--rounds N]"),
    "events": (events.main, "[--quick] [--readers N]"),
    "gateway": (gateway.main, "[--quick]"),
}


def main() -> None:
    """Runs what is named, with its own options behind it, or all."""
    name, *options = sys.argv[1:] or [""]
    if not name:
        for measure, _ in MEASUREMENTS.values():
            measure([])
    elif name in MEASUREMENTS:
        MEASUREMENTS[name][0](options)
    else:
        choices = " | ".join(f"{known} {takes}" for known, (_, takes) in MEASUREMENTS.items())
        sys.exit(f"usage: python -m bench [{choices}]")


if __name__ == "__main__":
    main()
