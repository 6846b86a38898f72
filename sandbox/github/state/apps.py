"""GitHub Apps with their public keys, and the codes of manifests not converted yet."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from .node_ids import Kind, encode
from .store import Store, record, records


@dataclass(frozen=True, kw_only=True)
class App:
    """A GitHub App. `bot_id` is the account `slug[bot]` that acts for its installations."""

    id: int
    client_id: str
    slug: str
    name: str
    description: str | None
    external_url: str
    owner_id: int
    bot_id: int
    webhook_url: str | None
    webhook_secret: str | None
    webhook_content_type: str
    webhook_insecure_ssl: str
    permissions: dict[str, str]
    events: tuple[str, ...]
    created_at: str
    updated_at: str

    @property
    def node_id(self) -> str:
        """`A_…`."""
        return encode(Kind.APP, self.id)


class Apps:
    """Apps by id, client id or slug."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def create(self, **columns: Any) -> App:
        """A new App from its columns."""
        return self.get(self._store.insert("apps", **columns))

    def get(self, app_id: int) -> App:
        """The App of that id; raises `KeyError`."""
        row = self._store.row("SELECT * FROM apps WHERE id = ?", [app_id])
        if row is None:
            raise KeyError(app_id)
        return record(App, row)

    def by_issuer(self, issuer: str) -> App | None:
        """The App whose id or client id this is, as JWTs name it in `iss`."""
        row = self._store.row("SELECT * FROM apps WHERE client_id = ? OR CAST(id AS TEXT) = ?", [issuer, issuer])
        return record(App, row) if row else None

    def by_slug(self, slug: str) -> App | None:
        """The App with that slug."""
        row = self._store.row("SELECT * FROM apps WHERE slug = ?", [slug])
        return record(App, row) if row else None

    def all(self) -> list[App]:
        """All Apps, oldest first."""
        return records(App, self._store.rows("SELECT * FROM apps ORDER BY id"))

    def update(self, app_id: int, **columns: Any) -> App:
        """Sets columns of the App."""
        self._store.update("apps", app_id, **columns)
        return self.get(app_id)

    def add_key(self, app_id: int, public_pem: str) -> None:
        """One more key whose signatures count; keys never expire."""
        self._store.execute("INSERT OR IGNORE INTO app_keys VALUES (?, ?)", [app_id, public_pem])

    def remove_key(self, app_id: int, public_pem: str) -> None:
        """Takes a key away."""
        self._store.execute("DELETE FROM app_keys WHERE app_id = ? AND public_pem = ?", [app_id, public_pem])

    def keys(self, app_id: int) -> list[str]:
        """The public keys (PEM) of the App, oldest first."""
        rows = self._store.rows("SELECT public_pem FROM app_keys WHERE app_id = ? ORDER BY rowid", [app_id])
        return [row[0] for row in rows]

    def keep_manifest(self, code_hash: str, manifest: dict[str, Any], *, expires: float) -> None:
        """Keeps a manifest until its code is converted; `expires` is in seconds since 1970."""
        self._store.insert("manifest_codes", code_hash=code_hash, manifest=manifest, expires=expires)

    def take_manifest(self, code_hash: str, *, now: float) -> dict[str, Any] | None:
        """The manifest of a code, once, if it has not expired."""
        text = self._store.value(
            "DELETE FROM manifest_codes WHERE code_hash = ? AND expires > ? RETURNING manifest", [code_hash, now]
        )
        return json.loads(text) if text else None
