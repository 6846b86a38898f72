"""The same change in the same 200 repositories: Octobatch beside all-repos, @octoherd/cli and a loop in a shell.

`python -m bench campaign` starts the whole stack twice, without limits and with those that GitHub documents, which
Octobatch is told to keep. Each system has an organisation of its own with the same repositories, changes one line of
`go.mod` in each and opens the pull requests; one after the other, on one GitHub sandbox. The page is written to
`bench/results/campaign.md`. `--quick` takes 20 repositories and writes no page.

All are measured from nothing: all-repos clones first, Octobatch selects first. Where a system can do several things at
once, it does `--jobs`. A command that Octobatch runs is isolated, which the others' are not. @octoherd/cli takes three
seconds a repository whatever the limits: its client spaces what notifies people.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from bench.changes.page import WITH, WITHOUT, Results, page
from bench.changes.stand import Turn, open_stand
from bench.changes.systems import SYSTEMS, octoherd
from bench.running import machine, written_by

RESULTS = Path(__file__).parent / "results" / "campaign.md"
REPOSITORIES, QUICK = 200, 20
JOBS = 8


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures, prints, and writes the page (not for `--quick`, nor for some of the systems)."""
    parser = argparse.ArgumentParser(prog="python -m bench campaign", description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} repositories, and no page")
    parser.add_argument("--repositories", type=int, help=f"how many ({REPOSITORIES})")
    parser.add_argument("--jobs", type=int, default=JOBS, help="things at once (%(default)s)")
    parser.add_argument("--only", default=",".join(SYSTEMS), help="of the systems %(default)s")
    parser.add_argument("--limits", choices=("off", "on", "both"), default="both", help="GitHub's (%(default)s)")
    asked = parser.parse_args(arguments)
    wanted = asked.repositories or (QUICK if asked.quick else REPOSITORIES)
    systems = [key for key in SYSTEMS if key in asked.only.split(",")]
    settings = {"off": (WITHOUT,), "on": (WITH,), "both": (WITHOUT, WITH)}[asked.limits]
    if "octoherd" in systems:
        octoherd()
    turns: dict[tuple[str, str], Turn] = {}
    for setting in settings:
        _measure(systems, setting, wanted=wanted, jobs=asked.jobs, turns=turns)
    results = Results({key: SYSTEMS[key].name for key in systems}, turns)
    text = page(results, introduction=_introduction(wanted, asked.jobs))
    print(text)
    if not asked.quick and len(turns) == 2 * len(SYSTEMS):
        RESULTS.write_text(text)


def _measure(
    systems: Sequence[str], setting: str, *, wanted: int, jobs: int, turns: dict[tuple[str, str], Turn]
) -> None:
    with open_stand(jobs=jobs, limited=setting == WITH) as stand:
        for key in systems:
            system = SYSTEMS[key]
            turn = stand.turn(f"of-{key}", wanted, lambda org: system.change(stand, org, jobs), ours=system.ours)  # noqa: B023
            turns[key, setting] = turn
            print(f"{system.name}, {setting}: {turn}", flush=True)


def _introduction(wanted: int, jobs: int) -> str:
    return (
        f"{written_by('campaign')}: one line of one file changed in {wanted} repositories, a pull request opened in"
        f" each, {jobs} things at once where a system can; {machine()} at the end. One GitHub sandbox for all, on the"
        " same machine, which answers in some milliseconds; GitHub takes some hundred, so that there the requests"
        " decide. Everything counts that a user waits for: all-repos clones first, Octobatch selects first and keeps"
        " diff, log and history. The limits are those that GitHub documents: 80 pull requests a minute among them."
    )


if __name__ == "__main__":
    main()
