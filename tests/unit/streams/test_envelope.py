"""Envelopes are JSON that this version and its neighbours can read."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.ids import OperationId, RunId, TargetId, new_id
from shared.domain.operation import Service
from shared.errors import InvalidInput, Unavailable
from shared.streams.envelope import MAX_BYTES, Envelope

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


def make_envelope(**fields: object) -> Envelope:
    values = {"service": Service.CAMPAIGNS, "type": "plan_run", "dedupe_key": "k", "actor": "someone"} | fields
    return Envelope(id=OperationId(new_id()), **values)  # pyright: ignore


@given(payload=st.dictionaries(st.text(), JSON, max_size=5), attempt=st.integers(1, 100), has_run=st.booleans())
def test_what_is_written_is_read(payload: dict[str, object], attempt: int, has_run: bool) -> None:
    envelope = make_envelope(
        payload=payload,
        attempt=attempt,
        run_id=RunId(new_id()) if has_run else None,
        target_id=TargetId(new_id()) if has_run else None,
    )
    assert Envelope.from_json(envelope.to_json()) == envelope


def test_a_next_attempt_differs_in_nothing_else() -> None:
    envelope = make_envelope()
    assert json.loads(envelope.next_attempt().to_json()) == json.loads(envelope.to_json()) | {"attempt": 2}


@pytest.mark.parametrize(
    "raw",
    [b"", b"null", b"[]", b"{}", b"\xff", b'{"version": 1}', b'{"version": 1, "id": "x", "service": "campaigns"}'],
)
def test_what_is_no_command_is_refused(raw: bytes) -> None:
    with pytest.raises(InvalidInput, match="is not a command"):
        Envelope.from_json(raw)


def test_a_command_of_a_newer_version_is_left_to_a_newer_worker() -> None:
    content = json.loads(make_envelope().to_json()) | {"version": 2, "new_field": True}
    with pytest.raises(Unavailable, match="version 2"):
        Envelope.from_json(json.dumps(content).encode())


def test_a_command_too_large_is_refused() -> None:
    with pytest.raises(InvalidInput, match=f"more than {MAX_BYTES}"):
        make_envelope(payload={"text": "é" * (MAX_BYTES // 2)}).to_json()
