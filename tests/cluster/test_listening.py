"""How news of other servers' changes comes to one: by notifications, on the connection that also renews its lease."""

import os
import resource
import select
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest

from slotd_server.domain.errors import StoreBroken
from slotd_server.domain.server import News
from slotd_server.store.postgres import PostgresStore
from slotd_server.store.shared import unknown
from tests.postgres import Cluster

PATIENCE = 20
"""Seconds."""


class Ear:
    """A store that listens, and others' notifications for it."""

    def __init__(self, store: PostgresStore, postgres: Cluster, database: str) -> None:
        self.store = store
        self._postgres = postgres
        self._database = database.rpartition("/")[2]
        self.store.listen(0)

    def notify(self, revision: int) -> None:
        """Returns when the news is on its way to the store's connection, if not there."""
        self._postgres.execute(
            f"SELECT pg_notify('{self.store.channel}', '{revision} 1 another')", database=self._database
        )

    def until_come(self) -> None:
        """Until something can be read on the connection."""
        there = select.poll()
        assert self.store._listener is not None
        there.register(self.store._listener.fileno(), select.POLLIN)
        assert there.poll(PATIENCE * 1000)


@pytest.fixture
def ear(database: str, postgres: Cluster) -> Iterator[Ear]:
    with closing(PostgresStore(database)) as store:
        yield Ear(store, postgres, database)


@pytest.fixture
def more_than_1024_descriptors() -> Iterator[None]:
    """As of a server that many callers have connected to: what is opened now gets one beyond."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(limit[0], 2048), limit[1]))
    with ExitStack() as stack:
        while (descriptor := os.open(os.devnull, os.O_RDONLY)) < 1024:
            stack.callback(os.close, descriptor)
        stack.callback(os.close, descriptor)
        yield
    resource.setrlimit(resource.RLIMIT_NOFILE, limit)


def test_news_that_comes_along_with_the_answer_to_a_renewal_is_heard_at_once(ear: Ear) -> None:
    ear.notify(5)
    ear.until_come()
    ear.store.renew(unknown())
    asked = time.monotonic()
    assert ear.store.listen(PATIENCE) == [News(5, True)]
    assert time.monotonic() - asked < PATIENCE, "only after the wait for more"


def test_what_has_come_either_way_is_heard_once_and_in_order(ear: Ear) -> None:
    ear.notify(5)
    ear.notify(6)
    ear.until_come()
    ear.store.renew(unknown())
    ear.notify(7)
    heard: list[News] = []
    while len(heard) < 3:
        heard += ear.store.listen(PATIENCE)
    assert [news.revision for news in heard] == [5, 6, 7]
    assert ear.store.listen(0) == []


@pytest.mark.usefixtures("more_than_1024_descriptors")
def test_it_listens_on_whatever_descriptor_its_connection_has(database: str, postgres: Cluster) -> None:
    """A listener that connects anew, on a server to which a thousand callers are connected."""
    with closing(PostgresStore(database)) as store:
        ear = Ear(store, postgres, database)
        assert store._listener is not None
        assert store._listener.fileno() >= 1024
        ear.notify(5)
        assert store.listen(PATIENCE) == [News(5, True)]
        store.wake()
        asked = time.monotonic()
        assert store.listen(PATIENCE) == []
        assert time.monotonic() - asked < PATIENCE, "nothing has woken it"


def test_to_wake_it_never_waits(ear: Ear) -> None:
    for _ in range(100_000):
        ear.store.wake()
    assert ear.store.listen(PATIENCE) == []
    assert ear.store.listen(0) == []


def test_one_that_could_not_begin_to_listen_is_not_kept(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(PostgresStore(database)) as store:
        with monkeypatch.context() as patch:
            patch.setattr(store, "channel", "")
            with pytest.raises(StoreBroken):
                store.listen(0)
        assert store._listener is None
        assert store.listen(0) == []
