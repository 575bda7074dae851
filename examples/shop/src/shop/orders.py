"""Orders, in a SQLite file. Whoever places one gets its jobs submitted."""

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import slotd

_TABLES = """
CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY, customer TEXT NOT NULL, paid_on TEXT);
CREATE TABLE IF NOT EXISTS lines (order_id INTEGER NOT NULL, article TEXT NOT NULL, cents INTEGER NOT NULL);
"""


@dataclass(frozen=True)
class Order:
    """What a customer wants; prices in cents."""

    id: int
    customer: str
    lines: Mapping[str, int]

    @property
    def total(self) -> int:
        """In cents."""
        return sum(self.lines.values())


def folder() -> Path:
    """Where the shop keeps its files."""
    return Path(os.environ["SHOP_FOLDER"])


def place(client: slotd.Client, customer: str, lines: Mapping[str, int]) -> Order:
    """Take an order: it is charged, and once it is paid, its invoice is written."""
    with _database() as database:
        number = database.execute("INSERT INTO orders (customer) VALUES (?)", (customer,)).lastrowid
        assert number is not None
        rows = [(number, article, cents) for article, cents in lines.items()]
        database.executemany("INSERT INTO lines VALUES (?, ?, ?)", rows)
    labels = {"customer": customer}
    client.submit_batch(
        {
            "charge": slotd.spec("charge", {"order": number}, queue="payments", labels=labels),
            "invoice": slotd.spec("invoice", {"order": number}, labels=labels, depends_on="charge"),
        }
    )
    return Order(number, customer, lines)


def find(number: int) -> Order | None:
    """The order of that number, if there is one."""
    with _database() as database:
        row = database.execute("SELECT customer FROM orders WHERE id = ?", (number,)).fetchone()
        lines = database.execute("SELECT article, cents FROM lines WHERE order_id = ?", (number,)).fetchall()
    return None if row is None else Order(number, row[0], dict(lines))


def mark_paid(number: int) -> None:
    """It has been paid today."""
    day = datetime.now(UTC).date().isoformat()
    with _database() as database:
        database.execute("UPDATE orders SET paid_on = ? WHERE id = ?", (day, number))


def takings() -> list[tuple[str, int, int]]:
    """Of each day: how many orders were paid, and how many cents came in."""
    with _database() as database:
        return database.execute(
            "SELECT paid_on, count(DISTINCT id), sum(cents) FROM orders JOIN lines ON order_id = id"
            " WHERE paid_on IS NOT NULL GROUP BY paid_on ORDER BY paid_on"
        ).fetchall()


@contextmanager
def _database() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(folder() / "shop.db")) as connection, connection:
        connection.executescript(_TABLES)
        yield connection
