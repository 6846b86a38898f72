"""`changesetTemplate`, `transformChanges`, `workspaces` and `importChangesets` of a batch spec in our words."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from shared.domain.yaml_tree import Node

from .expressions import Place, without_host
from .go_templates import NotUnderstood
from .notes import Notes
from .templates import carry_line, carry_template

_MOST_AT_ONCE = 1000
_KNOWN = {"title", "body", "branch", "commit", "published", "fork"}


def carry_changeset_template(template: Node, name: str, notes: Notes) -> dict[str, Any]:
    """The template; texts that cannot be carried are left empty, or are the campaign's name where one must be."""
    for key, _ in template.target.entries:
        if key.value not in _KNOWN:
            notes.add(key, f"{key.value} is left out: pull requests have nothing like it here")
    commit = template.child("commit")
    title = _text(template.child("title"), notes, carry_line) or name
    carried: dict[str, Any] = {"title": title}
    if body := _text(template.child("body"), notes, carry_template):
        carried["body"] = body
    carried["branch"] = _text(template.child("branch"), notes, _branch) or f"octobatch/{name}"
    carried["commit"] = {"message": _text(commit.child("message") if commit else None, notes, carry_template) or title}
    if author := commit.child("author") if commit else None:
        notes.add(author, "author is left out: commits are the App's, which is how GitHub signs them")
    if (fork := template.child("fork")) and fork.value:
        notes.add(fork, "fork is left out: branches are made in the repository itself, by the App")
    carried["published"] = _published(template, notes)
    return carried


def _branch(text: str, place: Place) -> str:
    return carry_line(text, replace(place, has_outputs=False, in_pieces=False), spaces=False)


def _text(node: Node | None, notes: Notes, carry: Callable[[str, Place], str], path: str | None = None) -> str:
    if node is None or node.value is None:
        return ""
    try:
        if path is None and "steps.path" in str(node.value):
            notes.add(node, "steps.path is left empty: the workspaces of a repository share a pull request here")
        place = Place(path=path or "", in_pieces=True, say=lambda message: notes.add(node, message))
        return carry(str(node.value), place)
    except NotUnderstood as error:
        notes.add(node, f"the text is left out: {error}")
        return ""


def _published(template: Node, notes: Notes) -> Any:
    published = template.child("published")
    if published is None:
        notes.add(template, "published is false: where none was given, people published by hand")
        return False
    if published.target.kind != "sequence":
        return published.target.value
    rules: list[dict[str, Any]] = []
    for rule in published.target.items:
        for key, value in rule.target.entries:
            pattern, at, branch = str(key.value).partition("@")
            if at:
                notes.add(key, f"the rule for the branch {branch} is left out: rules are for repositories here")
            elif _is_elsewhere(pattern):
                notes.add(key, f"the rule for {pattern} is left out: it is on another host than GitHub")
            else:
                rules.append({without_host(pattern): value.target.value})
    return rules or False


def _is_elsewhere(pattern: str) -> bool:
    return pattern.startswith(("gitlab.", "bitbucket.", "dev.azure.")) or pattern.count("/") > 2


def carry_repository(node: Node, notes: Notes) -> str | None:
    """owner/name of a repository on GitHub, or None where it is elsewhere."""
    name = str(node.value)
    host, _, rest = name.partition("/")
    if rest.count("/") == 1 and "." in host:
        if host.startswith(("gitlab.", "bitbucket.", "dev.azure.")):
            notes.add(node, f"{name} is left out: it is on another host than GitHub")
            return None
        return rest
    if name.count("/") == 1:
        return name
    notes.add(node, f"{name} is left out: it is no owner/name")
    return None


def carry_transform(transform: Node, notes: Notes) -> dict[str, Any] | None:
    """The groups; the last that holds a file takes it in batch specs, the first here, so they are turned round."""
    groups = transform.child("group")
    carried: list[dict[str, Any]] = []
    for group in reversed(groups.target.items if groups else []):
        directory, branch = group.child("directory"), group.child("branch")
        if directory is None or branch is None:
            notes.add(group, "a group without directory or branch is left out")
            continue
        folder = str(directory.value).strip("/")
        entry: dict[str, Any] = {"directory": folder, "branch": str(branch.value)}
        if title := _text(group.child("title"), notes, carry_line, path=folder):
            entry["title"] = title
        if repository := group.child("repository"):
            entry["in"] = without_host(str(repository.value))
        carried.append(entry)
    return {"group": carried} if carried else None


def carry_workspaces(workspaces: Node, notes: Notes) -> list[dict[str, Any]]:
    """The roots of steps in monorepos."""
    carried: list[dict[str, Any]] = []
    for workspace in workspaces.target.items:
        root, within = workspace.child("rootAtLocationOf"), workspace.child("in")
        if root is None or not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]*", str(root.value)):
            notes.add(workspace, "a workspace is left out: rootAtLocationOf must be the name of a file here")
            continue
        where = {"in": without_host(str(within.value))} if within else {}
        carried.append({"rootAtLocationOf": str(root.value)} | where)
    return carried


def carry_imports(imports: Node, notes: Notes) -> list[dict[str, Any]]:
    """Pull requests that are there already."""
    carried: list[dict[str, Any]] = []
    for each in imports.target.items:
        repository, ids = each.child("repository"), each.child("externalIDs")
        name = carry_repository(repository, notes) if repository else None
        numbers = [str(number.value) for number in ids.target.items] if ids else []
        if name and all(number.isdecimal() for number in numbers) and numbers:
            carried += [
                {"repository": name, "externalIDs": [int(number) for number in numbers[first : first + _MOST_AT_ONCE]]}
                for first in range(0, len(numbers), _MOST_AT_ONCE)
            ]
        elif name:
            notes.add(each, "an entry without numbers of pull requests is left out")
    return carried
