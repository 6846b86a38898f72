"""The SQLite file: one connection, plain SQL in, rows or records out."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, get_origin, get_type_hints

from .schema import FIRST_IDS, SCHEMA

T = TypeVar("T")
Parameters = Sequence[Any] | Mapping[str, Any]


class Store:
    """One connection in autocommit mode. Everything runs on one thread, so a call is atomic for the server."""

    def __init__(self, path: Path) -> None:
        self._conn = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._conn.row_factory = sqlite3.Row
        self._conn.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA foreign_keys=ON;")
        self._conn.execute("PRAGMA cache_size=-65536")
        if not self.row("SELECT 1 FROM sqlite_master WHERE name = 'accounts'"):
            self._conn.executescript(SCHEMA)
            self._conn.executemany("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", FIRST_IDS.items())

    def close(self) -> None:
        """Closes the file; what was written stays."""
        self._conn.close()

    def rows(self, sql: str, parameters: Parameters = ()) -> list[sqlite3.Row]:
        """All rows of a query."""
        return self._conn.execute(sql, parameters).fetchall()

    def row(self, sql: str, parameters: Parameters = ()) -> sqlite3.Row | None:
        """The first row, if there is one."""
        found: sqlite3.Row | None = self._conn.execute(sql, parameters).fetchone()
        return found

    def value(self, sql: str, parameters: Parameters = ()) -> Any:
        """The first column of the first row, or None."""
        found = self.row(sql, parameters)
        return found[0] if found else None

    def execute(self, sql: str, parameters: Parameters = ()) -> int:
        """Runs a statement; the number of rows it changed."""
        return self._conn.execute(sql, parameters).rowcount

    def execute_many(self, sql: str, parameters: Iterable[Parameters]) -> None:
        """Runs a statement once for each set of parameters, in one transaction."""
        with self.transaction():
            self._conn.executemany(sql, parameters)

    def insert(self, table: str, **columns: Any) -> int:
        """Adds a row; its id. Lists and mappings are kept as JSON."""
        names, marks = ", ".join(columns), ", ".join("?" * len(columns))
        values = [_column(value) for value in columns.values()]
        cursor = self._conn.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", values)
        return int(cursor.lastrowid or 0)

    def update(self, table: str, row_id: int, **columns: Any) -> None:
        """Sets columns of the row with that id."""
        assignments = ", ".join(f"{name} = ?" for name in columns)
        values = [_column(value) for value in columns.values()]
        self._conn.execute(f"UPDATE {table} SET {assignments} WHERE id = ?", [*values, row_id])

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; within another transaction it is part of that one."""
        if self._conn.in_transaction:
            yield
            return
        self._conn.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._conn.execute("ROLLBACK")
            raise
        self._conn.execute("COMMIT")


def record(cls: type[T], row: sqlite3.Row) -> T:
    """A dataclass from a row whose columns are named as its fields (more columns do not matter)."""
    return cls(**{name: decode(row[name]) if decode else row[name] for name, decode in _decoders(cls)})


def records(cls: type[T], rows: Iterable[sqlite3.Row]) -> list[T]:
    """A dataclass from each row."""
    return [record(cls, row) for row in rows]


def marks(values: Sequence[Any]) -> str:
    """`?, ?, ?` for an SQL `IN`."""
    return ", ".join("?" * len(values))


def _column(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, dict | list | tuple) else value


@cache
def _decoders(cls: type[Any]) -> list[tuple[str, Callable[[Any], Any] | None]]:
    hints = get_type_hints(cls)
    return [(field.name, _decoder(hints[field.name])) for field in fields(cls)]


def _decoder(hint: Any) -> Callable[[Any], Any] | None:
    if hint is bool:
        return bool
    origin = get_origin(hint)
    if origin is tuple:
        return lambda text: tuple(json.loads(text))
    if origin is dict or any(get_origin(part) in {dict, tuple} for part in getattr(hint, "__args__", ())):
        return lambda text: json.loads(text) if text is not None else None
    return None
