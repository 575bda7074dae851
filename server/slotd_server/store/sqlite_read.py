"""Snapshots of SQLite, and what it says in its own way."""

import sqlite3
from collections.abc import Sequence
from typing import Any

from slotd_server.store.rows import Row
from slotd_server.store.sql_read import SqlSnapshot, Term

REVISIONS = "SELECT (SELECT MIN(revision) FROM events), (SELECT MAX(revision) FROM events)"
"""The oldest and the newest. Asked for together, without subqueries, they would take a scan."""

_LABELS = "COALESCE((SELECT labels FROM relabelled WHERE relabelled.seq = jobs.seq), spec -> '$[3]')"


class SqliteDialect:
    """See `sql_read.Dialect`."""

    def among(self, column: str, values: Sequence[Any]) -> Term:
        return f"{column} IN ({','.join('?' * len(values))})", list(values)

    def labelled(self, name: str, value: str) -> Term:
        return f"EXISTS (SELECT 1 FROM json_each({_LABELS}) WHERE value ->> 0 = ? AND value ->> 1 = ?)", [name, value]


class SqliteSnapshot(SqlSnapshot):
    """Lives in the read transaction that its connection has open."""

    dialect = SqliteDialect()

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        first, last = connection.execute(REVISIONS).fetchone()
        self.revision = last or 0
        self.horizon = (first or 1) - 1

    def _run(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        return self._connection.execute(sql, values).fetchall()
