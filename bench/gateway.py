"""The gateway's routes beside the barest that do something like them: starting runs, and reading how one stands.

`python -m bench gateway` starts the stores, the gateway and an application of bare FastAPI routes, asks both in turn
from one more process, and writes the medians of its rounds to `bench/results/gateway.md`. `--quick` takes one short
round and writes no page.

Submit: `POST /v1/campaigns/{name}/runs` (who asks, the campaign, its spec, an operation, a selection, a run, an event,
an entry in each of three streams) beside one INSERT and one XADD, 16 connections always asking. Status: `GET
/v1/runs/{id}` and `…/targets` of a run of 10,000 targets beside one SELECT by key, one at a time and 20 a second.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import httpx

from bench.running import machine, written_by
from bench.serving.stand import Served, Stores, command, running_stores, serving
from gateway.schemas import EXAMPLE_SPEC
from shared.domain.ids import RunId
from shared.postgres import targets
from shared.postgres.pool import open_pool
from tests.integration.campaigns.rows import insert_campaign, insert_run, make_target

RESULTS = Path(__file__).parent / "results" / "gateway.md"
CONNECTIONS = 16
TARGETS = 10_000
SHARE, ABOVE_MS = 0.70, 25.0
SUBMIT, BARE_SUBMIT = "POST /v1/campaigns/{name}/runs", "one INSERT and one XADD"
RUN, ITS_TARGETS, BARE_RUN = "GET /v1/runs/{id}", "GET /v1/runs/{id}/targets", "one SELECT by key"
ONE_BY_ONE, PACED = "one at a time", "20 a second"


@dataclass(frozen=True, kw_only=True)
class Took:
    """What one load took."""

    a_second: float
    p50_ms: float
    p99_ms: float


class Asker:
    """A process that asks one server."""

    def __init__(self, stores: Stores, served: Served) -> None:
        self.process = subprocess.Popen(
            command("bench.serving.asking", served.port, stores.api_key),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def ask(
        self, method: str, path: str, *, count: int, body: str = "", connections: int = 1, rate: float | None = None
    ) -> Took:
        """One load."""
        assert self.process.stdin
        assert self.process.stdout
        wanted = {"method": method, "path": path, "body": body, "count": count}
        self.process.stdin.write(json.dumps({**wanted, "connections": connections, "rate": rate}) + "\n")
        self.process.stdin.flush()
        return Took(**json.loads(self.process.stdout.readline()))


@contextmanager
def asking(stores: Stores, served: Served) -> Iterator[Asker]:
    """An asker, ended at the end."""
    asker = Asker(stores, served)
    try:
        yield asker
    finally:
        assert asker.process.stdin
        asker.process.stdin.close()
        asker.process.wait()


async def make_run(dsn: str) -> RunId:
    """A run of 10,000 targets of which some are open and most are under way."""
    async with open_pool(dsn, size=1) as pool, pool.acquire() as conn:
        campaign_id = await insert_campaign(conn, name="large")
        run_id = await insert_run(conn, campaign_id)
        for start in range(0, TARGETS, 1_000):
            numbers = range(start, start + 1_000)
            planned = [make_target(run_id, campaign_id, number=number) for number in numbers]
            await targets.insert_targets(conn, planned)
        await conn.execute("UPDATE targets SET state = 'open', updated_at = now() WHERE repository_id % 3 = 0")
        await conn.execute("UPDATE targets SET state = 'preparing' WHERE repository_id % 3 = 1")
        await conn.execute("VACUUM ANALYZE targets")  # as PostgreSQL does by itself within a minute
    return run_id


class Measurement:
    """Rounds that turn round each time."""

    def __init__(self, gateway: Asker, bare: Asker, run_id: RunId, *, share: int) -> None:
        self._gateway, self._bare, self._run_id = gateway, bare, run_id
        self._share = share
        self.submits: defaultdict[str, list[Took]] = defaultdict(list)
        self.reads: defaultdict[tuple[str, str], list[Took]] = defaultdict(list)

    def round(self, number: int) -> None:
        """Everything once."""
        turn = slice(None, None, 1 if number % 2 == 0 else -1)
        submits = [
            (SUBMIT, self._gateway, "/v1/campaigns/add-security-policy/runs"),
            (BARE_SUBMIT, self._bare, "/submit"),
        ][turn]
        for name, asker, path in submits:
            took = asker.ask(
                "POST", path, body='{"dry_run": false}', count=1600 // self._share, connections=CONNECTIONS
            )
            self.submits[name].append(took)
            print(f"{name}: {took}", flush=True)
        reads = [
            (RUN, self._gateway, f"/v1/runs/{self._run_id}"),
            (ITS_TARGETS, self._gateway, f"/v1/runs/{self._run_id}/targets"),
            (BARE_RUN, self._bare, f"/runs/{self._run_id}"),
        ][turn]
        for load, count, connections, rate in ((ONE_BY_ONE, 300, 1, None), (PACED, 200, CONNECTIONS, 20.0)):
            for name, asker, path in reads:
                took = asker.ask("GET", path, count=count // self._share, connections=connections, rate=rate)
                self.reads[name, load].append(took)
                print(f"{name}, {load}: {took}", flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures, prints, and writes the page (not for `--quick`)."""
    parser = argparse.ArgumentParser(prog="python -m bench gateway", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round, and no page")
    asked = parser.parse_args(arguments)
    rounds = 1 if asked.quick else 3
    with (
        running_stores() as stores,
        serving(stores, "gateway") as gateway,
        serving(stores, "bench.serving.bare") as bare,
    ):
        headers = {"authorization": f"Bearer {stores.api_key}"}
        document = {"document": EXAMPLE_SPEC}
        made = httpx.post(f"http://127.0.0.1:{gateway.port}/v1/campaigns", json=document, headers=headers)
        made.raise_for_status()
        run_id = asyncio.run(make_run(stores.dsn))
        with asking(stores, gateway) as ours, asking(stores, bare) as theirs:
            Measurement(ours, theirs, run_id, share=4).round(0)  # warms everything
            measurement = Measurement(ours, theirs, run_id, share=4 if asked.quick else 1)
            for number in range(rounds):
                measurement.round(number)
    text = _page(measurement, rounds=rounds)
    print(text)
    if not asked.quick:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(text)


def _middle(rounds: Sequence[Took]) -> Took:
    return Took(
        a_second=median(each.a_second for each in rounds),
        p50_ms=median(each.p50_ms for each in rounds),
        p99_ms=median(each.p99_ms for each in rounds),
    )


def _page(measurement: Measurement, *, rounds: int) -> str:
    said = (
        f"{written_by('gateway')}: medians of {rounds} rounds, {machine()} at the end. Stores, both servers and who"
        " asks share the machine; Postgres and Valkey write to disk what they are given."
    )
    lines = ["# The gateway beside bare routes", "", said, ""]
    lines += [f"| {CONNECTIONS} connections | requests/s | p50 | p99 | of the bare route |", "| --- " * 5 + "|"]
    bare = _middle(measurement.submits[BARE_SUBMIT])
    for name in (BARE_SUBMIT, SUBMIT):
        took = _middle(measurement.submits[name])
        share = took.a_second / bare.a_second
        lines.append(f"| {name} | {took.a_second:,.0f} | {took.p50_ms:.1f} ms | {took.p99_ms:.1f} ms | {share:.0%} |")
    lines += ["", f"| a run of {TARGETS:,} targets | | p50 | p99 | p99 above the bare route |", "| --- " * 5 + "|"]
    for load in (ONE_BY_ONE, PACED):
        bare = _middle(measurement.reads[BARE_RUN, load])
        for name in (BARE_RUN, RUN, ITS_TARGETS):
            took = _middle(measurement.reads[name, load])
            above = "" if name == BARE_RUN else f"{took.p99_ms - bare.p99_ms:.1f} ms"
            lines.append(f"| {name} | {load} | {took.p50_ms:.1f} ms | {took.p99_ms:.1f} ms | {above} |")
    lines += ["", f"Wanted: {SHARE:.0%} of the bare route's requests, and at most {ABOVE_MS:g} ms above it.", ""]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
