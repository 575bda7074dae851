"""`slotd migrate` and `slotd copy` on SQLite; tests/conformance and tests/cluster have them with PostgreSQL."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from slotd_server.store.migrations import migrations
from slotd_server.store.sqlite import SqliteStore
from tests.cli.conftest import Slotd


def test_migrate_names_what_ran(slotd: Slotd, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'jobs.db'}"
    names = [migration.name for migration in migrations("sqlite")]
    assert slotd("migrate", "--store", url).stdout.splitlines() == names
    assert slotd("migrate", "--store", url).stdout == "nothing to do\n"
    with closing(sqlite3.connect(tmp_path / "jobs.db")) as connection:
        connection.execute(f"PRAGMA user_version = {len(names) - 1}")
        connection.executescript("DROP TABLE schedules; DROP TABLE schedule_settings")
    assert slotd("migrate", "--store", url).stdout.splitlines() == names[-1:]


def test_migrate_takes_the_store_from_the_environment(
    slotd: Slotd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert slotd("migrate").exit_code == 2
    monkeypatch.setenv("SLOTD_STORE", f"sqlite:///{tmp_path / 'jobs.db'}")
    assert slotd("migrate").exit_code == 0
    assert (tmp_path / "jobs.db").is_file()


def test_copy_says_what_it_has_copied(slotd: Slotd, tmp_path: Path) -> None:
    first, second = tmp_path / "first.db", tmp_path / "second.db"
    with closing(SqliteStore(str(first))) as store:
        identity = store.id
    result = slotd("copy", f"sqlite:///{first}", f"sqlite:///{second}")
    assert result.stdout.splitlines() == [
        "meta: 1",
        "boots: 1",
        f"copied and verified: 2 rows in 2 tables, from sqlite:///{first} to sqlite:///{second}",
    ]
    with closing(SqliteStore(str(second))) as store:
        assert store.id == identity


def test_what_can_t_be_done_has_exit_status_1(slotd: Slotd, tmp_path: Path) -> None:
    for words in (
        ("migrate", "--store", "jobs.db"),
        ("copy", f"sqlite:///{tmp_path / 'none.db'}", f"sqlite:///{tmp_path / 'new.db'}"),
    ):
        result = slotd(*words)
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr.startswith("Error: ")
    assert not (tmp_path / "new.db").exists()
