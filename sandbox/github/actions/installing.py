"""Apps, their installations, and the tokens these give."""

from __future__ import annotations

import base64
import hashlib
import secrets
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from ..access import LEVELS
from ..errors import forbidden, unprocessable
from ..state import Account, App, Installation, Repository, Token
from ..state.installations import hash_of
from ..world import World
from . import events

_NOT_GRANTED = "The permissions requested are not granted to this installation."
_NO_REPOSITORY = "There is at least one repository that does not exist or is not accessible to the parent installation."
_MOST_REPOSITORIES = 500
_LETTERS = string.ascii_letters + string.digits


@dataclass(frozen=True, kw_only=True)
class NewApp:
    """An App just made, with what is told only once."""

    app: App
    private_key: str
    client_secret: str


def create_app(
    world: World,
    owner: Account,
    *,
    name: str,
    slug: str,
    permissions: Mapping[str, str],
    event_names: Sequence[str],
    webhook_url: str | None,
    webhook_secret: str | None,
    description: str | None = None,
    external_url: str | None = None,
) -> NewApp:
    """Registers an App with a first key. A slug that is taken gets a number."""
    now = world.clock.stamp()
    slug = _free_slug(world, slug)
    bot = world.state.accounts.create(f"{slug}[bot]", "Bot", now=now)
    client_secret = secrets.token_hex(20)
    app = world.state.apps.create(
        client_id="Iv23li" + _random(14),
        client_secret_hash=hash_of(client_secret),
        slug=slug,
        name=name,
        description=description,
        external_url=external_url or world.base_url,
        owner_id=owner.id,
        bot_id=bot.id,
        webhook_url=webhook_url,
        webhook_secret=webhook_secret,
        permissions=dict(permissions),
        events=list(event_names),
        created_at=now,
        updated_at=now,
    )
    return NewApp(app=app, private_key=add_key(world, app), client_secret=client_secret)


def keep_manifest(world: World, owner: Account, manifest: Mapping[str, object]) -> str:
    """The code of a manifest that a person has confirmed; it can be converted once, within the hour."""
    code = secrets.token_hex(20)
    expires = world.clock.now() + world.manifest_lifetime_seconds
    world.state.apps.keep_manifest(hash_of(code), {**manifest, "owner": owner.login}, expires=expires)
    return code


def add_key(world: World, app: App) -> str:
    """One more key of the App; the private part as PEM (PKCS#1, as GitHub gives it), which is not kept."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    world.state.apps.add_key(app.id, public.decode())
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()


def remove_key(world: World, app: App, fingerprint: str) -> bool:
    """Takes the key with this fingerprint away from the App; whether there was one."""
    found = [each for each in world.state.apps.keys(app.id) if key_fingerprint(each) == fingerprint]
    for public_pem in found:
        world.state.apps.remove_key(app.id, public_pem)
    return bool(found)


def remove_older_keys(world: World, app: App) -> None:
    """Takes all keys but the newest away from the App."""
    for public_pem in world.state.apps.keys(app.id)[:-1]:
        world.state.apps.remove_key(app.id, public_pem)


def key_fingerprint(public_pem: str) -> str:
    """A key's fingerprint as GitHub's page of the App shows it."""
    der = base64.b64decode("".join(public_pem.strip().splitlines()[1:-1]))
    return f"SHA256:{base64.b64encode(hashlib.sha256(der).digest()).decode()}"


def install(
    world: World,
    app: App,
    account: Account,
    *,
    permissions: Mapping[str, str] | None = None,
    repositories: Sequence[Repository] | None = None,
) -> Installation:
    """Installs the App with what it asks for (or less), on all repositories or some."""
    now = world.clock.stamp()
    granted = dict(permissions) if permissions is not None else app.permissions
    made = world.state.installations.create(app.id, account.id, permissions=granted, events=app.events, now=now)
    if repositories is not None:
        world.state.installations.select_repositories(made.id, [each.id for each in repositories], now=now)
        made = world.state.installations.get(made.id)
    events.installation(world, "created", app, made, account, repositories=list(repositories or ()))
    return made


def uninstall(world: World, installation: Installation) -> None:
    """Takes the App off the account."""
    app = world.state.apps.get(installation.app_id)
    account = world.state.accounts.get(installation.account_id)
    world.state.installations.delete(installation.id)
    events.installation(world, "deleted", app, installation, account, repositories=[])


def suspend(world: World, installation: Installation) -> Installation:
    """Its tokens are refused until it is unsuspended."""
    return _set_suspended(world, installation, world.clock.stamp())


def unsuspend(world: World, installation: Installation) -> Installation:
    """Active again."""
    return _set_suspended(world, installation, None)


def set_permissions(world: World, installation: Installation, permissions: Mapping[str, str]) -> Installation:
    """What the installation grants from now on."""
    changed = world.state.installations.set_permissions(installation.id, permissions, now=world.clock.stamp())
    app, account = world.state.apps.get(changed.app_id), world.state.accounts.get(changed.account_id)
    events.installation(world, "new_permissions_accepted", app, changed, account, repositories=[])
    return changed


def select_repositories(
    world: World, installation: Installation, repositories: Sequence[Repository] | None
) -> Installation:
    """Restricts the installation to some repositories, or with None gives it all; tells what it gained and lost."""
    before = _repositories_of(world, installation)
    ids = None if repositories is None else [each.id for each in repositories]
    world.state.installations.select_repositories(installation.id, ids, now=world.clock.stamp())
    changed = world.state.installations.get(installation.id)
    app, account = world.state.apps.get(changed.app_id), world.state.accounts.get(changed.account_id)
    after = _repositories_of(world, changed)
    added = [each for each_id, each in after.items() if each_id not in before]
    removed = [each for each_id, each in before.items() if each_id not in after]
    if added:
        events.installation_repositories(world, app, changed, account, added=added, removed=[])
    if removed:
        events.installation_repositories(world, app, changed, account, added=[], removed=removed)
    return changed


def mint_token(
    world: World,
    installation: Installation,
    *,
    permissions: Mapping[str, str] | None = None,
    repository_ids: Sequence[int] | None = None,
    repository_names: Sequence[str] | None = None,
) -> tuple[str, Token]:
    """A new token, with all that the installation has or with less. Raises `Refused` for more, or if suspended."""
    if installation.suspended_at:
        raise forbidden("This installation has been suspended")
    granted = _granted(installation, permissions)
    chosen = _chosen(world, installation, repository_ids, repository_names)
    token = "ghs_" + world.token_canary + _random(36 - len(world.token_canary))
    now = world.clock.now()
    facts = Token(
        installation_id=installation.id,
        permissions=granted,
        repository_ids=chosen,
        down_scoped=permissions is not None or chosen is not None,
        created=now,
        expires=float(int(now + world.token_lifetime_seconds)),
    )
    world.state.tokens.delete_expired(now - 86400)
    world.state.tokens.add(token, facts)
    return token, facts


def _repositories_of(world: World, installation: Installation) -> dict[int, Repository]:
    where, parameters = "repositories.owner_id = ?", [installation.account_id]
    if installation.repository_selection != "all":
        where += " AND repositories.id IN (SELECT repository_id FROM installation_repositories"
        where += " WHERE installation_id = ?)"
        parameters.append(installation.id)
    return {each.id: each for each in world.state.repositories.query(where, parameters)}


def _set_suspended(world: World, installation: Installation, at: str | None) -> Installation:
    changed = world.state.installations.set_suspended(installation.id, at, now=world.clock.stamp())
    app, account = world.state.apps.get(changed.app_id), world.state.accounts.get(changed.account_id)
    events.installation(world, "suspend" if at else "unsuspend", app, changed, account, repositories=[])
    return changed


def _granted(installation: Installation, permissions: Mapping[str, str] | None) -> dict[str, str]:
    if permissions is None:
        return installation.permissions
    for resource, level in permissions.items():
        has = LEVELS.get(installation.permissions.get(resource, ""), 0)
        if level not in LEVELS or has < LEVELS[level]:
            raise unprocessable(_NOT_GRANTED)
    return {"metadata": "read", **permissions}


def _chosen(
    world: World, installation: Installation, ids: Sequence[int] | None, names: Sequence[str] | None
) -> tuple[int, ...] | None:
    """The repositories that the token is for, or None for all."""
    if ids is None and names is None:
        return None
    if len(ids or ()) + len(names or ()) > _MOST_REPOSITORIES:
        raise unprocessable("Too many repositories for installation")
    account = world.state.accounts.get(installation.account_id)
    chosen = list(ids or ())
    for name in names or ():
        found = world.state.repositories.by_name(account.login, name)
        if found is None:
            raise unprocessable(_NO_REPOSITORY)
        chosen.append(found.id)
    for repository_id in chosen:
        owner_id = world.state.store.value("SELECT owner_id FROM repositories WHERE id = ?", [repository_id])
        if owner_id is None or not world.state.installations.has_repository(installation, repository_id, owner_id):
            raise unprocessable(_NO_REPOSITORY)
    return tuple(dict.fromkeys(chosen))


def _free_slug(world: World, slug: str) -> str:
    candidate, number = slug, 1
    while world.state.apps.by_slug(candidate):
        number += 1
        candidate = f"{slug}-{number}"
    return candidate


def _random(length: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(length))
