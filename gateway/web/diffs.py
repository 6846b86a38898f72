"""A unified diff of git, read into files and lines with their numbers: what a page shows. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum


class LineKind(StrEnum):
    """What a line of a diff is."""

    HUNK = "hunk"
    ADDED = "added"
    REMOVED = "removed"
    CONTEXT = "context"
    NOTE = "note"  # of git: no newline at the end of the file


class FileKind(StrEnum):
    """What happened to a file."""

    ADDED = "added"
    DELETED = "deleted"
    RENAMED = "renamed"
    CHANGED = "changed"


@dataclass(frozen=True)
class DiffLine:
    """One line, without its sign, and its numbers in the file before and after."""

    kind: LineKind
    text: str
    old: int | None = None
    new: int | None = None


@dataclass
class FileDiff:
    """What changes in one file. `facts` are lines of git about modes and names; `is_binary` has no lines to show."""

    index: int
    path: str
    old_path: str
    kind: FileKind = FileKind.CHANGED
    is_binary: bool = False
    facts: list[str] = field(default_factory=list[str])
    lines: list[DiffLine] = field(default_factory=list[DiffLine])

    @property
    def additions(self) -> int:
        """Lines that are added."""
        return sum(line.kind is LineKind.ADDED for line in self.lines)

    @property
    def deletions(self) -> int:
        """Lines that are removed."""
        return sum(line.kind is LineKind.REMOVED for line in self.lines)


_HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_PLAIN_HEADER = re.compile(r"diff --git a/(?P<old>.+) b/(?P<new>.+)")
_SAME_NAMES = re.compile(r"diff --git a/(?P<name>.+) b/(?P=name)")
_ESCAPES = re.compile(rb"\\([0-7]{3}|.)")
_ESCAPED = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b'"': b'"', b"\\": b"\\", b"a": b"\a", b"b": b"\b", b"f": b"\f"}


def read_diff(text: str) -> list[FileDiff]:
    """The files of a diff, in its order; what stands before the first is left out."""
    files: list[FileDiff] = []
    lines = iter(text.split("\n"))
    for line in lines:
        if line.startswith("diff --git "):
            files.append(_begun(len(files), line))
        elif files and (hunk := _HUNK.match(line)):
            files[-1].lines.append(DiffLine(LineKind.HUNK, line))
            _read_hunk(files[-1], lines, hunk)
        elif files:
            _note(files[-1], line)
    return files


def read_lines(path: str, text: str) -> FileDiff:
    """A unified diff of one file, whose name it need not have."""
    [file] = read_diff(f"diff --git a/{path} b/{path}\n{text}")
    file.path = path
    return file


def _begun(index: int, line: str) -> FileDiff:
    match = _SAME_NAMES.fullmatch(line)
    if match:
        return FileDiff(index, match["name"], match["name"])
    match = _PLAIN_HEADER.fullmatch(line)
    return FileDiff(index, match["new"], match["old"]) if match else FileDiff(index, line[11:], line[11:])


def _note(file: FileDiff, line: str) -> None:
    """Takes in a line before the first hunk of a file, or after the last."""
    words, _, rest = line.partition(" ")
    if line.startswith(("new file mode ", "deleted file mode ")):
        file.kind = FileKind.ADDED if words == "new" else FileKind.DELETED
    elif line.startswith("rename from "):
        file.kind, file.old_path = FileKind.RENAMED, _name(line[12:])
    elif line.startswith("rename to "):
        file.path = _name(line[10:])
    elif line.startswith(("Binary files ", "GIT binary patch")):
        file.is_binary = True
    elif words == "---" and rest != "/dev/null":
        file.old_path = _name(rest).removeprefix("a/")
    elif words == "+++" and rest != "/dev/null":
        file.path = _name(rest).removeprefix("b/")
    elif line.startswith(("old mode ", "new mode ", "similarity ")):
        file.facts.append(line)
    elif line.startswith("\\"):
        file.lines.append(DiffLine(LineKind.NOTE, line[2:]))


def _read_hunk(file: FileDiff, lines: Iterator[str], hunk: re.Match[str]) -> None:
    """Reads as many lines as the head of the hunk says there are: a removed line may look like a header."""
    old, old_left, new, new_left = (int(1 if group is None else group) for group in hunk.groups())
    while old_left > 0 or new_left > 0:
        line = next(lines, None)
        if line is None:
            return
        sign, text = line[:1], line[1:]
        if sign == "\\":
            file.lines.append(DiffLine(LineKind.NOTE, text.strip()))
        elif sign == "+":
            file.lines.append(DiffLine(LineKind.ADDED, text, new=new))
            new, new_left = new + 1, new_left - 1
        elif sign == "-":
            file.lines.append(DiffLine(LineKind.REMOVED, text, old=old))
            old, old_left = old + 1, old_left - 1
        else:
            file.lines.append(DiffLine(LineKind.CONTEXT, text, old=old, new=new))
            old, old_left, new, new_left = old + 1, old_left - 1, new + 1, new_left - 1


def _name(given: str) -> str:
    """A name as git writes it: in quotes, with the bytes of what is not plain as octal numbers."""
    given = given.rstrip("\t")
    if not (given.startswith('"') and given.endswith('"') and len(given) > 1):
        return given

    def unescaped(match: re.Match[bytes]) -> bytes:
        code = match[1]
        return bytes([int(code, 8) & 0xFF]) if len(code) == 3 else _ESCAPED.get(code, code)

    return _ESCAPES.sub(unescaped, given[1:-1].encode()).decode(errors="replace")
