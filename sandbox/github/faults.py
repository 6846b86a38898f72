"""Faults on request: what goes wrong, for which requests, how often.

    PUT /_sandbox/faults  [{"kind": "status", "status": 502, "surface": "graphql", "count": 2}]

| kind | what happens | its facts |
| --- | --- | --- |
| `status` | this status with GitHub's error body | `status`, `retry_after` (seconds, or no header), `message` |
| `secondary_limit` | 403 with the body of a secondary limit | `status` (403 or 429), `retry_after` |
| `graphql_error` | status 200 with `data: null` and `errors` | `type`, `message` |
| `slow` | the answer comes late | `seconds` |
| `timeout` | a query for more than `larger_than` things at once is not answered in time | `status` (502 or 200) |
| `incomplete_results` | a search of REST says so, and holds nothing | |
| `drop` | the connection ends without an answer | |
| `replication_lag` | tokens younger than `seconds` are refused: 401, down-scoped ones 403 | `seconds` |

`surface` is `rest`, `graphql`, `git` or `any`; `match` is a text that the path, or the GraphQL document, must have;
`method` an HTTP method. `skip` requests pass first, then it happens `count` times (None: until cleared). With
`when: "after"` the request takes effect and only its answer is lost.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Kind = Literal[
    "status",
    "secondary_limit",
    "graphql_error",
    "slow",
    "timeout",
    "incomplete_results",
    "drop",
    "replication_lag",
]
Surface = Literal["rest", "graphql", "git", "any"]


@dataclass(kw_only=True)
class Fault:
    """One thing that goes wrong; see the table above. `fired` counts how often it did."""

    kind: Kind
    surface: Surface = "any"
    match: str = ""
    method: str | None = None
    when: Literal["before", "after"] = "before"
    count: int | None = 1
    skip: int = 0
    status: int = 502
    retry_after: int | None = None
    message: str | None = None
    type: str = "INTERNAL"
    seconds: float = 1.0
    larger_than: int = 0
    fired: int = 0

    def matches(self, surface: str, method: str, text: str, size: int = 0) -> bool:
        """Whether it is about such a request, for `size` things at once, and not used up."""
        return (
            self.surface in {"any", surface}
            and self.method in {None, method}
            and self.match in text
            and (self.kind != "timeout" or size > self.larger_than)
            and (self.count is None or self.fired < self.count)
        )


class Faults:
    """The faults that are set."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """One more fault."""
        self._faults.append(fault)

    def clear(self) -> None:
        """No faults any more."""
        self._faults.clear()

    def read(self) -> list[dict[str, Any]]:
        """All faults, with how often they happened."""
        return [asdict(fault) for fault in self._faults]

    def take(self, surface: str, method: str, text: str, *, size: int = 0) -> list[Fault]:
        """The faults that this request meets, counted as happened: slowness, and the first of the others."""
        met: list[Fault] = []
        for fault in self._faults:
            failing = any(other.kind != "slow" for other in met)
            if fault.kind == "replication_lag" or not fault.matches(surface, method, text, size):
                continue
            if fault.kind != "slow" and failing:
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            fault.fired += 1
            met.append(fault)
        return met

    def replication_lag(self) -> float:
        """Seconds for which a new token is not known everywhere."""
        return max((fault.seconds for fault in self._faults if fault.kind == "replication_lag"), default=0.0)
