"""What is SQLite's own: the file, its lock, its settings, its schema, and the meaning of its errors."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from slotd_server.domain.errors import StoreBroken, StoreFull, StoreInUse, StoreTooNew
from slotd_server.store import sqlite
from slotd_server.store.sqlite import SqliteStore
from slotd_server.store.sqlite_errors import meaning
from tests.unit.driver import Driver

MakeDriver = Callable[..., Driver]


def test_a_second_server_on_the_file_is_refused(tmp_path: Path) -> None:
    first = SqliteStore(str(tmp_path / "jobs.db"))
    for path in (tmp_path / "jobs.db", tmp_path / "." / "jobs.db"):
        with pytest.raises(StoreInUse, match=r"jobs\.db"):
            SqliteStore(str(path))
    first.close()
    SqliteStore(str(tmp_path / "jobs.db")).close()


def test_another_name_for_the_file_is_the_file(tmp_path: Path) -> None:
    (tmp_path / "link.db").symlink_to(tmp_path / "jobs.db")
    first = SqliteStore(str(tmp_path / "jobs.db"))
    with pytest.raises(StoreInUse):
        SqliteStore(str(tmp_path / "link.db"))
    first.close()


def test_a_store_of_a_later_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"
    SqliteStore(str(path)).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 999")
    connection.close()
    for _ in range(2):
        with pytest.raises(StoreTooNew):
            SqliteStore(str(path))
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA user_version").fetchone() == (999,)
    connection.close()


def test_there_must_be_a_folder(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="no folder"):
        SqliteStore(str(tmp_path / "none" / "jobs.db"))


def test_what_is_no_store_is_refused(tmp_path: Path) -> None:
    (tmp_path / "jobs.db").write_bytes(b"not a database, but long enough to look like one" * 100)
    with pytest.raises((StoreBroken, sqlite3.DatabaseError)):
        SqliteStore(str(tmp_path / "jobs.db"))


def test_commits_are_synced(tmp_path: Path) -> None:
    store = SqliteStore(str(tmp_path / "jobs.db"))
    settings = {
        name: store.writer.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "wal_autocheckpoint")
    }
    assert settings == {"journal_mode": "wal", "synchronous": 2, "wal_autocheckpoint": 0}
    store.close()


def test_the_schema_is_that_of_the_newest_migration(driver: Driver) -> None:
    folder = Path(sqlite.__file__).parent / "sql" / "sqlite"
    newest = max(int(file.name[:4]) for file in folder.iterdir())
    assert newest == sqlite.SCHEMA
    assert driver.store.writer.execute("PRAGMA user_version").fetchone() == (sqlite.SCHEMA,)


def test_a_store_in_memory_leaves_nothing_behind() -> None:
    store = SqliteStore(":memory:")
    folder = Path(store._path).parent
    assert folder.is_dir()
    store.close()
    store.close()
    assert not folder.exists()


def test_each_store_has_its_id_and_each_start_its_owner(tmp_path: Path) -> None:
    first = SqliteStore(str(tmp_path / "a.db"))
    identity, owner = first.id, first.owner
    first.close()
    again, other = SqliteStore(str(tmp_path / "a.db")), SqliteStore(str(tmp_path / "b.db"))
    assert again.id == identity != other.id
    assert again.owner != owner
    again.close()
    other.close()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("SQLITE_FULL", StoreFull),
        ("SQLITE_IOERR_SHMSIZE", StoreFull),
        ("SQLITE_IOERR_FSYNC", StoreBroken),
        ("SQLITE_IOERR_WRITE", StoreBroken),
        ("SQLITE_CORRUPT", StoreBroken),
        ("SQLITE_NOTADB", StoreBroken),
        ("SQLITE_READONLY", StoreBroken),
        ("SQLITE_CONSTRAINT", sqlite3.OperationalError),
    ],
)
def test_what_errors_mean(name: str, expected: type[Exception]) -> None:
    error = sqlite3.OperationalError("…")
    error.sqlite_errorname = name
    assert type(meaning(error)) is expected


def test_the_log_is_written_back_now_and_then(make_driver: MakeDriver, tmp_path: Path) -> None:
    driver = make_driver(1, path=str(tmp_path / "jobs.db"))
    checkpoint = sqlite.CHECKPOINT_BYTES
    driver.store.wrote(checkpoint)
    driver.submit()
    (_, frames, written) = driver.store.writer.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    assert frames == written


def test_claiming_and_looking_use_an_index(driver: Driver) -> None:
    """With a million jobs waiting, whatever reads a table from end to end would be felt."""
    plans = {
        "claim": """SELECT seq FROM jobs WHERE state = 3 AND queue = 'q' AND kind = 'k'
            ORDER BY rank, seq LIMIT 1""",
        "lower": """SELECT seq FROM jobs WHERE state = 3 AND queue = 'q' AND kind = 'k' AND rank >= 7
            ORDER BY rank, seq LIMIT 1""",
        "due": "SELECT seq FROM jobs WHERE due_time <= 5 ORDER BY due_time LIMIT 5",
        "next due": "SELECT due_time FROM jobs WHERE due_time IS NOT NULL ORDER BY due_time LIMIT 1",
        "running": "SELECT seq FROM jobs WHERE state = 4 AND owner <> 'me' LIMIT 5",
        "lingering": "SELECT seq FROM jobs WHERE state <> 4 AND owner <> '' AND owner <> 'me' LIMIT 5",
    }
    for name, query in plans.items():
        plan = " ".join(row[3] for row in driver.store.writer.execute(f"EXPLAIN QUERY PLAN {query}"))
        assert "INDEX" in plan, name
        assert "TEMP B-TREE" not in plan, name
