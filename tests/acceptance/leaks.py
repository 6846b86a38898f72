"""A search for secrets in whatever was written down, in all the ways in which text is written down.

search = Search({"token": b"SungByACanary", "App key": pem.encode()})
search.in_text("answer of GET /runs", response.content)     # [] or ["answer of GET /runs: token, hex"]
search.in_folder(Path(".octobatch"), without={"github"})
"""

from __future__ import annotations

import base64
import json
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

import re2

PIECE_BYTES = 24
"""Secrets longer than this are searched for in pieces, since writers break long lines."""


def forms(secret: bytes) -> dict[str, bytes]:
    """How a secret can stand in text: by the name of the form, what to look for."""
    text = secret.decode("latin-1")
    return {
        "plain": secret,
        "reversed": secret[::-1],
        "hex": secret.hex().encode(),
        "hex in capitals": secret.hex().upper().encode(),
        "URL-encoded": quote(secret, safe="").encode(),
        "URL-encoded throughout": "".join(f"%{byte:02X}" for byte in secret).encode(),
        "JSON": json.dumps(text)[1:-1].encode(),
        "JSON with escaped slashes": json.dumps(text)[1:-1].replace("/", "\\/").encode(),
        "UTF-16": text.encode("utf-16-le"),
        **{f"base64 behind {behind} bytes": base64_behind(secret, behind) for behind in range(3)},
        **{
            f"URL-safe base64 behind {behind} bytes": base64_behind(secret, behind).translate(_URL_SAFE)
            for behind in range(3)
        },
    }


_URL_SAFE = bytes.maketrans(b"+/", b"-_")


def base64_behind(secret: bytes, behind: int) -> bytes:
    """What is sure to stand in the base64 of anything that has `secret` behind a multiple of 3 and `behind` bytes."""
    encoded = base64.b64encode(bytes(behind) + secret)
    first = -(-behind * 8 // 6)
    whole = (behind + len(secret)) * 8 // 6
    return encoded[first:whole]


def pieces(secret: bytes) -> Iterator[bytes]:
    """The secret itself if it is short, else in pieces; a PEM line by line, without those that hold no secret."""
    lines = secret.splitlines()[1:-1] if secret.startswith(b"-----") else [secret]
    for line in lines:
        if len(line) <= PIECE_BYTES and len(lines) == 1:
            yield line
        yield from (line[at : at + PIECE_BYTES] for at in range(0, len(line) - PIECE_BYTES, PIECE_BYTES))


class Search:
    """Looks for secrets by name. A text's own bytes count, not what it would be when decompressed."""

    def __init__(self, secrets: Mapping[str, bytes]) -> None:
        self._known = {
            needle: f"{name}, {form}"
            for name, secret in secrets.items()
            for piece in pieces(secret)
            for form, needle in reversed(forms(piece).items())
        }
        options = re2.Options()
        options.max_mem = 1 << 30
        options.encoding = re2.Options.Encoding.LATIN1
        self._pattern = re2.compile(b"|".join(re2.escape(needle) for needle in self._known), options)

    def in_text(self, place: str, content: bytes) -> list[str]:
        """Each place, secret and form that is found, once."""
        found = {self._known[match.group()] for match in self._pattern.finditer(content)}
        return sorted(f"{place}: {what}" for what in found)

    def in_folder(self, folder: Path, *, without: Collection[str] = ()) -> list[str]:
        """The same for names and contents of all files below `folder`, save those named directly in it by `without`."""
        found: list[str] = []
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder)
            if name.parts[0] not in without and path.is_file() and not path.is_symlink():
                found += self.in_text(str(name), str(name).encode() + b"\n" + path.read_bytes())
        return found
