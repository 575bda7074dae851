"""A database that hangs: it is there and does not answer, as where a synchronous standby is awaited that is away."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from slotd_server import app, dispatch
from tests.cluster.conftest import Serve
from tests.postgres import Cluster
from tests.service import Start

_PATIENCE = 20
"""Seconds."""


@contextmanager
def hanging(postgres: Cluster, database: str) -> Iterator[None]:
    """Neither a change nor a renewal is answered meanwhile."""
    with postgres.connect(database.rpartition("/")[2]) as connection, connection.transaction():
        # In the order in which a change locks them.
        connection.execute("SELECT FROM head FOR UPDATE")
        connection.execute("SELECT FROM servers FOR UPDATE")
        yield


def test_a_server_that_is_to_stop_does_not_wait_for_it(
    start: Start, postgres: Cluster, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It leaves as it should once the database answers again, where the process is still there."""
    monkeypatch.setattr(dispatch, "_PUT_BACK_SECONDS", 0.1)
    monkeypatch.setattr(app, "_END_SECONDS", 0.1)
    service = start()
    with hanging(postgres, database):
        service.stop()
    for thread in threading.enumerate():
        if thread.name.startswith("slotd-end"):
            thread.join(_PATIENCE)
    assert postgres.execute("SELECT boot FROM servers", database=database.rpartition("/")[2]) == []


def test_the_second_signal_ends_the_process(serve: Serve, postgres: Cluster, database: str) -> None:
    server = serve("hangs", drain_timeout=3600)
    server.connect()
    with hanging(postgres, database):
        # Two that are not alike, for one that comes before the first is heeded counts as the same.
        server.signal(signal.SIGTERM)
        server.signal(signal.SIGINT)
        assert server.wait(_PATIENCE) == 0
