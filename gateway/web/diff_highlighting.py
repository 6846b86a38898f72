"""Lines of a diff as HTML: coloured by language, with the words that changed marked. Classes alone, no styles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from html import escape

from markupsafe import Markup
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_for_filename  # pyright: ignore[reportUnknownVariableType] -- its options
from pygments.token import STANDARD_TYPES, Token
from pygments.util import ClassNotFound

from .diff_words import Ranges
from .diffs import DiffLine, LineKind

_MOST_CHARACTERS = 200_000
"""More is shown without colours."""

_PLAIN = {"", "n", "p", "w", "o", "g", "esc", "err", "x"}
"""Short names of kinds that are not coloured."""

Piece = tuple[str, str]
"""A kind of token by its short name, and its text."""


def highlighted(path: str, lines: Sequence[DiffLine], changed: dict[int, Ranges]) -> list[Markup]:
    """The HTML of each line. The file before and the file after are coloured apart, each as one text."""
    pieces: dict[int, list[Piece]] = {}
    for side in (LineKind.REMOVED, LineKind.ADDED):
        chosen = [index for index, line in enumerate(lines) if line.kind in {side, LineKind.CONTEXT}]
        coloured = _coloured(path, [lines[index].text for index in chosen])
        pieces |= dict(zip(chosen, coloured, strict=True))
    return [_html(pieces.get(index) or [("", line.text)], changed.get(index, ())) for index, line in enumerate(lines)]


def _coloured(path: str, texts: Sequence[str]) -> list[list[Piece]]:
    plain = [[("", text)] for text in texts]
    lexer = _lexer(path)
    if lexer is None or sum(map(len, texts)) > _MOST_CHARACTERS:
        return plain
    lines: list[list[Piece]] = [[]]
    for kind, text in lexer.get_tokens("\n".join(texts)):
        name = _short(kind)
        for number, part in enumerate(text.split("\n")):
            if number:
                lines.append([])
            if part:
                lines[-1].append((name, part))
    if len(lines) == len(texts) + 1 and not lines[-1]:
        lines.pop()
    return lines if ["".join(part for _, part in line) for line in lines] == list(texts) else plain


@lru_cache(maxsize=256)
def _lexer(path: str) -> Lexer | None:
    try:
        return get_lexer_for_filename(path.rpartition("/")[2], stripnl=False, stripall=False, ensurenl=True)
    except ClassNotFound:
        return None


@lru_cache(maxsize=512)
def _short(kind: object) -> str:
    while kind is not Token and kind is not None:
        name = STANDARD_TYPES.get(kind)  # pyright: ignore[reportArgumentType, reportCallIssue] -- a kind of token
        if name is not None:
            return "" if name in _PLAIN else name
        kind = getattr(kind, "parent", None)
    return ""


def _html(pieces: Sequence[Piece], ranges: Ranges) -> Markup:
    return Markup("".join(_spans(pieces, ranges)))  # noqa: S704 - every text in it is escaped by `_spans`


def _spans(pieces: Sequence[Piece], ranges: Ranges) -> Iterator[str]:
    """The pieces, cut where a changed range begins or ends."""
    at = 0
    for name, text in pieces:
        end = at + len(text)
        while at < end:
            inside = next((one for one in ranges if one[0] <= at < one[1]), None)
            until = min(end, inside[1] if inside else min((one[0] for one in ranges if one[0] > at), default=end))
            part = escape(text[len(text) - (end - at) : len(text) - (end - until)])
            span = f'<span class="{name}">{part}</span>' if name else part
            yield f"<mark>{span}</mark>" if inside else span
            at = until
