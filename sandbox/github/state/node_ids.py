"""Node ids in GitHub's style: a prefix for the kind, then base64 of a MessagePack array `[0, …keys]`.

    encode(Kind.REPOSITORY, 1296269) == "R_kgDOABPHjQ"        # as GitHub gives for octocat/Hello-World

They are computed, not stored: `decode` gives the kind and the keys back.
"""

from __future__ import annotations

import base64
import struct
from enum import StrEnum

Key = int | str


class Kind(StrEnum):
    """Prefixes of node ids."""

    APP = "A"
    BLOB = "B"
    BOT = "BOT"
    CHECK_RUN = "CR"
    CHECK_SUITE = "CS"
    COMBINED_STATUS = "S"
    COMMIT = "C"
    COMPARISON = "CMP"
    INSTALLATION = "AI"
    ISSUE_COMMENT = "IC"
    LABEL = "LA"
    LANGUAGE = "LAN"
    LICENSE = "LI"
    ORGANIZATION = "O"
    PULL_REQUEST = "PR"
    PULL_REQUEST_COMMIT = "PURC"
    REF = "REF"
    REPOSITORY = "R"
    REPOSITORY_TOPIC = "RT"
    REVIEW = "PRR"
    REVIEW_REQUEST = "RR"
    ROLLUP = "SR"
    STATUS = "SC"
    TAG = "TA"
    TEAM = "T"
    TOPIC = "TO"
    TREE = "TRE"
    USER = "U"


def encode(kind: Kind, *keys: Key) -> str:
    """The node id of the object of that kind with those keys."""
    packed = bytes([0x90 + len(keys) + 1, 0]) + b"".join(_pack(key) for key in keys)
    return f"{kind}_{base64.urlsafe_b64encode(packed).decode().rstrip('=')}"


def decode(node_id: str) -> tuple[Kind, tuple[Key, ...]] | None:
    """Kind and keys, or None where it is no node id."""
    prefix, _, text = node_id.partition("_")
    try:
        kind = Kind(prefix)
        packed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        return kind, _unpack(packed)
    except (ValueError, struct.error, IndexError):
        return None


def _pack(key: Key) -> bytes:
    if isinstance(key, int):
        return b"\xce" + struct.pack(">I", key) if key < 2**32 else b"\xcf" + struct.pack(">Q", key)
    text = key.encode()
    return b"\xda" + struct.pack(">H", len(text)) + text


def _unpack(packed: bytes) -> tuple[Key, ...]:
    if packed[0] & 0xF0 != 0x90 or packed[1] != 0:
        raise ValueError("not an array that begins with 0")
    keys: list[Key] = []
    at = 2
    while at < len(packed):
        key, at = _unpack_key(packed, at)
        keys.append(key)
    if len(keys) != (packed[0] & 0x0F) - 1:
        raise ValueError("not as many keys as said")
    return tuple(keys)


def _unpack_key(packed: bytes, at: int) -> tuple[Key, int]:
    match packed[at]:
        case 0xCE:
            return struct.unpack_from(">I", packed, at + 1)[0], at + 5
        case 0xCF:
            return struct.unpack_from(">Q", packed, at + 1)[0], at + 9
        case 0xDA:
            (length,) = struct.unpack_from(">H", packed, at + 1)
            text = packed[at + 3 : at + 3 + length]
            if len(text) != length:
                raise ValueError("cut off")
            return text.decode(), at + 3 + length
        case _:
            raise ValueError("neither an integer nor text")
