"""What goes wrong between a server and its database, and whether it may be tried again."""

from contextlib import closing

import psycopg
import pytest
from psycopg import errors

from slotd_server.domain.errors import StoreBroken, StoreFull, StoreUnavailable
from slotd_server.store.postgres import PostgresStore
from slotd_server.store.postgres_errors import meaning
from tests.postgres import Cluster


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (errors.AdminShutdown, StoreUnavailable),
        (errors.QueryCanceled, StoreUnavailable),
        (errors.SerializationFailure, StoreUnavailable),
        (errors.TooManyConnections, StoreUnavailable),
        (psycopg.InterfaceError, StoreUnavailable),
        (errors.ReadOnlySqlTransaction, StoreUnavailable),
        (errors.InFailedSqlTransaction, StoreUnavailable),
        (errors.IdleInTransactionSessionTimeout, StoreUnavailable),
        (errors.DiskFull, StoreFull),
        (errors.UndefinedTable, StoreBroken),
        (errors.DataCorrupted, StoreBroken),
        (errors.InsufficientPrivilege, StoreBroken),
    ],
)
def test_what_errors_mean(error: type[psycopg.Error], expected: type[Exception]) -> None:
    assert type(meaning(error())) is expected


def test_a_change_that_was_thrown_out_because_it_stood_still_may_be_tried_again(
    database: str, postgres: Cluster
) -> None:
    with closing(PostgresStore(database)) as store:
        change = store.begin()
        assert store._writer is not None
        store._writer.execute("SET idle_in_transaction_session_timeout = 1")
        its_backend = f"SELECT 1 FROM pg_stat_activity WHERE pid = {store._writer.info.backend_pid}"
        while postgres.execute(its_backend):
            pass
        with pytest.raises(StoreUnavailable):
            change.job("one")
        change.rollback()
        again = store.begin()
        assert again.job("one") is None
        again.rollback()
