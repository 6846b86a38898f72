"""From what the workers wrote down to figures, and the page of them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

Record = tuple[int, int, int]
"""The job's number, when it was submitted, and when its handler ended, in ns of one clock."""


@dataclass(frozen=True, kw_only=True)
class Throughput:
    """One run of a backlog; CPU is of all the worker's processes while they worked."""

    jobs: int
    jobs_a_second: float
    submitted_a_second: float
    cpu_us_a_job: float


@dataclass(frozen=True, kw_only=True)
class Latency:
    """One paced run: from just before the submission to the end of the handler."""

    jobs: int
    jobs_a_second: float
    p50_ms: float
    p99_ms: float


def check_once_each(records: Sequence[Record], count: int) -> None:
    """Raises where a job was lost or done twice."""
    numbers = [number for number, _, _ in records]
    if len(numbers) != count or len(set(numbers)) != count:
        raise ValueError(f"{len(numbers)} runs of {len(set(numbers))} jobs, where {count} were submitted")


def jobs_a_second(by_process: Sequence[Sequence[Record]]) -> float:
    """The rate from the moment when every process has done its first job until the last is done."""
    ended = [sorted(done for _, _, done in records) for records in by_process]
    started = max(times[0] for times in ended)
    after = [time for times in ended for time in times if time > started]
    return len(after) / ((max(after) - started) / 1e9)


def latency(records: Sequence[Record], *, rate: float, warm_up: int) -> Latency:
    """Of all jobs but the first `warm_up`."""
    measured = sorted((done - submitted) / 1e6 for number, submitted, done in records if number >= warm_up)
    return Latency(
        jobs=len(measured),
        jobs_a_second=rate,
        p50_ms=percentile(measured, 50),
        p99_ms=percentile(measured, 99),
    )


def percentile(ordered: Sequence[float], percent: float) -> float:
    """The smallest value that so many percent of `ordered` do not exceed."""
    rank = max(-(-len(ordered) * percent // 100), 1)
    return ordered[int(rank) - 1]


def middle(rounds: Sequence[Throughput]) -> Throughput:
    """The medians of the rounds."""
    return Throughput(
        jobs=int(median(each.jobs for each in rounds)),
        jobs_a_second=median(each.jobs_a_second for each in rounds),
        submitted_a_second=median(each.submitted_a_second for each in rounds),
        cpu_us_a_job=median(each.cpu_us_a_job for each in rounds),
    )


def middle_latency(rounds: Sequence[Latency]) -> Latency:
    """The medians of the rounds."""
    return Latency(
        jobs=int(median(each.jobs for each in rounds)),
        jobs_a_second=median(each.jobs_a_second for each in rounds),
        p50_ms=median(each.p50_ms for each in rounds),
        p99_ms=median(each.p99_ms for each in rounds),
    )


@dataclass(frozen=True, kw_only=True)
class Line:
    """What a page says of one system; `spread` is the slowest and the fastest round of one process."""

    name: str
    settings: str
    by_processes: Mapping[int, Throughput]
    spread: tuple[float, float]
    latency: Latency | None


def table(lines: Sequence[Line], *, ours: str) -> list[str]:
    """The lines of a Markdown table; "ours is" tells how many times as fast `ours` is in one process."""
    page = [
        "| queue | jobs/s, 1 process (rounds) | ours is | 2 processes | CPU a job | submitted/s | p50 / p99 at load |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    [own] = [line for line in lines if line.name == ours]
    for line in lines:
        one, two = line.by_processes[1], line.by_processes.get(2)
        cells = (
            line.name,
            f"**{one.jobs_a_second:,.0f}** ({line.spread[0]:,.0f}-{line.spread[1]:,.0f})",
            f"{own.by_processes[1].jobs_a_second / one.jobs_a_second:.1f} x",
            f"{two.jobs_a_second:,.0f}" if two else "-",
            f"{one.cpu_us_a_job:,.0f} µs",
            f"{one.submitted_a_second:,.0f}",
            _latency(line.latency),
        )
        page.append(f"| {' | '.join(cells)} |")
    return [*page, "", *(f"- {line.name}: {line.settings}" for line in lines)]


def _latency(found: Latency | None) -> str:
    if found is None:
        return "-"
    return f"{found.p50_ms:.1f} / {found.p99_ms:.1f} ms at {found.jobs_a_second:,.0f}/s"


@dataclass(frozen=True)
class Target:
    """Something that the benchmark is to show."""

    text: str
    reached: float
    wanted: float
    unit: str
    is_most: bool = False

    @property
    def is_met(self) -> bool:
        """Whether it does."""
        return self.reached <= self.wanted if self.is_most else self.reached >= self.wanted

    def __str__(self) -> str:
        """A line of the page."""
        verdict = "met" if self.is_met else "**missed**"
        bound = "at most" if self.is_most else "at least"
        return f"| {self.text} | {bound} {self.wanted:g} {self.unit} | {self.reached:.2f} {self.unit} | {verdict} |"
