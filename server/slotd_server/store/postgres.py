"""The store that many servers share: one PostgreSQL database. See `shared.py` for what makes it right.

A server has one connection to write, on which its changes take turns with those of the others; one to renew its lease
and to listen; and a pool to read. Each is made anew when it is lost.
"""

import logging
import os
import secrets
import select
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from typing import Any, TypeAlias

import psycopg
from psycopg.types.numeric import Int8BinaryDumper
from psycopg_pool import ConnectionPool

from slotd_server.domain.clock import SharedClock
from slotd_server.domain.errors import StoreBroken, StoreUnavailable
from slotd_server.domain.job import SECOND
from slotd_server.domain.server import Contact, News, Status
from slotd_server.store.base import ANYTHING, Expected
from slotd_server.store.migrations import migrate_postgres
from slotd_server.store.postgres_errors import translated
from slotd_server.store.postgres_read import PostgresDialect, PostgresSnapshot, query
from slotd_server.store.postgres_write import PUT_TIMELINE, PostgresTransaction
from slotd_server.store.rows import Row
from slotd_server.store.shared import Run, SharedMemory, join, leave, refuse_the_past, renew, unknown
from slotd_server.store.url import postgres_options, shown

Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]

_CONNECT_SECONDS = 5
"""How long the database may take to answer a new connection."""

_POOL_SECONDS = 2.0
"""How long a reader waits for a connection while there is none."""

_READ_SECONDS = 60
"""How long a query may take."""

_DIALECT = PostgresDialect()

# A peer that is gone is noticed within some seconds, also in the middle of an answer.
_NETWORK = {
    "connect_timeout": _CONNECT_SECONDS,
    "keepalives_idle": 3,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
    "application_name": "slotd",
}

# A statement that is prepared while the tables are nearly empty would go on to read them whole when they are not, until
# they are analyzed; and where what a plan costs is that penalty alone, compiling it would take longer than running it.
_BY_INDEX = b"SET enable_seqscan = off; SET jit = off"

_TYPES = """SELECT relname, array_agg(format_type(atttypid, atttypmod) ORDER BY attnum)
    FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
    WHERE pg_class.oid IN (SELECT to_regclass(name) FROM unnest(?::text[]) AS name) AND attnum > 0 AND NOT attisdropped
    GROUP BY relname"""

# Of sessions of one's own role everybody may dispose.
_CUT_OFF = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE application_name = %s AND usename = current_user AND datname = current_database()"""

_TABLES = (
    *("jobs", "specs", "events", "outputs", "requests", "queues", "counters", "edges", "claims", "unsettled"),
    *("schedules", "held"),
)
"""Those that rows are added to by the many."""

# What psycopg and its pool have to say they say to standard error, where nobody has asked for it; the callers that it
# concerns say so too, with the rest of the log and in its form.
for _name in ("psycopg", "psycopg.pool"):
    logging.getLogger(_name).addHandler(logging.NullHandler())
    logging.getLogger(_name).propagate = False


class PostgresStore(SharedMemory):
    """A store in the database at `url`, for one server of many. `lease` in microseconds; `status` is what this server
    tells of itself; `readers` may read at once.

    Raises StoreTooOld and StoreTooNew for another schema, BadUrl, StoreUnavailable, and StoreBroken for what can't be
    mended by waiting.
    """

    shared = True

    def __init__(
        self,
        url: str,
        *,
        status: Callable[[], Status] = unknown,
        clock: SharedClock | None = None,
        lease: int = 15 * SECOND,
        readers: int = 4,
    ) -> None:
        super().__init__(secrets.token_hex(8))
        self.status = status
        self.lease = lease
        self.clock = clock or SharedClock()
        # Whether the writer's connection has been made since the database's last failover, for sure.
        self.knows_timeline = False
        self.types: dict[str, tuple[str, ...]] = {}
        self._options: dict[str, Any] = {**_NETWORK, **postgres_options(url)}
        self._writer: Connection | None = None
        self._listener: Connection | None = None
        self._notified: deque[str] = deque()
        self._woken, self._wake = os.pipe()
        os.set_blocking(self._wake, False)
        self._pool = ConnectionPool(
            kwargs=self._options | {"autocommit": True},
            configure=_reader,
            min_size=1,
            max_size=readers,
            timeout=_POOL_SECONDS,
            reconnect_timeout=0,
            open=False,
            name="slotd",
        )
        try:
            with translated():
                self.id = self._set_up(url)
                self.channel = f"slotd_{self.id}"
            self._pool.open()
        except BaseException:
            self.close()
            raise

    def begin(self, expected: Expected = ANYTHING) -> PostgresTransaction:
        return PostgresTransaction(self, expected)

    def writer(self) -> Connection:
        """The connection to write on. Raises StoreUnavailable, and StoreBroken where another store is there now."""
        if self._writer is None or self._writer.closed:
            with translated(), ExitStack() as stack:
                connection = self._connect()
                stack.callback(connection.close)
                # A server that stops in the midst of a change must not hold up the others for longer than its jobs.
                connection.execute(f"SET application_name = '{_writes(self.owner)}'".encode())
                connection.execute(f"SET idle_in_transaction_session_timeout = {self.lease // 2000}".encode())
                if connection.execute("SHOW synchronous_commit").fetchone() == ("off",):
                    connection.execute("SET synchronous_commit = on")
                found = connection.execute("SELECT value FROM meta WHERE key = 'store_id'").fetchone()
                if found != (self.id,):
                    raise StoreBroken("there is another store at this address now")
                stack.pop_all()
            self._writer = connection
            self.knows_timeline = False
            # The same version may have come about in another way, if there has been a failover.
            self.version = -1
        return self._writer

    @staticmethod
    def roll_back(connection: Connection) -> None:
        """Give up what the connection has begun."""
        try:
            connection.execute("ROLLBACK")
        except psycopg.Error:
            # Nothing more is to be had from it; the database ends by itself what it began.
            connection.close()

    @contextmanager
    def snapshot(self) -> Iterator[PostgresSnapshot]:
        with translated(), self._reading() as (connection, head):
            revision, oldest, version, boot = head
            snapshot = PostgresSnapshot(connection, revision, oldest)
            seen = self.seen
            # A snapshot older than what has been seen does not know that boot.
            if boot != seen.boot and (reached := snapshot.upto(seen.boot)) is not None:
                refuse_the_past(revision, seen, reached)
            self.saw(version, revision, boot)
            yield snapshot

    @contextmanager
    def _reading(self) -> Iterator[tuple[Connection, Row]]:
        """A connection in a transaction that has seen this head."""
        # All that the pool has may be dead, once the database was away.
        for _ in range(self._pool.max_size):
            with self._pool.connection() as connection:
                try:
                    head = _look(connection)
                except psycopg.OperationalError:
                    if connection.closed:
                        continue
                    raise
                try:
                    yield connection, head
                finally:
                    self.roll_back(connection)
                return
        raise StoreUnavailable

    def renew(self, status: Status) -> Contact:
        """Renew the lease, and look around. By one thread, which listens too. Raises StoreUnavailable."""
        with translated():
            return renew(_runs(self._listening()), _DIALECT, self.owner, status)

    def listen(self, seconds: float) -> list[News]:
        """News of changes as they come, within so many seconds; none where nothing happens. Raises StoreUnavailable."""
        with translated():
            connection = self._listening()
            found = self._notices(connection)
            if found:
                # They came with an answer, and nothing more may come.
                return found
            # Not select: it takes no descriptors from 1,024 on, and each caller has one.
            waits = select.poll()
            for descriptor in (connection.fileno(), self._woken):
                waits.register(descriptor, select.POLLIN)
            ready = [descriptor for descriptor, _ in waits.poll(seconds * 1000)]
            if self._woken in ready:
                os.read(self._woken, 1 << 16)
            connection.pgconn.consume_input()
            return self._notices(connection)

    def cut_off(self, server: str) -> None:
        """End what that server has begun to write and not ended: nothing else would, where it was stopped in the midst
        of a message. By the thread that renews. Raises StoreUnavailable."""
        with translated():
            self._listening().execute(_CUT_OFF, (_writes(server),))

    def wake(self) -> None:
        """End a `listen` that is under way, or the next one. From any thread."""
        if self._wake >= 0:
            # Where it is full, because the database keeps the listener busy, it is woken in any case.
            with suppress(BlockingIOError):
                os.write(self._wake, b"!")

    def close(self) -> None:
        """Say goodbye where that is possible, and hang up. Idempotent."""
        self._pool.close()
        for pipe in (self._woken, self._wake):
            if pipe >= 0:
                os.close(pipe)
        self._woken = self._wake = -1
        writer, self._writer = self._writer, None
        if writer is not None and not writer.closed:
            try:
                with writer.transaction():
                    leave(_runs(writer), self.owner)
            except psycopg.Error:
                # The others find out.
                pass
        for connection in (writer, self._listener):
            if connection is not None:
                connection.close()

    def _set_up(self, url: str) -> str:
        """Make the schema if there is none, and this server known. → the store's id."""
        connection = self._writer = self._connect()
        with connection.transaction():
            migrate_postgres(connection, shown(url), existing=False)
            connection.execute("INSERT INTO meta VALUES ('store_id', %s) ON CONFLICT DO NOTHING", (uuid.uuid4().hex,))
            ((store_id,),) = connection.execute("SELECT value FROM meta WHERE key = 'store_id'").fetchall()
            join(_runs(connection), _DIALECT, self, self.status(), self.lease)
            # Behind the head, as everybody locks them.
            connection.execute(query(PUT_TIMELINE))
        self.types = {
            table: tuple(types) for table, types in connection.execute(query(_TYPES), (list(_TABLES),)).fetchall()
        }
        connection.close()
        return str(store_id)

    def _listening(self) -> Connection:
        if self._listener is None or self._listener.closed:
            with ExitStack() as stack:
                listener = stack.enter_context(closing(self._connect()))
                # Those that come with an answer would else go where nobody looks, or nowhere.
                listener.add_notify_handler(lambda notice: self._notified.append(notice.payload))
                listener.execute(f'LISTEN "{self.channel}"'.encode())
                # One that does not hear would be kept for as long as it lasts.
                stack.pop_all()
                self._listener = listener
        return self._listener

    def _notices(self, connection: Connection) -> list[News]:
        """What has come: with the answers to statements, and by itself."""
        while notice := connection.pgconn.notifies():
            self._notified.append(notice.extra.decode())
        found = []
        while self._notified:
            revision, work, owner = self._notified.popleft().split()
            found.append(News(int(revision), work == "1" and owner != self.owner))
        return found

    def _connect(self) -> Connection:
        connection: Connection = psycopg.connect(**self._options, autocommit=True)
        connection.adapters.register_dumper(int, Int8BinaryDumper)
        connection.execute(_BY_INDEX)
        return connection


def _writes(server: str) -> str:
    """What the session is called in which a server writes."""
    return f"slotd {server}"


def _reader(connection: Connection) -> None:
    connection.adapters.register_dumper(int, Int8BinaryDumper)
    connection.execute(f"SET jit = off; SET statement_timeout = {_READ_SECONDS * 1000}".encode())


def _look(connection: Connection) -> Row:
    """Begin to read, and the head as it is then."""
    with connection.pipeline():
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        head = connection.execute("SELECT revision, oldest, version, boot FROM head").fetchone()
    assert head is not None
    return head


def _runs(connection: Connection) -> Run:
    def run(*statements: tuple[str, Sequence[Any]]) -> list[list[Row]]:
        with connection.pipeline():
            cursors = [connection.execute(query(sql), values) for sql, values in statements]
        return [list(cursor.fetchall()) if cursor.description else [] for cursor in cursors]

    return run
