"""Repositories: made, changed, renamed, transferred, deleted."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import unprocessable
from ..state import Account, NewRepository, Repository
from ..views.accounts import simple_user
from ..world import World
from . import events

_TOLD = ("default_branch", "description", "topics")
"""What `edited` says the former value of."""

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


def create_many(world: World, owner: Account, news: Sequence[NewRepository], *, tell: bool = False) -> None:
    """Many new repositories at once; without `tell` there are no events, for tests and demos that begin with them."""
    try:
        world.state.repositories.create_many(owner.id, news, now=world.clock.stamp())
    except sqlite3.IntegrityError as error:
        raise unprocessable("Repository creation failed.", _TAKEN) from error
    for new in news if tell else ():
        if made := world.state.repositories.by_name(owner.login, new.name):
            events.repository(world, "created", made, owner)


def update(world: World, actor: Account, repository: Repository, **changes: Any) -> Repository:
    """Changes columns of a repository (see `Repository`), with the events that fit."""
    changed = world.state.repositories.update(repository.id, **changes, updated_at=world.clock.stamp())
    if changed.archived != repository.archived:
        events.repository(world, "archived" if changed.archived else "unarchived", changed, actor)
    if changed.visibility != repository.visibility:
        action = "publicized" if changed.visibility == "public" else "privatized"
        events.repository(world, action, changed, actor)
    told = {name: {"from": getattr(repository, name)} for name in _TOLD if name in changes}
    if told or not changes.keys() & {"archived", "visibility"}:
        events.repository(world, "edited", changed, actor, changes=told)
    return changed


def set_properties(world: World, actor: Account, repository: Repository, values: Mapping[str, str | list[str]]) -> None:
    """Gives it these custom properties and no others, with the event."""
    before = world.state.repositories.properties([repository.id]).get(repository.id, {})
    world.state.repositories.set_properties(repository.id, values)
    after = {**dict.fromkeys(before), **values}
    changed = {name: value for name, value in after.items() if value != before.get(name)}
    if changed:
        events.custom_property_values(world, repository, actor, before=before, changed=changed)


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
    before = world.state.accounts.get(repository.owner_id)
    _tell_installations(world, before, repository, added=False)
    _tell_installations(world, owner, moved, added=True)
    kind = "organization" if before.type == "Organization" else "user"
    former = {kind: simple_user(world, before)}
    events.repository(world, "transferred", moved, actor, changes={"owner": {"from": former}})
    return moved


def delete(world: World, actor: Account, repository: Repository) -> None:
    """Removes it with its git repository and pull requests."""
    events.repository(world, "deleted", repository, actor)
    world.git.delete(repository)
    world.state.repositories.delete(repository.id)


def _tell_installations(world: World, account: Account, repository: Repository, *, added: bool) -> None:
    """What a transfer gives to, or takes from, the installations on an account that have all its repositories."""
    for installation in world.state.installations.on_account(account.id):
        if installation.repository_selection == "all":
            app = world.state.apps.get(installation.app_id)
            moved = ([repository], []) if added else ([], [repository])
            events.installation_repositories(world, app, installation, account, added=moved[0], removed=moved[1])
