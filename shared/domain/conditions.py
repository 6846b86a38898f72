"""What a file decides of a repository. Pure."""

from __future__ import annotations

from .patterns import compile_pattern
from .spec import FileCondition


def needs_text(condition: FileCondition) -> bool:
    """Whether the content decides, and not only whether there is such a file."""
    return condition.matches is not None


def judge(condition: FileCondition, content: str | None, *, is_there: bool) -> str | None:
    """Why a repository is out, None where the condition holds.

    `content` is what the file holds; it is needed only where `needs_text` says so and the file is there.
    """
    if condition.exists is False:
        return f"it has the file {condition.file}" if is_there else None
    if not is_there:
        return f"it has no file {condition.file}"
    if condition.matches is None or compile_pattern(condition.matches).search(content or ""):
        return None
    return f"nothing in {condition.file} matches {condition.matches}"
