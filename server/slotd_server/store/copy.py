"""Copying a whole store to an empty one, of the same engine or the other, and making sure that it arrived.

Both schemas have the same tables and columns, with the same values in them, so a row is a row: nothing here knows what
it means. Jobs keep their sequence, events their revisions, and the store its id and the servers that it has had: so
cursors stay good. A job that ran keeps its owner, a server that will not come back: the next start gives it back.

The source is read at one point in time while nobody may change it. The destination is written, and read back, in one
transaction, which is committed only if all rows of each table are there and have the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple, Protocol, TypeAlias

import msgspec

Row: TypeAlias = tuple[Any, ...]

TABLES: dict[str, tuple[str, ...]] = {
    "meta": ("key",),
    "boots": ("number",),
    "specs": ("seq",),
    "jobs": ("seq",),
    "events": ("revision",),
    "outputs": ("seq", "start"),
    "requests": ("request_id",),
    "queues": ("name",),
    "counters": ("queue", "kind"),
    "relabelled": ("seq",),
    "edges": ("target", "seq"),
    "claims": ("path", "own", "exclusive", "held", "seq"),
    "behind": ("seq",),
    "keys": ("queue", "key"),
    "key_waits": ("queue", "key", "rank", "seq"),
    "rates": ("queue",),
    "members": ("name", "seq"),
    "groups": ("name",),
    "uniques": ("key",),
    "unsettled": ("target", "seq"),
    "retained": ("queue", "revision"),
    "schedules": ("name",),
    "schedule_settings": ("name",),
}
"""What is copied, each with its primary key, in whose order it is read."""

OWN_KEYS = ("schema", "timeline")
"""The rows of `meta` that are PostgreSQL's own: which migration ran last, and on which timeline the store is."""


class CopyError(Exception):
    """Nothing was copied; the message says why."""


class Digest(NamedTuple):
    """What a table holds: how many rows, and a hash over all of them in the order of their keys."""

    rows: int
    hash: str

    def __str__(self) -> str:
        return f"{self.rows} rows ({self.hash})"


class Source(Protocol):
    """A store that nobody else changes for as long as it is open."""

    def columns(self, table: str) -> Sequence[str]: ...

    def rows(self, table: str, columns: Sequence[str]) -> Iterable[Row]:
        """What `select` answers."""


class Destination(Source, Protocol):
    """An empty store in an open transaction, of which nothing is left unless it is committed."""

    def write(self, table: str, columns: Sequence[str], rows: Iterable[Row]) -> None: ...

    def commit(self) -> None:
        """Add what is derived from the rows, and make all durable."""


def copy(source: Source, destination: Destination) -> Iterator[tuple[str, int]]:
    """Copy table by table; each with the number of its rows as it is done. Durable when there are no more.

    Raises CopyError, also where the destination is not empty.
    """
    for table in TABLES:
        if any(True for _ in destination.rows(table, destination.columns(table))):
            raise CopyError(f"the destination is not empty: it has rows in {table}")
    for table in TABLES:
        yield table, copy_table(table, source, destination)
    destination.commit()


def copy_table(table: str, source: Source, destination: Destination) -> int:
    """Copy one table and read it back. → how many rows it has. Raises CopyError."""
    columns = list(source.columns(table))
    if columns != list(destination.columns(table)):
        raise CopyError(f"table {table} has other columns at the destination")
    sent = Tally()
    destination.write(table, columns, sent.over(source.rows(table, columns)))
    arrived = Tally()
    for _ in arrived.over(destination.rows(table, columns)):
        pass
    if arrived.digest() != sent.digest():
        raise CopyError(f"table {table} arrived as {arrived.digest()}, and was sent as {sent.digest()}")
    return sent.digest().rows


class Tally:
    """Makes the digest of rows as they pass."""

    def __init__(self) -> None:
        self._rows = 0
        self._hash = blake2b(digest_size=16)

    def over(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The same rows."""
        # MessagePack says of each value what it is and how long, so that no two different rows have the same bytes.
        encode = msgspec.msgpack.Encoder().encode
        for row in rows:
            self._rows += 1
            self._hash.update(encode(row))
            yield row

    def digest(self) -> Digest:
        """Of the rows that have passed."""
        return Digest(self._rows, self._hash.hexdigest())


def select(table: str, columns: Sequence[str]) -> str:
    """All rows that are copied, by primary key. It is the same in both engines, where texts go by their bytes."""
    where = f" WHERE key NOT IN {OWN_KEYS}" if table == "meta" else ""
    return f"SELECT {', '.join(columns)} FROM {table}{where} ORDER BY {', '.join(TABLES[table])}"
