"""Numbered SQL migrations, and how a database gets those that it lacks: each once, together with the note of it."""

from __future__ import annotations

import sqlite3
from importlib import resources
from typing import TYPE_CHECKING, Literal, NamedTuple

from slotd_server.domain.errors import StoreTooNew, StoreTooOld

if TYPE_CHECKING:
    from psycopg import Connection

Dialect = Literal["sqlite", "postgres"]

_MIGRATING = int.from_bytes(b"slotd")
"""The advisory lock under which a PostgreSQL database is migrated."""


class Migration(NamedTuple):
    """One file of sql/DIALECT; `name` is the file's, without its ending."""

    number: int
    name: str
    script: str


def migrations(dialect: Dialect) -> list[Migration]:
    """All there are, in order."""
    folder = resources.files("slotd_server.store") / "sql" / dialect
    found = [(file.name.removesuffix(".sql"), file.read_text(encoding="utf-8")) for file in folder.iterdir()]
    return [Migration(int(name[:4]), name, script) for name, script in sorted(found)]


def newest(dialect: Dialect) -> int:
    """The schema that this version works with."""
    return migrations(dialect)[-1].number


def pending(dialect: Dialect, schema: int, store: str) -> list[Migration]:
    """Those behind `schema`, in order; `store` is what a message calls it. Raises StoreTooNew."""
    known = migrations(dialect)
    if schema > known[-1].number:
        raise StoreTooNew(f"{store} has schema {schema}; this version knows up to {known[-1].number}")
    return [migration for migration in known if migration.number > schema]


def sqlite_schema(connection: sqlite3.Connection) -> int:
    """The newest migration that has run; 0 in a new file."""
    (schema,) = connection.execute("PRAGMA user_version").fetchone()
    return int(schema)


def migrate_sqlite(connection: sqlite3.Connection, store: str) -> list[str]:
    """Run what is missing, each in a transaction of its own. → the names of those that ran. Raises StoreTooNew."""
    missing = pending("sqlite", sqlite_schema(connection), store)
    for migration in missing:
        connection.executescript(f"BEGIN; {migration.script}; PRAGMA user_version = {migration.number}; COMMIT")
    return [migration.name for migration in missing]


def postgres_schema(connection: Connection) -> int:
    """The newest migration that has run; 0 in a database without one."""
    if connection.execute("SELECT to_regclass('meta')").fetchall() == [(None,)]:
        return 0
    rows = connection.execute("SELECT value FROM meta WHERE key = 'schema'").fetchall()
    return int(rows[0][0]) if rows else 0


def migrate_postgres(connection: Connection, store: str, *, existing: bool = True) -> list[str]:
    """Run what is missing, in the caller's transaction; who else wants to migrate waits for its end. → the names of
    those that ran.

    Without `existing` only a database that has nothing yet gets its schema. Raises StoreTooNew, and then StoreTooOld.
    """
    connection.execute("SELECT pg_advisory_xact_lock(%s)", (_MIGRATING,))
    schema = postgres_schema(connection)
    missing = pending("postgres", schema, store)
    if schema and missing and not existing:
        raise too_old("postgres", schema, store)
    for migration in missing:
        # Without values, so that the whole script goes in one message.
        connection.execute(migration.script.encode())
        connection.execute(
            "INSERT INTO meta VALUES ('schema', %s) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            (str(migration.number),),
        )
    return [migration.name for migration in missing]


def too_old(dialect: Dialect, schema: int, store: str) -> StoreTooOld:
    """The error for a store that has to be migrated first."""
    return StoreTooOld(f"{store} has schema {schema}, this version needs {newest(dialect)}: run `slotd migrate`")
