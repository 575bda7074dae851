"""`slotd copy`: a store that has something of everything goes from engine to engine and stays the same to the byte."""

import re
import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from itertools import count
from pathlib import Path
from typing import TypeAlias

import pytest
from click.testing import CliRunner, Result

from slotd.cli.app import root
from slotd_server.domain.errors import StoreInUse
from slotd_server.domain.events import EVERYTHING
from slotd_server.domain.states import State
from slotd_server.store import copy as copying
from slotd_server.store.copy import TABLES, Row, Tally
from slotd_server.store.copy_sqlite import sqlite_destination, sqlite_source
from slotd_server.store.sqlite import SqliteStore
from tests.conformance.full import fill
from tests.postgres import Cluster

Content: TypeAlias = dict[str, list[Row]]
MakeUrl: TypeAlias = Callable[[], str]

OWN = {"head", "servers", "held"}
"""The tables that PostgreSQL alone has."""


@pytest.fixture
def full(tmp_path: Path) -> str:
    """The URL of a SQLite store with rows in every table."""
    fill(tmp_path / "full.db")
    return f"sqlite:///{tmp_path / 'full.db'}"


@pytest.fixture
def fresh(tmp_path: Path) -> MakeUrl:
    """Makes URLs of files that are not there."""
    numbers = count(1)
    return lambda: f"sqlite:///{tmp_path}/fresh-{next(numbers)}.db"


def slotd(*args: str) -> Result:
    result = CliRunner().invoke(root, args, prog_name="slotd")
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def copy(source: str, destination: str, *options: str) -> str:
    """What the command says."""
    result = slotd("copy", source, destination, *options)
    assert result.exit_code == 0, result.stderr
    return result.stdout


def refusal(*args: str) -> str:
    """What the command says that it refuses to do."""
    result = slotd(*args)
    assert (result.exit_code, result.stdout) == (1, "")
    return result.stderr


def content(url: str) -> Content:
    """All rows of all tables, as the engine has them."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            return {name: sorted(connection.execute(f"SELECT * FROM {name}"), key=repr) for name in names}
    import psycopg

    with psycopg.connect(url) as server:
        found = server.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        return {name: sorted(server.execute(f"SELECT * FROM {name}".encode()), key=repr) for (name,) in found}


def without_its_own(found: Content) -> Content:
    """Without what belongs to the engine."""
    meta = [row for row in found["meta"] if row[0] not in ("schema", "timeline")]
    return {name: rows for name, rows in found.items() if name not in OWN} | {"meta": meta}


def test_both_schemas_have_the_same_tables_columns_keys_and_indexes(database: str, fresh: MakeUrl) -> None:
    from slotd_server.store.copy_postgres import postgres_destination

    file = fresh()
    for url in (database, file):
        assert slotd("migrate", "--store", url).exit_code == 0
    assert set(content(file)) == set(content(database)) - OWN == set(TABLES)
    with (
        sqlite_destination(file.removeprefix("sqlite:///")) as there,
        postgres_destination(database) as here,
    ):
        for table in TABLES:
            assert there.columns(table) == here.columns(table)
    import psycopg

    with closing(sqlite3.connect(file.removeprefix("sqlite:///"))) as connection, psycopg.connect(database) as server:
        for table, key in TABLES.items():
            columns = connection.execute(f"PRAGMA table_info({table})").fetchall()
            assert [name for _, name, *_, place in sorted(columns, key=lambda column: column[-1]) if place] == [*key]
            asked = "SELECT column_name FROM information_schema.key_column_usage WHERE constraint_name = %s ORDER BY "
            found = server.execute(f"{asked} ordinal_position".encode(), (f"{table}_pkey",))
            assert [name for (name,) in found] == [*key]
        ours = connection.execute("SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL")
        theirs = server.execute("SELECT indexname FROM pg_indexes WHERE schemaname = 'public' AND indexdef !~ 'UNIQUE'")
        assert set(ours) == set(theirs)


def test_the_store_that_is_copied_has_something_of_everything(full: str) -> None:
    found = content(full)
    assert set(found) == set(TABLES)
    assert all(found.values())
    states = {row[4] for row in found["jobs"]}
    assert states == set(State)


def test_there_and_back_it_is_the_same_to_the_byte(full: str, database: str, fresh: MakeUrl) -> None:
    before = content(full)
    said = copy(full, database)
    jobs = len(before["jobs"])
    assert f"jobs: {jobs}\n" in said
    total = sum(map(len, before.values()))
    assert f"copied and verified: {total} rows in {len(before)} tables, from {full} to {database}\n" in said
    assert without_its_own(content(database)) == before
    back = fresh()
    copy(database, back)
    assert content(back) == before
    assert content(full) == before


def test_an_empty_store_is_copied_too(database: str, fresh: MakeUrl) -> None:
    file, back = fresh(), fresh()
    SqliteStore(file.removeprefix("sqlite:///")).close()
    copy(file, database)
    assert content(database)["head"] == [(True, 0, 1, 1, content(file)["boots"][0][1])]
    copy(database, back)
    assert content(back) == content(file)


def test_what_is_derived_fits_with_the_rows(full: str, database: str) -> None:
    copy(full, database)
    found = content(database)
    revisions = [row[0] for row in found["events"]]
    boots = {number: boot for number, boot, _ in found["boots"]}
    assert found["head"] == [(True, max(revisions), min(revisions), 1, boots[max(boots)])]
    assert min(revisions) > 1
    assert found["servers"] == found["held"] == []


def test_who_opens_the_copy_finds_the_same_jobs_events_and_past(full: str, database: str) -> None:
    from slotd_server.store.postgres import PostgresStore

    path = full.removeprefix("sqlite:///")
    copy(full, database)
    with closing(SqliteStore(path)) as one, closing(PostgresStore(database)) as other, ExitStack() as stack:
        ours, theirs = (stack.enter_context(store.snapshot()) for store in (one, other))
        assert one.id == other.id
        assert (ours.revision, ours.horizon) == (theirs.revision, theirs.horizon)
        assert ours.jobs(EVERYTHING, 1000) == theirs.jobs(EVERYTHING, 1000)
        assert ours.events(ours.horizon, 1000) == theirs.events(ours.horizon, 1000)
        for _, boot, start in content(full)["boots"][:2]:
            assert theirs.reached(boot, start)
            assert ours.reached(boot, ours.revision) == theirs.reached(boot, ours.revision)
        for store in (one, other):
            tx = store.begin()
            ran = tx.orphans(10)
            assert {job.state for job in ran} >= {State.RUNNING}
            assert any(job.lingering for job in ran)
            assert tx.next_revision() == ours.revision + 1
            tx.rollback()


def test_the_next_server_is_numbered_behind_those_that_were(full: str, database: str) -> None:
    from slotd_server.store.postgres import PostgresStore

    copy(full, database)
    before = content(database)["boots"]
    with closing(PostgresStore(database)) as store:
        newest = max(row[0] for row in content(database)["events"])
        assert content(database)["boots"] == [*before, (len(before) + 1, store.owner, newest)]


class TestRefusals:
    def test_a_destination_that_is_not_empty(self, full: str, database: str, tmp_path: Path) -> None:
        fill(tmp_path / "other.db")
        copy(f"sqlite:///{tmp_path / 'other.db'}", database)
        for destination in (database, f"sqlite:///{tmp_path / 'other.db'}"):
            before = content(destination)
            assert "the destination is not empty: it has rows in meta" in refusal("copy", full, destination)
            assert content(destination) == before

    def test_a_file_that_a_server_has(self, full: str, database: str, fresh: MakeUrl) -> None:
        copy(full, database)
        with closing(SqliteStore(full.removeprefix("sqlite:///"))):
            for command in (("copy", full, fresh()), ("copy", database, full), ("migrate", "--store", full)):
                assert "another server has" in refusal(*command)

    def test_a_database_that_lists_servers(self, full: str, database: str, fresh: MakeUrl) -> None:
        from slotd_server.store.postgres import PostgresStore

        copy(full, database)
        store = PostgresStore(database)
        store.begin().rollback()
        back = fresh()
        assert f"has servers: {store.owner}; stop them" in refusal("copy", database, back)
        assert not Path(back.removeprefix("sqlite:///")).exists()
        copy(database, back, "--force")
        assert content(back)["boots"] == content(database)["boots"]
        store.close()
        copy(database, fresh())

    def test_nobody_is_refused_for_a_copy_that_is_over(
        self, full: str, database: str, fresh: MakeUrl, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Though the database has not noticed yet that it has hung up."""
        import psycopg

        copy(full, database)
        left: list[psycopg.Connection] = []
        with monkeypatch.context() as patch:
            patch.setattr(psycopg.Connection, "close", lambda self: left.append(self))
            copy(database, fresh())
            copy(database, fresh())
        for connection in left:
            connection.close()

    def test_a_database_that_is_being_changed(self, full: str, database: str, fresh: MakeUrl) -> None:
        import psycopg

        copy(full, database)
        with psycopg.connect(database) as server:
            server.execute("SELECT * FROM head FOR UPDATE")
            assert "a server is at work" in refusal("copy", database, fresh())

    def test_a_database_whose_head_does_not_fit_with_its_events(self, full: str, database: str, fresh: MakeUrl) -> None:
        import psycopg

        copy(full, database)
        with psycopg.connect(database) as server:
            server.execute("UPDATE head SET revision = revision + 1")
        assert "is damaged: it is at revision" in refusal("copy", database, fresh())

    def test_one_that_is_no_store(self, database: str, tmp_path: Path, fresh: MakeUrl) -> None:
        (tmp_path / "text.db").write_text("no database at all, but long enough to be looked at" * 20)
        sqlite3.connect(tmp_path / "empty.db").close()
        assert "there is no file" in refusal("copy", f"sqlite:///{tmp_path / 'none.db'}", database)
        assert "not a database" in refusal("copy", f"sqlite:///{tmp_path / 'text.db'}", database)
        assert "there is no folder" in refusal("copy", "sqlite:///nowhere/at/all.db", database)
        assert "is not a store of slotd" in refusal("copy", database, fresh())
        for url in ("sqlite:///:memory:", "mysql://me:secret@host/jobs", "jobs.db"):
            said = refusal("copy", url, database)
            assert "it is sqlite:///PATH or postgresql://" in said
            assert "secret" not in said

    def test_another_version_s_schema(self, full: str, database: str, fresh: MakeUrl) -> None:
        import psycopg

        copy(full, database)
        path = full.removeprefix("sqlite:///")
        for schema, said in ((99, "has schema 99; this version knows"), (1, "has schema 1, this version needs")):
            with closing(sqlite3.connect(path)) as connection:
                connection.execute(f"PRAGMA user_version = {schema}")
            assert said in refusal("copy", full, fresh())
        for url in (full, database):
            with psycopg.connect(database) as server:
                server.execute("UPDATE meta SET value = '99' WHERE key = 'schema'")
            with closing(sqlite3.connect(path)) as connection:
                connection.execute("PRAGMA user_version = 99")
            assert "has schema 99; this version knows up to" in refusal("migrate", "--store", url)
            assert "has schema 99; this version knows up to" in refusal("copy", url, fresh())

    def test_a_destination_with_other_columns(self, full: str, fresh: MakeUrl) -> None:
        file = fresh()
        slotd("migrate", "--store", file)
        with closing(sqlite3.connect(file.removeprefix("sqlite:///"))) as connection:
            connection.execute("ALTER TABLE queues ADD COLUMN more INTEGER")
        result = slotd("copy", full, file)
        assert (result.exit_code, result.stderr) == (1, "Error: table queues has other columns at the destination\n")
        assert not any(content(file).values())

    def test_a_copy_onto_itself(self, full: str) -> None:
        result = slotd("copy", full, full)
        assert (result.exit_code, "FROM and TO are the same" in result.stderr) == (2, True)

    def test_a_database_that_does_not_answer_is_named_without_its_password(self, full: str, postgres: Cluster) -> None:
        url = postgres.url("nowhere").replace("postgres@", "postgres:secret@")
        for command in (("copy", full, url), ("copy", url, "sqlite:///a.db"), ("migrate", "--store", url)):
            said = refusal(*command)
            assert 'database "nowhere" does not exist' in said
            assert "secret" not in said


# What goes wrong on the way, in the destination's own terms.
_SPOIL_POSTGRES = """
    CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {what} END $$;
    CREATE TRIGGER spoil BEFORE INSERT ON {table} FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION spoil()"""
SPOILT = {
    "a row is lost": ("events", "NEW.revision = 50", "RETURN NULL;", "DELETE FROM events WHERE revision = 50"),
    "a byte is missing": (
        "outputs",
        "NEW.start = 0",
        "NEW.data = substr(NEW.data, 2); RETURN NEW;",
        "UPDATE outputs SET data = substr(data, 2) WHERE start = 0",
    ),
    "a number is another": (
        "counters",
        "NEW.queue = 'paused'",
        "NEW.blocked = NEW.blocked + 1; RETURN NEW;",
        "UPDATE counters SET blocked = blocked + 1 WHERE queue = 'paused'",
    ),
    "a time is another": (
        "schedules",
        "NEW.name = 'z'",
        "NEW.due_time = 0; RETURN NEW;",
        "UPDATE schedules SET due_time = 0 WHERE name = 'z'",
    ),
}


@pytest.mark.parametrize("spoilt", SPOILT)
def test_what_does_not_arrive_as_it_was_is_noticed_and_nothing_is_left(
    spoilt: str, full: str, database: str, fresh: MakeUrl
) -> None:
    import psycopg

    table, when, what, sqlites = SPOILT[spoilt]
    file = fresh()
    for url in (database, file):
        assert slotd("migrate", "--store", url).exit_code == 0
    with psycopg.connect(database) as server:
        server.execute(_SPOIL_POSTGRES.format(table=table, when=when, what=what).encode())
    with closing(sqlite3.connect(file.removeprefix("sqlite:///"))) as connection:
        connection.execute(f"CREATE TRIGGER spoil AFTER INSERT ON {table} WHEN {when} BEGIN {sqlites}; END")
        connection.commit()
    for url in (database, file):
        result = slotd("copy", full, url)
        assert result.exit_code == 1
        assert re.search(rf"table {table} arrived as \d+ rows \(\w+\), and was sent as \d+ rows", result.stderr)
        assert not any(without_its_own(content(url)).values())


def test_a_copy_that_fails_leaves_no_file(full: str, fresh: MakeUrl) -> None:
    file = Path(fresh().removeprefix("sqlite:///"))

    def copied() -> None:
        with sqlite_source(full.removeprefix("sqlite:///")) as source, sqlite_destination(str(file)) as destination:
            for table, _ in copying.copy(source, destination):
                if table == "events":
                    raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copied()
    assert not file.exists()


def test_a_vacuum_is_not_taken_for_a_server(full: str, database: str, fresh: MakeUrl) -> None:
    import psycopg

    copy(full, database)
    with psycopg.connect(database) as vacuum, psycopg.connect(database, autocommit=True) as eye:
        # The lock that a vacuum takes; it can't be made to last.
        vacuum.execute("LOCK TABLE head IN SHARE UPDATE EXCLUSIVE MODE")

        ended: list[str] = []
        copying_back = threading.Thread(target=lambda: ended.append(copy(database, fresh())))
        copying_back.start()
        while not eye.execute("SELECT 1 FROM pg_locks WHERE relation = 'head'::regclass AND NOT granted").fetchone():
            assert copying_back.is_alive(), "it did not wait"
        vacuum.commit()
        copying_back.join()
    assert ended


def test_nobody_changes_the_source_while_it_is_copied(full: str, database: str, fresh: MakeUrl) -> None:
    import psycopg

    from slotd_server.store.copy_postgres import postgres_destination, postgres_source

    path = full.removeprefix("sqlite:///")
    with sqlite_source(path) as source, postgres_destination(database) as destination:
        for _ in copying.copy(source, destination):
            with pytest.raises(StoreInUse):
                SqliteStore(path)
    with (
        postgres_source(database) as source,
        sqlite_destination(fresh().removeprefix("sqlite:///")) as destination,
        psycopg.connect(database, autocommit=True) as server,
    ):
        server.execute("SET lock_timeout = '1ms'")
        for table, _ in copying.copy(source, destination):
            with pytest.raises(psycopg.errors.LockNotAvailable):
                server.execute("SELECT * FROM head FOR UPDATE")
            if table == "meta":
                # From one point in time: what somebody does who does not ask is not seen.
                server.execute("DELETE FROM outputs")
                assert content(database)["outputs"] == []
            if table == "outputs":
                assert any(True for _ in destination.rows(table, destination.columns(table)))


def test_rows_that_differ_have_different_digests() -> None:
    def digest(*rows: Row) -> object:
        tally = Tally()
        assert list(tally.over(rows)) == list(rows)
        return tally.digest()

    alike: Sequence[tuple[Row, ...]] = (
        ((1, "a"),),
        ((1, b"a"),),
        (("1", "a"),),
        ((1, "a", None),),
        ((1, None),),
        ((1,), ("a",)),
        (("a", 1),),
        ((1, ""), (2, "")),
        ((2, ""), (1, "")),
        ((1, ""),),
        (),
    )
    assert len({digest(*rows) for rows in alike}) == len(alike)
    assert digest((1, "a")) == digest((1, "a"))
