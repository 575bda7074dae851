"""`slotd migrate` and `slotd copy`: what is done to a store while no server has it. They work on the store itself."""

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager

import click

from slotd_server.domain.errors import StoreInUse, StoreTooNew, StoreTooOld, StoreUnavailable
from slotd_server.store.copy import CopyError, Destination, Source
from slotd_server.store.copy import copy as copied
from slotd_server.store.copy_sqlite import sqlite_destination, sqlite_source
from slotd_server.store.migrations import migrate_postgres, migrate_sqlite
from slotd_server.store.sqlite_file import locate, take_lock
from slotd_server.store.url import FORMS, BadUrl, is_postgres, postgres_options, shown, sqlite_path

_MEMORY = ":memory:"

_EXPECTED = (CopyError, StoreInUse, StoreTooNew, StoreTooOld, StoreUnavailable, BadUrl, OSError, sqlite3.Error)
"""What may go wrong with a store. Its words are the user's."""


@click.command()
@click.option("--store", metavar="URL", required=True, envvar="SLOTD_STORE", show_envvar=True, help=FORMS)
def migrate(store: str) -> None:
    """Bring a store to the schema that this version works with.

    Names the migrations that ran. A new store gets its tables; one that a later version wrote is refused.
    """
    with _told():
        path = _path(store)
        ran = _migrate_postgres(store) if path is None else _migrate_sqlite(path)
    for name in ran:
        click.echo(name)
    if not ran:
        click.echo("nothing to do")


@click.command()
@click.argument("source", metavar="FROM")
@click.argument("destination", metavar="TO")
@click.option(
    "--force",
    is_flag=True,
    help="Copy from PostgreSQL though servers are listed there: you know that they were killed.",
)
def copy(source: str, destination: str, force: bool) -> None:
    """Copy a store to an empty one: from SQLite to PostgreSQL, or back, or to another of its kind.

    \b
    slotd copy sqlite:///slotd.db postgresql://slotd@db.example/slotd

    No server may have either. All is read back and compared before it is kept; where anything differs or fails, the
    destination stays as empty as it was. Cursors and ids stay good: go on with one of the two stores, not with both.
    """
    if source == destination:
        raise click.UsageError("FROM and TO are the same")
    tables = rows = 0
    with _told(), _source(source, force=force) as there, _destination(destination) as here:
        for table, count in copied(there, here):
            if count:
                click.echo(f"{table}: {count}")
                tables, rows = tables + 1, rows + count
    click.echo(f"copied and verified: {rows} rows in {tables} tables, from {shown(source)} to {shown(destination)}")


def _source(url: str, *, force: bool) -> AbstractContextManager[Source]:
    path = _path(url)
    if path is not None:
        return sqlite_source(path)
    postgres_options(url)
    from slotd_server.store.copy_postgres import postgres_source

    return postgres_source(url, force=force)


def _destination(url: str) -> AbstractContextManager[Destination]:
    path = _path(url)
    if path is not None:
        return sqlite_destination(path)
    postgres_options(url)
    from slotd_server.store.copy_postgres import postgres_destination

    return postgres_destination(url)


def _path(url: str) -> str | None:
    """The file of a SQLite store; None for PostgreSQL. Raises BadUrl for what is neither."""
    path = sqlite_path(url)
    if path == _MEMORY or (path is None and not is_postgres(url)):
        raise BadUrl(f"{shown(url)}: it is {FORMS}")
    return path


def _migrate_sqlite(path: str) -> list[str]:
    file = locate(path)
    with closing(take_lock(file)), closing(sqlite3.connect(file, isolation_level=None)) as connection:
        return migrate_sqlite(connection, file)


def _migrate_postgres(url: str) -> list[str]:
    options = postgres_options(url)
    import psycopg

    try:
        with psycopg.connect(**{"application_name": "slotd migrate", **options}) as connection:
            return migrate_postgres(connection, shown(url))
    except psycopg.Error as error:
        raise StoreUnavailable(f"{shown(url)}: {error}") from error


@contextmanager
def _told() -> Iterator[None]:
    """Ends the command with a message, and status 1, for what is expected to go wrong."""
    try:
        yield
    except _EXPECTED as error:
        raise click.ClickException(str(error)) from error
