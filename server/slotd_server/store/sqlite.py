"""The embedded store: one SQLite file, one server. WAL with synchronous=FULL, so that a commit survives a power cut.

The one server may keep in memory what it alone changes (the counters, the queues, its running jobs); the file is read
for the rest. Checkpoints are asked for here and not left to SQLite, which would pass over a failing sync in silence.
"""

import secrets
import sqlite3
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue

from slotd_server.domain.errors import StoreFull, StoreUnavailable
from slotd_server.domain.job import Job, priority_of, rank_below
from slotd_server.domain.queue import Counters
from slotd_server.store.base import ANYTHING, Expected
from slotd_server.store.migrations import migrate_sqlite
from slotd_server.store.rows import read_queue
from slotd_server.store.sql_write import Memory
from slotd_server.store.sqlite_ahead import Ahead
from slotd_server.store.sqlite_errors import translated
from slotd_server.store.sqlite_file import locate, take_lock
from slotd_server.store.sqlite_read import REVISIONS, SqliteSnapshot
from slotd_server.store.sqlite_write import SqliteTransaction

MEMORY = ":memory:"

CHECKPOINT_BYTES = 8 << 20
"""About how much is written between two checkpoints."""

# In "PRAGMA synchronous" terms. NORMAL lost acknowledged jobs in 27 of 40 power cuts, FULL in none.
_SYNC = {False: "FULL", True: "OFF"}


# For each value that is neither a number nor a text the module looks for a way to adapt it, which for these two, the
# most frequent, ends in an AttributeError that is made and thrown away: a tenth of what a change costs. What adapts
# them leaves them as they are.
sqlite3.register_adapter(bytes, bytes)
_NONE: dict[None, None] = {}
sqlite3.register_adapter(type(None), _NONE.get)


class SqliteStore(Memory):
    """A store on the file at `path`, or on a temporary one for ":memory:".

    Raises StoreInUse when another server has it, StoreTooNew when a later version wrote it, and OSError when there is
    no such folder or it can't be written.
    """

    shared = False

    def __init__(self, path: str) -> None:
        super().__init__(secrets.token_hex(8))
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        volatile = path == MEMORY
        if volatile:
            # Several connections with snapshot isolation need a file; this one is never synced and goes with the store.
            self._folder = tempfile.TemporaryDirectory(prefix="slotd-")
            path = str(Path(self._folder.name) / "memory.db")
        self._path = locate(path)
        self._lock = take_lock(self._path)
        self._readers: SimpleQueue[sqlite3.Connection] = SimpleQueue()
        self._connections: list[sqlite3.Connection] = [self._lock]
        try:
            with translated():
                self.writer = self._connect()
                self.writer.execute(f"PRAGMA synchronous = {_SYNC[volatile]}")
                migrate_sqlite(self.writer, self._path)
                self.id = self._identity()
                self._load()
                self.writer.execute("INSERT INTO boots (id, start) VALUES (?, ?)", (self.owner, self.revision))
        except BaseException:
            self.close()
            raise

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, isolation_level=None, check_same_thread=False, cached_statements=512, timeout=10
        )
        self._connections.append(connection)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("PRAGMA cache_size = -32768")
        return connection

    def _identity(self) -> str:
        self.writer.execute("INSERT OR IGNORE INTO meta VALUES ('store_id', ?)", (uuid.uuid4().hex,))
        (identity,) = self.writer.execute("SELECT value FROM meta WHERE key = 'store_id'").fetchone()
        return str(identity)

    def _load(self) -> None:
        first, last = self.writer.execute(REVISIONS).fetchone()
        self.oldest = first or 1
        self.revision = last or 0
        self.live: dict[int, Job] = {}
        self.queues = {name: read_queue(settings) for name, settings in self.writer.execute("SELECT * FROM queues")}
        self.counters = {
            (queue, kind): Counters(*numbers) for queue, kind, *numbers in self.writer.execute("SELECT * FROM counters")
        }
        self.ahead = Ahead()
        self.turns = dict(self.writer.execute("SELECT queue, turn FROM keys WHERE key = ''"))
        self.unsettled = self.writer.execute("SELECT 1 FROM unsettled LIMIT 1").fetchone() is not None
        # Of all that wait, and ever did since the start.
        self.priorities: set[int] = self._priorities()
        # What earlier servers left in the log, which may all have died young, counts too.
        log = Path(f"{self._path}-wal")
        self._unsynced = log.stat().st_size if log.exists() else 0

    def _priorities(self) -> set[int]:
        found: set[int] = set()
        for queue, kind in list(self.counters):
            rank: int | None = -(1 << 62)
            while rank is not None:
                (rank,) = self.writer.execute(
                    "SELECT MIN(rank) FROM jobs WHERE state = 3 AND queue = ? AND kind = ? AND rank >= ?",
                    (queue, kind, rank),
                ).fetchone()
                if rank is not None:
                    priority = priority_of(rank)
                    found.add(priority)
                    rank = rank_below(priority)
        return found

    @property
    def boot(self) -> str:
        return self.owner

    def begin(self, expected: Expected = ANYTHING) -> SqliteTransaction:  # noqa: ARG002 - nothing is far away here
        return SqliteTransaction(self)

    def wrote(self, size: int) -> None:
        """After a commit of about `size` bytes: checkpoint when it is time.

        Raises StoreBroken where that fails but for a full disk or a lock, which is no harm: the log keeps what it has.
        """
        self._unsynced += size
        if self._unsynced < CHECKPOINT_BYTES:
            return
        self._unsynced = 0
        try:
            with translated():
                self.writer.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        except (StoreFull, StoreUnavailable):
            return

    @contextmanager
    def snapshot(self) -> Iterator[SqliteSnapshot]:
        try:
            connection = self._readers.get_nowait()
        except Empty:
            with translated():
                connection = self._connect()
        try:
            with translated():
                connection.execute("BEGIN")
                yield SqliteSnapshot(connection)
        finally:
            connection.rollback()
            self._readers.put(connection)

    def close(self) -> None:
        """Let go of the file. Idempotent."""
        # The lock was first, and goes last.
        for connection in reversed(self._connections):
            connection.close()
        if self._folder is not None:
            self._folder.cleanup()
