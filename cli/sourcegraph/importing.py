"""A batch spec as a whole."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import LiteralScalarString

from shared.domain.documents import read_mapping
from shared.domain.yaml_tree import Node
from shared.errors import InvalidSpec

from .changesets import (
    carry_changeset_template,
    carry_imports,
    carry_repository,
    carry_transform,
    carry_workspaces,
)
from .notes import Note, Notes
from .queries import Query, read_query
from .selecting import entries_of
from .steps import ReadFiles, carry_steps

_KNOWN = {
    "version", "name", "description", "on", "steps", "changesetTemplate", "transformChanges", "workspaces",
    "importChangesets",
}  # fmt: skip


@dataclass(frozen=True)
class Imported:
    """A campaign spec, and what of the batch spec is not in it, or otherwise."""

    document: str
    notes: Sequence[Note]


def import_batch_spec(document: str, *, read: ReadFiles, with_containers: bool = True) -> Imported:
    """The campaign spec that the batch spec becomes; `read` gives the files of its mounts.

    Without containers its steps run with what the workers have installed.

    Raises `InvalidSpec` where the document is no YAML mapping.
    """
    root = read_mapping(document, what="a batch spec", error=InvalidSpec)
    notes = Notes()
    for key, _ in root.entries:
        if key.value not in _KNOWN:
            notes.add(key, f"{key.value} is left out: campaign specs have nothing like it")
    spec = _Carrier(root, read, notes).spec()
    if not with_containers:
        steps: list[dict[str, Any]] = spec.get("steps", [])
        for step in steps:
            step.pop("container", None)
    return Imported(_written(spec), notes.in_order())


@dataclass(frozen=True)
class _Carrier:
    root: Node
    read: ReadFiles
    notes: Notes

    def spec(self) -> dict[str, Any]:
        name = self._name()
        spec: dict[str, Any] = {"version": 1, "name": name}
        if (description := self.root.child("description")) and description.value:
            spec["description"] = str(description.value)
        queries = self._queries()
        self._select(spec, queries)
        if steps := self.root.child("steps"):
            spec["steps"] = carry_steps(steps, [query for _, query in queries], self.read, self.notes)
        for key, carry in (("workspaces", carry_workspaces), ("transformChanges", carry_transform)):
            node = self.root.child(key)
            if node and (carried := carry(node, self.notes)):
                spec[key] = carried
        if template := self.root.child("changesetTemplate"):
            spec["changesetTemplate"] = carry_changeset_template(template, name, self.notes)
        if (imports := self.root.child("importChangesets")) and (carried := carry_imports(imports, self.notes)):
            spec["importChangesets"] = carried
            self._only_follow(spec)
        return spec

    def _only_follow(self, spec: dict[str, Any]) -> None:
        """A batch spec may only follow pull requests; a campaign has steps, so it is given one that is never run."""
        if self.root.child("steps") or self.root.child("changesetTemplate"):
            return
        names = dict.fromkeys(each["repository"] for each in spec["importChangesets"])
        spec.setdefault("on", [{"repositories": list(names)}])
        spec["steps"] = [{"edit": {"write": {"path": "unused", "content": ""}}, "if": False}]
        texts = {"title": spec["name"], "branch": f"octobatch/{spec['name']}", "commit": {"message": spec["name"]}}
        spec["changesetTemplate"] = {**texts, "published": False}

    def _name(self) -> str:
        node = self.root.child("name")
        given = str(node.value) if node else ""
        name = re.sub(r"[^a-z0-9]+", "-", given.lower()).strip("-")[:100].strip("-") or "imported"
        if name != given:
            self.notes.add(node or self.root, f"the name is {name} here: lower-case letters, digits and hyphens")
        return name

    def _queries(self) -> list[tuple[Node, Query]]:
        version = self.root.child("version")
        on = self.root.child("on")
        nodes = [each.child("repositoriesMatchingQuery") for each in (on.target.items if on else [])]
        by_keywords = bool(version and version.value == 2)
        return [
            (
                node,
                read_query(
                    str(node.value), by_keywords=by_keywords, say=lambda text, at=node: self.notes.add(at, text)
                ),
            )
            for node in nodes
            if node
        ]

    def _select(self, spec: dict[str, Any], queries: list[tuple[Node, Query]]) -> None:
        on = self.root.child("on")
        entries: list[dict[str, Any]] = []
        for node, query in queries:
            entries += entries_of(query, lambda text, at=node: self.notes.add(at, text))
        for each in on.target.items if on else []:
            if repository := each.child("repository"):
                entries += self._repository(each, repository)
        if entries:
            spec["on"] = entries
        skip = {
            "archived": not any(query.archived != "no" for _, query in queries),
            "forks": not any(query.forks != "no" for _, query in queries),
            "optOutFile": ".batchignore",
        }
        spec["skip"] = {name: value for name, value in skip.items() if value is not True}

    def _repository(self, entry: Node, repository: Node) -> list[dict[str, Any]]:
        name = carry_repository(repository, self.notes)
        branch, branches = entry.child("branch"), entry.child("branches")
        named = [branch] if branch else branches.target.items if branches else []
        if name is None:
            return []
        return [{"repository": name} | ({"branches": [str(each.value) for each in named]} if named else {})]


def _written(spec: dict[str, Any]) -> str:
    """The spec as YAML; text of several lines stands as a block."""
    writer = YAML()
    writer.width = 4096
    writer.indent(mapping=2, sequence=4, offset=2)
    text = io.StringIO()
    writer.dump(_with_blocks(spec), text)
    return text.getvalue()


def _with_blocks(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _with_blocks(each) for key, each in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [_with_blocks(each) for each in cast("list[Any]", value)]
    if isinstance(value, str) and "\n" in value:
        return LiteralScalarString(value)
    return value
