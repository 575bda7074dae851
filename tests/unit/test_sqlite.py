"""What is SQLite's own: the file, its lock, its settings, its schema, and the meaning of its errors."""

import re
import sqlite3
from collections.abc import Callable, Collection, Sequence
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from slotd_server.domain import commands as ask
from slotd_server.domain.errors import StoreBroken, StoreFull, StoreInUse, StoreTooNew, StoreUnavailable
from slotd_server.domain.events import EVERYTHING, JobFilter
from slotd_server.domain.job import SECOND, Job
from slotd_server.domain.queue import BUILT_IN, Counters, Rate
from slotd_server.domain.schedule import Schedule, Settings
from slotd_server.domain.states import State
from slotd_server.domain.ties import Dependency, Unique
from slotd_server.store import sqlite
from slotd_server.store.rows import snapshot_bytes, spec_text
from slotd_server.store.sqlite import SqliteStore
from slotd_server.store.sqlite_errors import meaning
from tests.unit.driver import DONE, HOPELESS, START, Driver, draft, shared

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
    assert driver.store.writer.execute("PRAGMA user_version").fetchone() == (newest,)


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
        ("SQLITE_BUSY", StoreUnavailable),
        ("SQLITE_BUSY_SNAPSHOT", StoreUnavailable),
        ("SQLITE_LOCKED", StoreUnavailable),
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


def test_what_somebody_else_has_locked_may_be_tried_again(driver: Driver) -> None:
    job = driver.submit()
    driver.store.writer.execute("PRAGMA busy_timeout = 1")
    (_, _, file), *_ = driver.store.writer.execute("PRAGMA database_list").fetchall()
    with closing(sqlite3.connect(file, isolation_level=None)) as shell:
        shell.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match="another program has locked the store's file"):
            driver.finish(job)
        shell.execute("ROLLBACK")
    driver.finish(job)
    assert driver.get(job).state is State.SUCCEEDED


def test_the_log_is_written_back_now_and_then(make_driver: MakeDriver, tmp_path: Path) -> None:
    driver = make_driver(1, path=str(tmp_path / "jobs.db"))
    checkpoint = sqlite.CHECKPOINT_BYTES
    driver.store.wrote(checkpoint)
    driver.submit()
    (_, frames, written) = driver.store.writer.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    assert frames == written


def test_whatever_a_change_looks_for_has_an_index(driver: Driver) -> None:
    """With a million jobs waiting, whatever reads a table from end to end would be felt. The indexes of the jobs that
    run or linger have few entries, as has the table of what is left to be done."""
    statements = written(driver)
    tables = {name for (name,) in driver.store.writer.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    used = {table for table in tables for sql in statements if re.search(rf"\b{table}\b", sql)}
    assert tables - used <= {"meta", "boots", "sqlite_sequence"}, "not all has been tried"
    for sql in statements:
        plan = [row[3] for row in driver.store.writer.execute(f"EXPLAIN QUERY PLAN {sql}")]
        scans = [step for step in plan if step.startswith("SCAN") and step.split()[1] in tables]
        short = ("INDEX jobs_running", "INDEX jobs_lingering", "unsettled")
        assert all(step.endswith(short) for step in scans), (sql, plan)
        assert "unsettled" in sql or not any("TEMP B-TREE" in step for step in plan), (sql, plan)


def written(driver: Driver) -> Collection[str]:
    """The statements of a life in which all happens that can, one for each form."""
    statements: dict[str, str] = {}

    def note(sql: str) -> None:
        if sql.startswith(("SELECT", "INSERT", "UPDATE", "DELETE")):
            statements[re.sub(r"x?'[^']*'|\d+", "", sql)] = sql

    # That is set rarely, and then all ended jobs of the queue are looked through.
    driver.queue("other", retain_count=1)
    driver.store.writer.set_trace_callback(note)
    interval = Schedule("s", Settings(draft(key="k"), interval=SECOND), 0, 0)
    driver.apply(ask.CreateSchedule(interval))
    driver.queue(slots_per_key=1, rate=Rate(1e6, 50))
    for request_id in ("r", "s"):
        jobs = driver.batch(
            draft(ref="a", group="g", request_id=request_id, priority=1),
            draft(depends_on=["a", Dependency(group="g")], key="k", resources=["r", shared("a/*")], unique=Unique("u")),
            draft(key="k", priority=3, max_attempts=1),
            draft(key="k", resources=["r"], queue_timeout=SECOND),
            draft(resources=["*"], schedule_time=START + SECOND),
        )
        driver.update(jobs[1], labels=(("a", "b"),), queue="other")
        driver.overrun(next(iter(driver.running.values())))
        for job in driver.running.copy().values():
            driver.report(job, output=b"words")
        driver.pass_time(SECOND)
        while driver.running:
            driver.finish(next(iter(driver.running.values())), HOPELESS if len(driver.running) == 2 else DONE)
        for job in driver.jobs():
            driver.apply(ask.Retry(job.id, dependents=True))
    driver.batch(draft(ref="a", queue="other"), *[draft(queue="other", depends_on=["a"])] * 1500)
    driver.apply(ask.Bulk("cancel", JobFilter(queues=frozenset({"other"})), limit=1))
    driver.apply(ask.Recover(), ask.Bulk("cancel", EVERYTHING), ask.DeleteSchedule("s"), ask.GetGroup("g"))
    while driver.running:
        driver.finish(next(iter(driver.running.values())))
    driver.apply(ask.Bulk("delete", JobFilter(states=frozenset({State.FAILED}))), ask.Purge(EVERYTHING))
    driver.store.writer.set_trace_callback(None)
    return statements.values()


class TestTheFirstSchema:
    """What the first version wrote: no ties, and a column with the priority where the rank is now."""

    def write(self, path: Path, jobs: Sequence[Job]) -> None:
        connection = sqlite3.connect(path)
        folder = Path(sqlite.__file__).parent / "sql" / "sqlite"
        connection.executescript((folder / "0001_jobs.sql").read_text())
        connection.execute("PRAGMA user_version = 1")
        for job in jobs:
            snapshot = msgspec.msgpack.encode(msgspec.msgpack.decode(snapshot_bytes(job))[:-1])
            spec = msgspec.json.encode(msgspec.json.decode(spec_text(job.spec))[:-1]).decode()
            values = (job.seq, job.spec.queue, job.spec.kind, job.spec.priority, job.state, job.owner, job.due_time)
            connection.execute(
                "INSERT INTO jobs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL)", (*values, job.revision, snapshot)
            )
            connection.execute("INSERT INTO specs VALUES (?, ?, ?, NULL, NULL, NULL, NULL)", (job.seq, job.id, spec))
            connection.execute(
                "INSERT INTO events VALUES (?, ?, 2, NULL, ?, 0, 0, ?, NULL, NULL)",
                (job.revision, job.seq, job.create_time, snapshot),
            )
        numbers = Counters(queued=len(jobs), submitted=len(jobs))
        marks = ",".join("?" * len(numbers))
        connection.execute(f"INSERT INTO counters VALUES ('default', 'work', {marks})", numbers)
        connection.commit()
        connection.close()

    def jobs(self, *priorities: int) -> list[Job]:
        return [
            Job(
                seq=number,
                id=f"job-{number}",
                spec=draft(priority=priority, labels={"n": str(number)}).resolve(BUILT_IN),
                state=State.QUEUED,
                revision=number,
                create_time=START,
            )
            for number, priority in enumerate(priorities, 1)
        ]

    def test_all_is_there_as_it_was(self, make_driver: MakeDriver, tmp_path: Path) -> None:
        jobs = self.jobs(0, -1000, 1000)
        self.write(tmp_path / "jobs.db", jobs)
        driver = make_driver(0, path=str(tmp_path / "jobs.db"))
        assert driver.jobs() == jobs
        assert [event.job for event in driver.events()] == jobs
        assert driver.counters() == Counters(queued=3, submitted=3)
        assert driver.jobs(JobFilter(labels=frozenset({("n", "2")}))) == jobs[1:2]

    def test_jobs_start_in_their_old_order_and_new_ones_among_them(
        self, make_driver: MakeDriver, tmp_path: Path
    ) -> None:
        self.write(tmp_path / "jobs.db", self.jobs(0, 7, -1000, 7, 0, 1000, -3))
        driver = make_driver(0, path=str(tmp_path / "jobs.db"))
        driver.submit(priority=7)
        driver.apply(ask.UpdateSlots(1))
        order = []
        while driver.running:
            (job,) = driver.running.values()
            order.append(job.seq)
            driver.finish(job)
        assert order == [6, 2, 4, 8, 1, 5, 7, 3]

    def test_new_jobs_may_depend_on_old_ones(self, make_driver: MakeDriver, tmp_path: Path) -> None:
        jobs = self.jobs(0)
        self.write(tmp_path / "jobs.db", jobs)
        driver = make_driver(1, path=str(tmp_path / "jobs.db"))
        driver.apply()
        after = driver.submit(depends_on=jobs, resources=["r"], group="g")
        assert driver.get(after).blocked_by == ("jobs/job-1",)
        driver.finish(jobs[0])
        assert driver.get(after).state is State.RUNNING
