"""Snapshots of PostgreSQL, and what it says in its own way."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import psycopg

from slotd_server.store.postgres_errors import translated
from slotd_server.store.rows import Row
from slotd_server.store.sql_read import SqlSnapshot, Term

_LABELS = "COALESCE((SELECT labels FROM relabelled WHERE relabelled.seq = jobs.seq)::json, spec::json -> 3)"


@lru_cache(maxsize=4096)
def query(sql: str) -> bytes:
    """A statement with `?` for values, as psycopg takes it. No other use of `?` or `%` is in any."""
    return sql.replace("?", "%s").encode()


def array(values: Sequence[Any]) -> Any:
    """As a value for an array: integers as its literal, which is the same to PostgreSQL however large they are."""
    if any(isinstance(value, int) for value in values):
        return f"{{{','.join('NULL' if value is None else str(value) for value in values)}}}"
    return list(values)


class PostgresDialect:
    """See `shared.SharedDialect`."""

    now = "floor(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
    lock = "FOR UPDATE"
    pass_over = "FOR UPDATE SKIP LOCKED"

    def among(self, column: str, values: Sequence[Any]) -> Term:
        return f"{column} = ANY(?)", [array(values)]

    def labelled(self, name: str, value: str) -> Term:
        return (
            f"EXISTS (SELECT 1 FROM json_array_elements({_LABELS}) AS label WHERE label ->> 0 = ? AND label ->> 1 = ?)",
            [name, value],
        )


class PostgresSnapshot(SqlSnapshot):
    """Lives in the read transaction that its connection has open."""

    dialect = PostgresDialect()

    def __init__(self, connection: psycopg.Connection[Row], revision: int, oldest: int) -> None:
        self._connection = connection
        self.revision = revision
        self.horizon = oldest - 1

    def _run(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        with translated():
            return self._connection.execute(query(sql), values).fetchall()
