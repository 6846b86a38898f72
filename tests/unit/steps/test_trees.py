"""Paths stay inside the tree, whatever a spec or a repository says."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.campaigns.preparation.checkout_tree import CheckoutTree
from workers.campaigns.preparation.tree import TreeError, check_inside


@pytest.mark.parametrize(
    "path",
    [
        "", "/etc/passwd", "..", "../x", "a/../../x", "a/./b", "a//b", "a/", ".git", ".git/config", "a/.GIT/hooks/x",
        ".git./x", "git~1/x", ".g\u200cit/x", "a\0b",
    ],
)  # fmt: skip
async def test_paths_that_lead_out_or_into_git_are_refused(tmp_path: Path, path: str) -> None:
    (tmp_path / "tree").mkdir()
    tree = CheckoutTree(tmp_path / "tree")
    with pytest.raises(TreeError):
        await tree.write(path, b"x")
    with pytest.raises(TreeError):
        await tree.read([path])
    assert list(tmp_path.rglob("*")) == [tmp_path / "tree"]


@given(st.text("./ab\\~git", max_size=12))
def test_a_path_that_passes_names_its_parts_plainly(path: str) -> None:
    try:
        parts = check_inside(path)
    except TreeError:
        return
    assert "/".join(parts) == path
    assert not {"", ".", "..", ".git"} & set(parts)


async def test_a_tree_keeps_modes_and_finds_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    script = tmp_path / "b/run.sh"
    script.write_text("old")
    script.chmod(0o755)
    (tmp_path / "link").symlink_to("b")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git/config").write_text("x")
    tree = CheckoutTree(tmp_path)
    await tree.write("b/run.sh", b"new")
    await tree.write("c/d/new", b"1")
    await tree.rename("c/d/new", "e")
    assert script.stat().st_mode & 0o111
    assert [(entry.path, entry.is_symlink) for entry in await tree.find("**")] == [
        ("b/run.sh", False),
        ("e", False),
        ("link", True),
    ]
    assert await tree.find("b") == []
    assert await tree.find("nope") == []
    with pytest.raises(TreeError, match="exists already"):
        await tree.rename("e", "link")
    with pytest.raises(TreeError, match="not a folder"):
        await tree.write("link/x", b"")
    with pytest.raises(TreeError, match="no file"):
        await tree.read(["x/y"])
    await tree.delete("link")
    assert (tmp_path / "b/run.sh").read_text() == "new"
