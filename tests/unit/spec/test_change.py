"""A change is the same after it was stored."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.change import FileChange, PreparedChange
from shared.domain.target import DiffStat

FILES = st.builds(
    FileChange,
    path=st.text(min_size=1),
    content=st.none() | st.binary(),
    executable=st.booleans(),
    symlink=st.booleans(),
)


@given(st.lists(FILES, max_size=4), st.text(), st.text())
def test_a_change_survives_its_json(files: list[FileChange], title: str, body: str) -> None:
    change = PreparedChange(
        base_oid="a" * 40,
        prepared_at=datetime(2026, 1, 1, tzinfo=UTC),
        files=tuple(files),
        stat=DiffStat(files=1, additions=2, deletions=3),
        title=title,
        body=body,
        commit_message="m",
    )
    again = PreparedChange.from_json(change.to_json())
    assert again == change
    assert again.is_empty is (not files)
