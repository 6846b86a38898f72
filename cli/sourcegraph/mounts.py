"""Files that a batch spec mounts into its containers, read from beside it."""

from __future__ import annotations

from pathlib import Path

from .go_templates import NotUnderstood
from .steps import ReadFiles

_LARGEST = 128 * 1024
"""Bytes of all files of a mount: they become a part of the spec, which has at most 512 KiB."""


def read_beside(folder: Path) -> ReadFiles:
    """Reads files and folders that are below `folder`, as batch specs demand of their mounts."""

    def read(path: str) -> dict[str, str]:
        root = (folder / path).resolve()
        if not root.is_relative_to(folder.resolve()):
            raise NotUnderstood("it is not beside the batch spec")
        files = [root] if root.is_file() else sorted(each for each in root.rglob("*") if each.is_file())
        if not files:
            raise NotUnderstood("there is no such file")
        if sum(file.stat().st_size for file in files) > _LARGEST:
            raise NotUnderstood(
                f"it has more than {_LARGEST // 1024} KiB; have the step fetch it, or use an image with it"
            )
        try:
            texts = {str(file.relative_to(root)): file.read_text(encoding="utf-8") for file in files}
        except (OSError, UnicodeDecodeError):
            raise NotUnderstood("it is not text that can be read") from None
        return {"" if path == "." else path: text for path, text in texts.items()}

    return read
