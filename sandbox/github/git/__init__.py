"""The git side: bare repositories in a folder, made when they are first touched.

    repo = world.git.open(repository)                      # a pygit2.Repository, kept open
    head = world.git.branch(repository, "main")            # the oid as text, without touching an untouched repository
    blob = objects.at(repo, f"{head}:README.md")           # any object by git's own expressions, or None
    oid = commits.commit_files(repo, parent=head, changes=[...], message=..., author=..., committer=...)

| module | what it does |
| --- | --- |
| `repositories` | `GitRepositories`: opens and makes repositories, reads branches |
| `objects` | objects by `rev:path`, entries of trees |
| `commits` | trees with files changed, commits, signatures |
| `refs` | create, move (from an expected commit) and delete refs |
| `comparing` | merge bases, commits ahead, changed files with patches and counts |
| `merging` | whether branches merge, and the three ways of merging |
"""

from __future__ import annotations

from .commits import FileChange, Person
from .repositories import GitRepositories

__all__ = ["FileChange", "GitRepositories", "Person"]
