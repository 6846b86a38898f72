"""`python -m bench`: every measurement, one after another; with its name one of them."""

from __future__ import annotations

import sys

from . import campaign, queue, selection, tokens


def main() -> None:
    """Runs what is named, with its own options behind it, or all."""
    name, *options = sys.argv[1:] or [""]
    if not name:
        campaign.main([])
        queue.main([])
        tokens.main([])
        selection.main([])
    elif name == "queue":
        queue.main(options)
    elif name == "tokens":
        tokens.main(options)
    elif name == "selection":
        selection.main(options)
    elif name == "campaign":
        campaign.main(options)
    else:
        sys.exit(
            "usage: python -m bench [campaign [--quick] [--repositories N] [--jobs N] [--only SYSTEMS]"
            " [--limits off|on] | queue [--quick] [--rounds N] [--seconds S] [--only ADAPTERS]"
            " | tokens [--quick] [--rounds N] | selection [--quick] [--rounds N]]"
        )


if __name__ == "__main__":
    main()
