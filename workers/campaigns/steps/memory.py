"""Results of `run` steps that ran before on the same inputs, so that a changed step runs again and the others do not.

The inputs of a step are the base commit, the tree as the steps before it left it, the root it runs in, and its script,
files, variables and network. What it said and which files it changed are its result. Steps with secrets, and all after
them in the same repository, are never kept.

What `.gitignore` names is in no tree. Where a step leaves such files, its result is used only where no other step
follows that may need them, and those after it are known by the inputs of all before them.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from shared.domain.change import FileChange, file_from_json, file_to_json
from shared.domain.spec import RunStep
from shared.github.git import changed_files

from ..isolation.working_copy import Place, WorkingCopy

VERSION = 1
LARGEST_BYTES = 32 * 1024 * 1024
"""Of a result, compressed; larger ones are not kept."""


@dataclass(frozen=True, kw_only=True)
class Said:
    """What a command wrote, with no secret in it, and how many bytes of each output were not kept."""

    stdout: str
    stderr: str
    stdout_left_out: int = 0
    stderr_left_out: int = 0


@dataclass(frozen=True, kw_only=True)
class KnownResult:
    """What a step came to: the files that it changed, the oid of the tree with them, and what it said."""

    files: tuple[FileChange, ...]
    tree: str
    empty_folders: tuple[str, ...]
    said: Said

    def to_bytes(self) -> bytes:
        """As it is kept."""
        files = [file_to_json(file) for file in self.files]
        return gzip.compress(json.dumps({**vars(self), "files": files, "said": vars(self.said)}).encode(), 6)

    @classmethod
    def from_bytes(cls, content: bytes) -> KnownResult:
        """As `to_bytes` wrote it."""
        raw: dict[str, Any] = json.loads(gzip.decompress(content))
        files = tuple(file_from_json(file) for file in raw["files"])
        return cls(files=files, tree=raw["tree"], empty_folders=tuple(raw["empty_folders"]), said=Said(**raw["said"]))


class KnownResults(Protocol):
    """Where results are kept, by the SHA-256 of the inputs."""

    async def fetch(self, key: str) -> bytes | None:
        """What is kept under a key."""
        ...

    async def keep(self, key: str, content: bytes) -> None:
        """Keeps a result."""
        ...


class StepMemory:
    """What is known of the steps of one preparation. `last` is the last step of all, and the root it runs in."""

    def __init__(
        self,
        results: KnownResults | None,
        copy: WorkingCopy,
        *,
        repository_node_id: str,
        last: tuple[object, str] | None = None,
    ) -> None:
        self._results, self._copy, self._last = results, copy, last
        self._identity = [VERSION, repository_node_id, copy.head]
        self._beside_tree = ""  # the key of the step that left what is in no tree

    async def recall(
        self, step: RunStep, place: Place, env: Mapping[str, str], before: str
    ) -> tuple[str | None, Said | None]:
        """The key of a step (None: it is not to be kept), and, where its result is known, what it said.

        The tree is then as the step left it.
        """
        if step.secrets_of_env:
            self._results = None
        if self._results is None:
            return None, None
        beside = await self._copy.beside_tree()
        key = self._key(place, env, before, beside.empty_folders)
        found = await self._results.fetch(key)
        if found is None:
            return key, None
        known = KnownResult.from_bytes(found)
        is_applied = await self._copy.apply(known.files, empty_folders=known.empty_folders, expected=known.tree)
        return key, known.said if is_applied else None

    async def keep(self, key: str | None, step: RunStep, place: Place, before: str, said: Said) -> None:
        """Keeps what a step has come to."""
        if self._results is None or key is None:
            return
        beside = await self._copy.beside_tree()
        if beside.has_ignored_files:
            self._beside_tree = key
        is_last = self._last is not None and self._last[0] is step and self._last[1] == place.folder
        if is_last or not beside.has_ignored_files:
            now = await self._copy.snapshot()
            files, _ = await changed_files(self._copy.repository, base=before, changed=now)
            content = KnownResult(files=files, tree=now, empty_folders=beside.empty_folders, said=said).to_bytes()
            if len(content) <= LARGEST_BYTES:
                await self._results.keep(key, content)

    def _key(self, place: Place, env: Mapping[str, str], before: str, empty_folders: Sequence[str]) -> str:
        inputs = [
            *self._identity, before, empty_folders, self._beside_tree, place.folder, place.script,
            sorted(place.files.items()), sorted(env.items()), place.network, place.container,
        ]  # fmt: skip
        return hashlib.sha256(json.dumps(inputs).encode()).hexdigest()
