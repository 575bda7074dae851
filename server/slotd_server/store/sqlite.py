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
from importlib import resources
from pathlib import Path
from queue import Empty, SimpleQueue

from slotd_server.domain.errors import StoreFull, StoreInUse, StoreTooNew
from slotd_server.domain.job import Job, priority_of, rank_below
from slotd_server.domain.queue import Counters, Queue
from slotd_server.store.rows import read_queue
from slotd_server.store.sqlite_ahead import Ahead
from slotd_server.store.sqlite_errors import translated
from slotd_server.store.sqlite_read import REVISIONS, SqliteSnapshot
from slotd_server.store.sqlite_write import SqliteTransaction

MEMORY = ":memory:"
SCHEMA = 3
"""The newest migration in sql/sqlite."""

CHECKPOINT_BYTES = 8 << 20
"""About how much is written between two checkpoints."""

# In "PRAGMA synchronous" terms. NORMAL lost acknowledged jobs in 27 of 40 power cuts, FULL in none.
_SYNC = {False: "FULL", True: "OFF"}


class SqliteStore:
    """A store on the file at `path`, or on a temporary one for ":memory:".

    Raises StoreInUse when another server has it, StoreTooNew when a later version wrote it, and OSError when there is
    no such folder or it can't be written.
    """

    def __init__(self, path: str) -> None:
        self.owner = secrets.token_hex(8)
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        volatile = path == MEMORY
        if volatile:
            # Several connections with snapshot isolation need a file; this one is never synced and goes with the store.
            self._folder = tempfile.TemporaryDirectory(prefix="slotd-")
            path = str(Path(self._folder.name) / "memory.db")
        self._path = str(Path(path).resolve())
        if not Path(self._path).parent.is_dir():
            raise FileNotFoundError(f"there is no folder {Path(self._path).parent}")
        self._lock = self._take_lock()
        self._readers: SimpleQueue[sqlite3.Connection] = SimpleQueue()
        self._connections: list[sqlite3.Connection] = [self._lock]
        try:
            with translated():
                self.writer = self._connect()
                self.writer.execute(f"PRAGMA synchronous = {_SYNC[volatile]}")
                self._migrate()
                self.id = self._identity()
                self._load()
                self.writer.execute("INSERT INTO boots (id, start) VALUES (?, ?)", (self.owner, self.revision))
        except BaseException:
            self.close()
            raise

    def _take_lock(self) -> sqlite3.Connection:
        # A lock of the operating system, in a file of its own: it goes with the process, however that ends, and holds
        # on every platform that SQLite runs on.
        lock = sqlite3.connect(f"{self._path}-owner", isolation_level=None, timeout=0, check_same_thread=False)
        try:
            lock.execute("PRAGMA journal_mode = MEMORY")
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            lock.close()
            if error.sqlite_errorname.startswith("SQLITE_BUSY"):
                raise StoreInUse(f"another server has {self._path}") from None
            raise OSError(f"cannot write beside {self._path}: {error}") from None
        return lock

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, isolation_level=None, check_same_thread=False, cached_statements=512, timeout=10
        )
        self._connections.append(connection)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("PRAGMA cache_size = -32768")
        return connection

    def _migrate(self) -> None:
        (version,) = self.writer.execute("PRAGMA user_version").fetchone()
        if version > SCHEMA:
            raise StoreTooNew(f"{self._path} has schema {version}; this version knows up to {SCHEMA}")
        folder = resources.files("slotd_server.store") / "sql" / "sqlite"
        for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
            number = int(file.name[:4])
            if number > version:
                script = file.read_text(encoding="utf-8")
                self.writer.executescript(f"BEGIN; {script}; PRAGMA user_version = {number}; COMMIT")

    def _identity(self) -> str:
        self.writer.execute("INSERT OR IGNORE INTO meta VALUES ('store_id', ?)", (uuid.uuid4().hex,))
        (identity,) = self.writer.execute("SELECT value FROM meta WHERE key = 'store_id'").fetchone()
        return str(identity)

    def _load(self) -> None:
        first, last = self.writer.execute(REVISIONS).fetchone()
        self.oldest = first or 1
        self.revision = last or 0
        self.live: dict[int, Job] = {}
        self.queues: dict[str, Queue] = {
            name: read_queue(settings) for name, settings in self.writer.execute("SELECT * FROM queues")
        }
        self.counters: dict[tuple[str, str], Counters] = {
            (queue, kind): Counters(*numbers) for queue, kind, *numbers in self.writer.execute("SELECT * FROM counters")
        }
        self.ahead = Ahead()
        self.turns: dict[str, int] = dict(self.writer.execute("SELECT queue, turn FROM keys WHERE key = ''"))
        self.unsettled = self.writer.execute("SELECT 1 FROM unsettled LIMIT 1").fetchone() is not None
        # Of all that wait, and ever did since the start.
        self.priorities: set[int] = self._priorities()
        self._unsynced = 0

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

    def begin(self) -> SqliteTransaction:
        return SqliteTransaction(self)

    def wrote(self, size: int) -> None:
        """After a commit of about `size` bytes: checkpoint when it is time.

        Raises StoreBroken where that fails but for a full disk, which is no harm: the log keeps what it has.
        """
        self._unsynced += size
        if self._unsynced < CHECKPOINT_BYTES:
            return
        self._unsynced = 0
        try:
            with translated():
                self.writer.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        except StoreFull:
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
