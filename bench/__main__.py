"""`python -m bench`: every measurement, one after another; with `campaign`, `queue` or `tokens` one of them."""

from __future__ import annotations

import sys

from . import campaign, queue, tokens


def main() -> None:
    """Runs what is named, with its own options behind it, or all."""
    name, *options = sys.argv[1:] or [""]
    if not name:
        campaign.main()
        queue.main([])
        tokens.main([])
    elif name == "queue":
        queue.main(options)
    elif name == "tokens":
        tokens.main(options)
    elif name == "campaign" and not options:
        campaign.main()
    else:
        sys.exit(
            "usage: python -m bench [campaign | queue [--quick] [--rounds N] [--seconds S] [--only ADAPTERS]"
            " | tokens [--quick] [--rounds N]]"
        )


if __name__ == "__main__":
    main()
