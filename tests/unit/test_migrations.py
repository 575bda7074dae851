"""Migrations on SQLite; those on PostgreSQL are tested with servers, in tests/cluster."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from slotd_server.domain.errors import StoreTooNew
from slotd_server.store.migrations import (
    Dialect,
    migrate_sqlite,
    migrations,
    newest,
    pending,
    sqlite_schema,
)


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        yield connection


@pytest.mark.parametrize("dialect", ["sqlite", "postgres"])
def test_the_numbers_go_up_by_one(dialect: Dialect) -> None:
    known = migrations(dialect)
    assert [migration.number for migration in known] == list(range(1, len(known) + 1))
    assert all(migration.name.startswith(f"{migration.number:04}_") for migration in known)
    assert newest(dialect) == len(known)


def test_what_is_missing_runs_and_runs_once(connection: sqlite3.Connection) -> None:
    first, second, *others = migrations("sqlite")
    connection.executescript(first.script)
    connection.execute("PRAGMA user_version = 1")
    assert migrate_sqlite(connection, "it") == [migration.name for migration in (second, *others)]
    assert sqlite_schema(connection) == newest("sqlite")
    assert migrate_sqlite(connection, "it") == []


def test_one_that_fails_leaves_the_schema_before_it(
    connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = migrations("sqlite")
    broken = known[-1]._replace(number=newest("sqlite") + 1, script="CREATE TABLE a (b INTEGER); CREATE TABLE a (b)")
    monkeypatch.setattr("slotd_server.store.migrations.migrations", lambda dialect: [*known, broken])
    with pytest.raises(sqlite3.OperationalError, match="already exists"):
        migrate_sqlite(connection, "it")
    connection.rollback()
    assert sqlite_schema(connection) == known[-1].number
    assert connection.execute("SELECT name FROM sqlite_master WHERE name = 'a'").fetchall() == []


def test_a_later_schema_is_refused() -> None:
    with pytest.raises(StoreTooNew, match="it has schema 99; this version knows up to"):
        pending("sqlite", 99, "it")
