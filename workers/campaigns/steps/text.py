"""Text of files: encoding and line ends are kept as they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from shared.domain.patterns import compile_pattern, parse_replacement

MAX_RESULT_CHARACTERS = 16 * 1024 * 1024
_BOM = "\ufeff"


class EditFailed(ValueError):
    """An edit that cannot be made in a file; the message says why."""


@dataclass(frozen=True)
class Text:
    """A file's text with `\\n` line ends, and how to turn it into bytes again."""

    text: str
    encoding: str
    bom: bool
    crlf: bool

    def encode(self, text: str) -> bytes:
        """The bytes of changed text, in the encoding and with the line ends of the file."""
        if self.crlf:
            text = text.replace("\n", "\r\n")
        try:
            return ((_BOM if self.bom else "") + text).encode(self.encoding)
        except UnicodeEncodeError:
            raise EditFailed("the new text has characters that the file's encoding does not have") from None


def is_binary(content: bytes) -> bool:
    """Whether git takes a file for binary: a NUL among its first 8,000 bytes."""
    return b"\0" in content[:8000]


def decode(content: bytes) -> Text:
    """The text of a file: UTF-8, or else Latin-1, in which every byte stays what it is.

    Line ends become `\\n` where all are `\\r\\n`; mixed ones stay.
    """
    try:
        text, encoding = content.decode(), "utf-8"
    except UnicodeDecodeError:
        text, encoding = content.decode("latin-1"), "latin-1"
    bom = encoding == "utf-8" and text.startswith(_BOM)
    text = text.removeprefix(_BOM) if bom else text
    crlf = "\r\n" in text and text.count("\r\n") == text.count("\n")
    return Text(text.replace("\r\n", "\n") if crlf else text, encoding, bom, crlf)


def edited(content: bytes, change: Callable[[str], str]) -> bytes:
    """A file's content after a change of its text."""
    text = decode(content)
    changed = change(text.text)
    return content if changed == text.text else text.encode(changed)


def replace(text: str, pattern: str, replacement: str) -> str:
    """The text with everything that the pattern finds replaced; see `compile_pattern` for its flags."""
    compiled = compile_pattern(pattern)
    parts = parse_replacement(replacement, compiled.groups)
    out: list[str] = []
    position = length = 0
    for match in compiled.finditer(text):
        new = "".join(part if isinstance(part, str) else match.group(part) or "" for part in parts)
        out += [text[position : match.start()], new]
        position = match.end()
        length += len(new)
        if length > MAX_RESULT_CHARACTERS:
            raise EditFailed(f"the result is longer than {MAX_RESULT_CHARACTERS} characters")
    return "".join(out) + text[position:]
