"""A sealed secret opens for its reader, for its purpose, unaltered; never otherwise."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.sealing import SealBroken, SealingKey, seal


@given(secret=st.binary(max_size=2000), info=st.binary(max_size=200))
def test_the_reader_opens_what_was_sealed_to_it(secret: bytes, info: bytes) -> None:
    reader = SealingKey.generate()
    assert reader.open(seal(secret, reader.public_bytes, info=info), info=info) == secret


def test_nobody_else_opens_it() -> None:
    reader, other = SealingKey.generate(), SealingKey.generate()
    with pytest.raises(SealBroken):
        other.open(seal(b"secret", reader.public_bytes, info=b"request 1"), info=b"request 1")


def test_it_does_not_open_for_another_request() -> None:
    reader = SealingKey.generate()
    with pytest.raises(SealBroken):
        reader.open(seal(b"secret", reader.public_bytes, info=b"request 1"), info=b"request 2")


@given(position=st.integers(min_value=0, max_value=63), flip=st.integers(min_value=1, max_value=255))
def test_an_altered_box_does_not_open(position: int, flip: int) -> None:
    reader = SealingKey.generate()
    box = bytearray(seal(b"a secret of sixteen+ bytes", reader.public_bytes, info=b""))
    box[position] ^= flip
    with pytest.raises(SealBroken):
        reader.open(bytes(box), info=b"")


def test_a_cut_box_does_not_open() -> None:
    reader = SealingKey.generate()
    with pytest.raises(SealBroken):
        reader.open(b"short", info=b"")


def test_the_private_key_is_not_printed() -> None:
    assert repr(SealingKey.generate()) == "SealingKey(…)"
