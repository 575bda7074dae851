"""What a server finds in its database when it starts: nothing yet, another version's schema, the past."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest

from slotd.v1 import JOB_STATE_SUCCEEDED
from slotd_server.app import StartError
from slotd_server.domain.errors import StoreUnavailable
from slotd_server.domain.queue import Queue
from slotd_server.store import migrations
from slotd_server.store.migrations import Migration
from slotd_server.store.postgres import PostgresStore
from slotd_server.store.postgres_write import PostgresTransaction
from slotd_server.store.rows import Row
from slotd_server.store.sql_read import UP_TO
from tests.conformance.recording import new
from tests.postgres import Cluster
from tests.service import LocalService, Start


def test_servers_that_start_at_once_on_an_empty_database_make_one_store(start: Start) -> None:
    together = threading.Barrier(4)

    def begin(_: int) -> LocalService:
        together.wait()
        return start(slots=1)

    with ThreadPoolExecutor(4) as pool:
        services = list(pool.map(begin, range(4)))
    jobs = [service.at.client.submit("idle") for service in services]
    for service in services:
        assert {job.id for job in service.at.client.list()} == {job.id for job in jobs}
        assert len(service.at.client.list_servers()) == 4
    assert {services[0].at.client.wait(job).state for job in jobs} == {JOB_STATE_SUCCEEDED}


@pytest.fixture
def next_version(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The version after this one: its schema has a migration more."""
    known = migrations.migrations("postgres")
    more = Migration(known[-1].number + 1, "9999_more", "CREATE TABLE more (a bigint)")
    monkeypatch.setattr(migrations, "migrations", lambda _: [*known, more])
    return monkeypatch


def test_an_older_schema_is_refused_until_it_is_migrated(
    start: Start, database: str, request: pytest.FixtureRequest
) -> None:
    start().stop()
    request.getfixturevalue("next_version")
    with pytest.raises(StartError, match="run `slotd migrate`"):
        start()


def test_a_newer_schema_is_refused(start: Start, next_version: pytest.MonkeyPatch) -> None:
    start().stop()
    next_version.undo()
    with pytest.raises(StartError, match=r"has schema \d+; this version knows up to \d+"):
        start()


def test_a_schema_is_refused_without_the_password_in_the_url(start: Start, next_version: pytest.MonkeyPatch) -> None:
    service = start()
    service.stop()
    next_version.undo()
    with pytest.raises(StartError, match="has schema") as refused:
        start(store=service.settings.store.replace("postgres@", "postgres:secret@"))
    assert "secret" not in str(refused.value)


def test_a_database_that_is_not_there_is_named_without_its_password(start: Start, postgres: Cluster) -> None:
    url = postgres.url("nowhere").replace("postgres@", "postgres:secret@")
    with pytest.raises(StartError, match="nowhere") as refused:
        start(store=url)
    assert "secret" not in str(refused.value)


def test_one_that_finds_the_past_stops(start: Start, postgres: Cluster) -> None:
    """A backup was restored under it, or a standby took over that had not heard of the last commits: what it would go
    on to say might not fit with what it has said."""
    service = start()
    database = service.settings.store.rpartition("/")[2]
    service.at.client.submit_and_wait("idle")
    service.stop()
    postgres.execute(f"CREATE DATABASE {database}_backup TEMPLATE {database}")
    service.start()
    service.at.client.submit_and_wait("idle")
    postgres.execute(f"ALTER DATABASE {database} ALLOW_CONNECTIONS false")
    postgres.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'")
    postgres.execute(f"ALTER DATABASE {database} RENAME TO {database}_lost")
    postgres.execute(f"ALTER DATABASE {database}_backup RENAME TO {database}")
    assert service.wait_stopped() is not None
    service.at.close()
    service.start()
    service.at.client.submit_and_wait("idle")
    assert service.at.client.get_stats().counters.submitted == 2
    postgres.drop(f"{database}_lost")


def test_one_that_looks_while_a_change_begins_is_not_taken_for_the_past(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader's look at the newest head, in the midst of the writer's comparing it with the last one."""
    with closing(PostgresStore(database)) as store, closing(PostgresStore(database)) as later:
        tx = later.begin()
        new(tx)
        tx.commit()
        together = PostgresTransaction._together

        def looked_at(self: PostgresTransaction, *statements: tuple[str, Sequence[Any]]) -> list[list[Row]]:
            if statements[0][0] == UP_TO:
                with store.snapshot():
                    looks.append(store.seen.revision)
            return together(self, *statements)

        looks: list[int] = []
        monkeypatch.setattr(PostgresTransaction, "_together", looked_at)
        tx = store.begin()
        assert (tx.revision, looks) == (1, [1])
        tx.rollback()


def test_what_a_server_that_is_gone_has_begun_is_ended(database: str) -> None:
    """It may have stopped in the midst of a message, where the database waits for the rest of it."""
    with closing(PostgresStore(database)) as gone, closing(PostgresStore(database)) as other:
        began = gone.begin()
        new(began)
        other.cut_off(gone.owner)
        tx = other.begin()
        new(tx)
        tx.commit()
        with pytest.raises(StoreUnavailable):
            began.commit()
        assert tx.revision == 1


def test_a_new_connection_takes_nothing_for_known(database: str, postgres: Cluster) -> None:
    """After a failover the same version may have come about in another way."""
    name = database.rpartition("/")[2]
    with closing(PostgresStore(database)) as store:
        tx = store.begin()
        tx.put_queue(Queue("narrow", 1))
        tx.commit()
        postgres.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        postgres.execute("UPDATE queues SET settings = replace(settings, 'narrow', 'another')", database=name)
        with pytest.raises(StoreUnavailable):
            store.begin()
        tx = store.begin()
        queue = tx.queue("narrow")
        tx.rollback()
        assert queue is not None
        assert queue.name == "another"


def test_one_that_starts_waits_for_the_first_change_after_a_failover(database: str, postgres: Cluster) -> None:
    """Both write down the new timeline: they lock in the same order, so that none waits in a circle."""
    name = database.rpartition("/")[2]
    with closing(PostgresStore(database)) as store, ThreadPoolExecutor(1) as pool:
        postgres.execute("UPDATE meta SET value = 'another' WHERE key = 'timeline'", database=name)
        tx = store.begin()
        starting = pool.submit(PostgresStore, database)
        while not postgres.execute("SELECT 1 FROM pg_locks WHERE NOT granted"):
            assert not starting.done()
        new(tx)
        tx.commit()
        starting.result().close()
