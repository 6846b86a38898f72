"""The log of webhook deliveries: each attempt a row; attempts of one event share the GUID."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .store import Store, record, records


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One attempt. `status_code` is 0 where no answer came; `duration` is in seconds; bodies are text as sent."""

    id: int
    app_id: int
    guid: str
    event: str
    action: str | None
    installation_id: int | None
    repository_id: int | None
    redelivery: bool
    delivered_at: str
    duration: float
    status: str
    status_code: int
    url: str
    request_headers: dict[str, str]
    payload: str
    response_headers: dict[str, str]
    response_body: str


class Deliveries:
    """Attempts of an App, newest first."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, **columns: Any) -> Delivery:
        """Logs an attempt."""
        return self.get(self._store.insert("deliveries", **columns))

    def get(self, delivery_id: int) -> Delivery:
        """The attempt of that id; raises `KeyError`."""
        row = self._store.row("SELECT * FROM deliveries WHERE id = ?", [delivery_id])
        if row is None:
            raise KeyError(delivery_id)
        return record(Delivery, row)

    def page(self, app_id: int, *, limit: int, before_id: int | None = None) -> list[Delivery]:
        """The newest attempts, or those before one."""
        rows = self._store.rows(
            "SELECT * FROM deliveries WHERE app_id = ? AND id < ? ORDER BY id DESC LIMIT ?",
            [app_id, before_id or 2**62, limit],
        )
        return records(Delivery, rows)

    def count(self, app_id: int) -> int:
        """How many attempts were made."""
        return int(self._store.value("SELECT count(*) FROM deliveries WHERE app_id = ?", [app_id]))
