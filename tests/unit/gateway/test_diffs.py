"""Diffs as pages show them: read, divided into parts, coloured, with the words that changed."""

from __future__ import annotations

import re
import subprocess
from html import unescape
from pathlib import Path

from gateway.web.diff_highlighting import highlighted
from gateway.web.diff_views import PART_LINES, DiffView, part_of
from gateway.web.diff_words import changed_words
from gateway.web.diffs import DiffLine, FileDiff, FileKind, LineKind, read_diff
from gateway.web.log_views import read_log


def _git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=A", "-c", "user.email=a@b")
    done = subprocess.run(["git", "-C", folder, *identity, *arguments], check=True, capture_output=True, text=True)
    return done.stdout


def _diff_of(folder: Path) -> list[FileDiff]:
    """A real diff of git: changed, added, deleted, renamed and binary files, odd names, no newline at the end."""
    _git(folder, "init", "-q")
    (folder / "app.py").write_text("import os\n\n\ndef f(a):\n    return a + 1\n")
    (folder / "gone.txt").write_text("-- not a header\n++ nor this\n")
    (folder / "old name.md").write_text("# Title\n" + "text\n" * 20)
    (folder / "logo.bin").write_bytes(bytes(range(256)))
    (folder / "no-end").write_text("one")
    _git(folder, "add", "-A")
    _git(folder, "commit", "-qm", "before")
    (folder / "app.py").write_text("import os\n\n\ndef f(a, b):\n    return a + 2\n")
    (folder / "gone.txt").unlink()
    (folder / "old name.md").rename(folder / "new näme.md")
    (folder / "logo.bin").write_bytes(bytes(reversed(range(256))))
    (folder / "no-end").write_text("two")
    (folder / "sub").mkdir()
    (folder / "sub" / "new.ts").write_text("const x = 1;\n")
    _git(folder, "add", "-A")
    return read_diff(_git(folder, "diff", "--cached", "-M", "HEAD"))


def test_a_diff_of_git_is_read_with_every_kind_of_file(tmp_path: Path) -> None:
    files = {file.path: file for file in _diff_of(tmp_path)}
    assert {path: (file.kind, file.additions, file.deletions, file.is_binary) for path, file in files.items()} == {
        "app.py": (FileKind.CHANGED, 2, 2, False),
        "gone.txt": (FileKind.DELETED, 0, 2, False),
        "new näme.md": (FileKind.RENAMED, 0, 0, False),
        "logo.bin": (FileKind.CHANGED, 0, 0, True),
        "no-end": (FileKind.CHANGED, 1, 1, False),
        "sub/new.ts": (FileKind.ADDED, 1, 0, False),
    }
    assert files["new näme.md"].old_path == "old name.md"
    assert [line.text for line in files["gone.txt"].lines[1:]] == ["-- not a header", "++ nor this"]
    assert [line.kind for line in files["no-end"].lines] == ["hunk", "removed", "note", "added", "note"]
    numbers = [(line.old, line.new) for line in files["app.py"].lines if line.kind != "hunk"]
    assert numbers == [(1, 1), (2, 2), (3, 3), (4, None), (5, None), (None, 4), (None, 5)]


def test_what_is_shown_of_a_line_is_its_text_whatever_colours_it(tmp_path: Path) -> None:
    for file in _diff_of(tmp_path):
        shown = highlighted(file.path, file.lines, changed_words(file.lines))
        texts = [unescape(re.sub(r"</?(?:span|mark)[^>]*>", "", html)) for html in shown]
        assert texts == [line.text for line in file.lines]
        assert "style=" not in "".join(shown)


def test_words_that_changed_are_marked_and_lines_that_are_not_alike_have_none() -> None:
    lines = [
        DiffLine(LineKind.REMOVED, 'version = "1.2.0"', old=1),
        DiffLine(LineKind.REMOVED, "completely different", old=2),
        DiffLine(LineKind.ADDED, 'version = "1.3.0"', new=1),
        DiffLine(LineKind.ADDED, "<script>alert(1)</script>", new=2),
    ]
    changed = changed_words(lines)
    assert changed == {0: ((13, 14),), 2: ((13, 14),)}
    html = highlighted("a.unknown", lines, changed)
    assert html[0] == "version = &quot;1.<mark>2</mark>.0&quot;"
    assert html[3] == "&lt;script&gt;alert(1)&lt;/script&gt;"
    assert '<span class="kn">import</span>' in highlighted("a.py", [DiffLine(LineKind.ADDED, "import os")], {})[0]


def test_a_large_file_comes_in_parts_that_end_between_changes() -> None:
    body = "".join(f"-old {number}\n+new {number}\n" if number % 3 else " same\n" for number in range(6000))
    old = body.count("\n-") + body.startswith("-") + body.count("same")
    [file] = read_diff(f"diff --git a/x.txt b/x.txt\n--- a/x.txt\n+++ b/x.txt\n@@ -1,{old} +1,{old} @@\n{body}")
    for view in DiffView:
        begin: int | None = 0
        added = removed = 0
        while begin is not None:
            part = part_of(file, view, begin=begin)
            assert len(part.rows) <= PART_LINES + 200
            cells = [cell for row in part.rows for cell in (row.left, row.right) if cell]
            added += sum(cell.kind is LineKind.ADDED for cell in cells)
            removed += sum(cell.kind is LineKind.REMOVED for cell in cells)
            begin = part.following
        assert (added, removed) == (file.additions, file.deletions) == (4000, 4000)


def test_a_log_is_read_by_steps_with_how_long_each_took_and_whether_it_failed() -> None:
    log = "acme/api at abc (main)\nstep 1 of 2: run ./fix.sh\n  out | hello\n  ended well after 1.5 s\n"
    sections, left_out = read_log(f"{log}step 2 of 2: edit\n  failed: no such file\n")
    assert [(each.title, each.took, each.has_failed) for each in sections] == [
        ("Beginning", "", False),
        ("Step 1 of 2: run ./fix.sh", "1.5 s", False),
        ("Step 2 of 2: edit", "", True),
    ]
    assert left_out == 0
    assert read_log("x\n" * 6000)[1] == 1000
