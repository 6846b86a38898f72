"""Worker processes on the session's stores, and the table of what the faults came to.

A test says what it measured with `record_property("fault 7", "…")`; the numbers are those of `docs/faults.md`.
"""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.worker_bench import bench, tables

__all__ = ["bench", "tables"]

WHOLE = "all"

ELSEWHERE = {
    "16": "tests/integration/streams/test_semaphores.py::test_a_dead_holders_lease_comes_back",
    "17": "tests/integration/streams/test_events.py::test_a_snapshot_and_what_follows_have_no_gap_and_no_double",
    "21": "tests/acceptance/test_kills.py::test_a_run_whose_parts_are_killed_opens_the_same_pull_requests",
    "22": "tests/integration/following/test_anything.py::test_at_the_end_octobatch_says_what_github_holds",
}
"""Where tests stand that are counted here too, by the beginning of their names."""


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: Any) -> None:
    """The closing table, also of what did not hold."""
    rows = [
        (number, outcome, figures)
        for outcome in ("passed", "failed")
        for report in terminalreporter.stats.get(outcome, ())
        if getattr(report, "when", None) == "call"
        for number, figures in _figures(report)
    ]
    if rows:
        terminalreporter.section("faults")
        for number, outcome, figures in sorted(rows, key=_order):
            terminalreporter.write_line(f"{number:>3}  {outcome}  {figures}")


def _figures(report: Any) -> list[tuple[str, str]]:
    if report.failed and (numbered := re.search(r"::test_(\d+)_", report.nodeid)):
        return [(numbered[1], report.nodeid)]
    if report.failed and report.nodeid.startswith("tests/faults/"):
        return [(WHOLE, report.nodeid)]
    elsewhere = [(number, report.nodeid) for number, test in ELSEWHERE.items() if report.nodeid.startswith(test)]
    return elsewhere + [
        (name.removeprefix("fault "), str(value)) for name, value in report.user_properties if name.startswith("fault ")
    ]


def _order(row: tuple[str, str, str]) -> tuple[int, str]:
    number, _, figures = row
    return (99 if number == WHOLE else int(number)), figures
