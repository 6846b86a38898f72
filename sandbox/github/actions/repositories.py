"""Repositories: made, changed, renamed, transferred, deleted."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from ..errors import unprocessable
from ..state import Account, NewRepository, Repository
from ..world import World
from . import events

_TAKEN = [
    {"resource": "Repository", "code": "custom", "field": "name", "message": "name already exists on this account"}
]


def create(world: World, actor: Account, owner: Account, new: NewRepository) -> Repository:
    """A new repository, with its event."""
    try:
        made = world.state.repositories.create(owner.id, new, now=world.clock.stamp())
    except sqlite3.IntegrityError as error:
        raise unprocessable("Repository creation failed.", _TAKEN) from error
    events.repository(world, "created", made, actor)
    return made


def create_many(world: World, owner: Account, news: Sequence[NewRepository]) -> None:
    """Many new repositories at once, without events: for tests and demos that begin with them."""
    try:
        world.state.repositories.create_many(owner.id, news, now=world.clock.stamp())
    except sqlite3.IntegrityError as error:
        raise unprocessable("Repository creation failed.", _TAKEN) from error


def update(world: World, actor: Account, repository: Repository, **changes: Any) -> Repository:
    """Changes columns of a repository (see `Repository`), with the event that fits."""
    changed = world.state.repositories.update(repository.id, **changes, updated_at=world.clock.stamp())
    action = "edited"
    if changed.archived != repository.archived:
        action = "archived" if changed.archived else "unarchived"
    elif changed.visibility != repository.visibility:
        action = "publicized" if changed.visibility == "public" else "privatized"
    events.repository(world, action, changed, actor)
    return changed


def rename(world: World, actor: Account, repository: Repository, name: str) -> Repository:
    """Gives a new name; the old one redirects."""
    world.git.open(repository)  # what it begins with tells its name of now
    try:
        moved = world.state.repositories.move(
            repository, owner_id=repository.owner_id, name=name, now=world.clock.stamp()
        )
    except sqlite3.IntegrityError as error:
        raise unprocessable("Validation Failed", _TAKEN) from error
    events.repository(world, "renamed", moved, actor, changes={"repository": {"name": {"from": repository.name}}})
    return moved


def transfer(world: World, actor: Account, repository: Repository, owner: Account) -> Repository:
    """Gives it to another account; the old address redirects."""
    world.git.open(repository)
    try:
        moved = world.state.repositories.move(
            repository, owner_id=owner.id, name=repository.name, now=world.clock.stamp()
        )
    except sqlite3.IntegrityError as error:
        raise unprocessable("Validation Failed", _TAKEN) from error
    events.repository(world, "transferred", moved, actor)
    return moved


def delete(world: World, actor: Account, repository: Repository) -> None:
    """Removes it with its git repository and pull requests."""
    events.repository(world, "deleted", repository, actor)
    world.git.delete(repository)
    world.state.repositories.delete(repository.id)
