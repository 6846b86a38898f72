"""What is said of a selection as it is made: how far it is, and how long it may go on."""

from __future__ import annotations

from typing import Any

import pytest

from cli.selection_progress import SelectionProgress, index_note


def make_selection(**values: Any) -> dict[str, Any]:
    known = {"state": "selecting", "phase": "finding", "found": 0, "expected": None, "to_examine": 0, "examined": 0}
    return {**known, "requests": 0, **values}


def test_the_time_left_is_told_from_the_speed_of_the_phase() -> None:
    progress = SelectionProgress()
    progress.apply(make_selection(found=1000), now=10.0)
    assert (progress.line, progress.seconds_left) == ("found 1000, 0 requests", None)
    progress.apply(make_selection(found=2000, expected=25000, requests=21), now=12.0)
    assert (progress.line, progress.seconds_left) == ("found 2000 of 25000, 21 requests", pytest.approx(46))
    progress.apply(make_selection(phase="examining", found=25000, to_examine=500, examined=100), now=60.0)
    assert (progress.line, progress.seconds_left) == ("examined 100 of 500, 0 requests", None)
    progress.apply(make_selection(phase="examining", found=25000, to_examine=500, examined=300), now=62.0)
    assert progress.seconds_left == pytest.approx(2)


def test_the_age_of_the_index_is_told() -> None:
    selection = {"index_as_of": "2026-03-01T08:57:00Z", "finished_at": "2026-03-01T09:00:00Z"}
    assert index_note(selection).startswith("answered from the index, 3 min old then; --fresh")
    assert index_note({**selection, "index_as_of": None}) == ""
