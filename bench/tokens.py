"""Tokens from Octobatch beside @octokit/auth-app and githubkit: one run, one GitHub sandbox.

`python -m bench tokens` fetches the first with npm into the ignored `.cache/`, starts the whole stack once, runs rounds
in alternating order, each with processes of its own and scopes that nobody has asked for, and writes the medians to
`bench/results/tokens.md`. `--quick` takes one short round.

Cold: tokens for 40 scopes, one after the other. Cached: one token, again and again. At once: 1,000 requests for one
cold scope, and for 200, from one process and from four that ask for the same; the sandbox counts how many tokens were
minted. Routes: what a cached token through the gateway takes above its empty route, under several loads.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from bench.askers.page import KEYS, LOADS, PROCESSES, Figures, page
from bench.askers.stand import AT_ONCE, Stand
from bench.askers.systems import System, systems_on
from bench.queues.figures import percentile
from bench.running import machine, running_stack, written_by

RESULTS = Path(__file__).parent / "results" / "tokens.md"
COLD = 40


class Measurement:
    """Rounds of all systems, in an order that turns round each time."""

    def __init__(self, stand: Stand, systems: Sequence[System], *, quick: bool) -> None:
        self._stand = stand
        self._systems = systems
        self._share = 4 if quick else 1
        self.figures = Figures()

    def round(self, number: int) -> None:
        """Everything once."""
        for system in self._systems if number % 2 == 0 else reversed(self._systems):
            self._one_by_one(system)
            for processes in PROCESSES:
                for keys in (1, KEYS):
                    found = self._stand.at_once(system, processes=processes, keys=keys)
                    self.figures.at_once[system.name, processes, keys].append(found)
                    said = f"{AT_ONCE} for {keys} from {processes}: {found.seconds:.2f} s, {found.mints} mints"
                    print(f"{system.name}: {said}", flush=True)
        self._routes(number)

    def _one_by_one(self, system: System) -> None:
        scopes = self._stand.scopes(COLD)
        with self._stand.processes(system, 1) as [process]:
            self._stand.one_by_one(process, self._stand.scopes(1))  # connects
            before = self._stand.mints()
            cold = median(self._stand.one_by_one(process, scopes))
            if self._stand.mints() - before != COLD:
                sys.exit(f"{system.name} minted {self._stand.mints() - before} tokens for {COLD} cold scopes")
            cached = median(self._stand.one_by_one(process, scopes[:1] * (system.cached // self._share)))
        self.figures.cold[system.name].append(cold)
        self.figures.cached[system.name].append(cached)
        print(f"{system.name}: cold {cold:.2f} ms, cached {cached:.4f} ms", flush=True)

    def _routes(self, number: int) -> None:
        [(installation, _)] = self._stand.scopes(1)
        paths = [("empty", "/livez"), ("token", f"/v1/tokens/installations/{installation}")]
        self._stand.route(paths[1][1], load=LOADS[0], count=1)  # cached from here on
        for load in LOADS:
            for name, path in paths if number % 2 == 0 else reversed(paths):
                took = sorted(self._stand.route(path, load=load, count=load.count // self._share))
                self.figures.p50[name, load].append(percentile(took, 50))
                self.figures.p99[name, load].append(percentile(took, 99))
                print(f"{path}, {load.name}: p50 {percentile(took, 50):.2f}, p99 {percentile(took, 99):.2f} ms")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures, prints, and writes the page (not for `--quick`)."""
    parser = argparse.ArgumentParser(prog="python -m bench tokens", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round, and no page")
    parser.add_argument("--rounds", type=int, help="rounds; their medians count (3)")
    asked = parser.parse_args(arguments)
    rounds = asked.rounds or (1 if asked.quick else 3)
    with running_stack() as (stack, folder):
        systems = systems_on(stack, folder)
        with Stand(stack, folder) as stand:
            measurement = Measurement(stand, systems, quick=asked.quick)
            for number in range(rounds):
                measurement.round(number)
    text = page(measurement.figures, systems, introduction=_introduction(rounds))
    print(text)
    if not asked.quick:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(text)


def _introduction(rounds: int) -> str:
    return (
        f"{written_by('tokens')}: medians of {rounds} rounds, {machine()} at the end."
        " One GitHub sandbox for all, on the same machine; one gateway and one tokens worker; Postgres and Valkey write"
        " to disk what they are given. Counts of mints are of GitHub's side, the least and the most of the rounds."
    )


if __name__ == "__main__":
    main()
