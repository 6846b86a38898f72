"""`edit` steps: the files that a pattern finds, each changed by a pure function of its content."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from shared.domain.spec import (
    DeleteEdit,
    Edit,
    JsonEdit,
    RenameEdit,
    ReplaceEdit,
    TomlEdit,
    WriteEdit,
    YamlEdit,
)

from ..preparation.tree import WorkingTree
from .json_edit import set_json
from .log import StepLog
from .text import EditFailed, edited, is_binary, replace
from .toml_edit import set_toml
from .yaml_edit import set_yaml

READ_AT_ONCE = 200
"""Files read together; bounds the memory that a wide glob takes."""

ChangeText = Callable[[str], str]


def paths_of(edit: Edit) -> list[str]:
    """The paths and globs that an edit looks at."""
    match edit:
        case WriteEdit():
            return [edit.write.path]
        case RenameEdit():
            return [edit.rename.path, edit.rename.to]
        case DeleteEdit():
            return [edit.delete.path]
        case _:
            return [_text_change(edit)[0]]


async def apply_edit(edit: Edit, tree: WorkingTree, log: StepLog) -> None:
    """Makes an edit in the tree. Raises `EditFailed` (with the file's name) and `TreeError`."""
    match edit:
        case WriteEdit():
            await _write(edit, tree, log)
        case DeleteEdit():
            found = await tree.find(edit.delete.path)
            for entry in found:
                await tree.delete(entry.path)
            _say(log, "deleted", [entry.path for entry in found], edit.delete.path)
        case RenameEdit():
            found = await tree.find(edit.rename.path)
            if found:
                await tree.rename(edit.rename.path, edit.rename.to)
            _say(log, f"renamed to {edit.rename.to}:", [entry.path for entry in found], edit.rename.path)
        case _:
            await _change_texts(*_text_change(edit), tree, log)


def _text_change(edit: ReplaceEdit | YamlEdit | JsonEdit | TomlEdit) -> tuple[str, ChangeText]:
    """The files that an edit changes, and how it changes the text of each."""
    match edit:
        case ReplaceEdit():
            form = edit.replace
            return form.path, partial(replace, pattern=form.pattern, replacement=form.replacement)
        case YamlEdit():
            return edit.yaml.path, partial(set_yaml, assignments=edit.yaml.set)
        case JsonEdit():
            return edit.json_.path, partial(set_json, assignments=edit.json_.set)
        case TomlEdit():
            return edit.toml.path, partial(set_toml, assignments=edit.toml.set)


async def _write(edit: WriteEdit, tree: WorkingTree, log: StepLog) -> None:
    path = edit.write.path
    if edit.write.if_missing and await tree.find(path):
        log.line(f"  {path} exists already: left alone")
        return
    await tree.write(path, edit.write.content.encode())
    log.line(f"  wrote {path}")


async def _change_texts(pattern: str, change: ChangeText, tree: WorkingTree, log: StepLog) -> None:
    found = await tree.find(pattern)
    log.paths("left alone (a symbolic link):", [entry.path for entry in found if entry.is_symlink])
    paths = [entry.path for entry in found if not entry.is_symlink]
    changed: list[str] = []
    for start in range(0, len(paths), READ_AT_ONCE):
        contents = await tree.read(paths[start : start + READ_AT_ONCE])
        log.paths("left alone (binary):", [path for path, content in contents.items() if is_binary(content)])
        texts = {path: content for path, content in contents.items() if not is_binary(content)}
        for path, content in (await asyncio.to_thread(_changed, texts, change)).items():
            await tree.write(path, content)
            changed.append(path)
    _say(log, "changed", changed, pattern)


def _changed(contents: dict[str, bytes], change: ChangeText) -> dict[str, bytes]:
    """The new content of each file that is not as it was."""
    changed: dict[str, bytes] = {}
    for path, content in contents.items():
        try:
            new = edited(content, change)
        except EditFailed as error:
            raise EditFailed(f"{path}: {error}") from None
        if new != content:
            changed[path] = new
    return changed


def _say(log: StepLog, what: str, paths: list[str], pattern: str) -> None:
    if paths:
        log.paths(what, paths)
    else:
        log.line(f"  nothing to do in {pattern}")
