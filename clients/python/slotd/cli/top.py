"""`slotd top`: the service live in the terminal, or once for scripts."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import TypeVar

import click

from slotd import aio
from slotd.cli import documents
from slotd.cli.errors import Failure, Status
from slotd.cli.session import Session, shared_options

T = TypeVar("T")

# Seconds for a call: the view rather asks again than waits for long.
_TIMEOUT = 10.0


@click.command()
@click.option("--once", is_flag=True, help="Print how things are, once, and end.")
@shared_options()
@click.pass_obj
def top(session: Session, *, once: bool) -> None:
    """Show slots, queues and jobs live; cancel, retry, delete, pause and resize by keys.

    Press ? for the keys. It needs a terminal; --once does not, and with -o json prints one object.
    """
    if once:
        _print(session)
    elif session.json:
        raise click.UsageError("-o json goes with --once")
    elif not (session.live and sys.stdin.isatty() and sys.stderr.isatty()):
        # Textual reads keys from standard input and draws on standard error.
        raise click.UsageError("slotd top needs a terminal: slotd top --once prints how things are, once")
    else:
        _view(session)


# Both import what they need only here: no other command has to wait for that.


def _print(session: Session) -> None:
    from slotd.top import snapshot

    state = _with_client(session, snapshot.taken)
    if session.json:
        session.print(documents.text(snapshot.document(state)))
    else:
        snapshot.draw(session.console, state)


def _view(session: Session) -> None:
    try:
        from slotd.top.app import TopApp
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] != "textual":
            raise
        raise Failure("slotd top needs textual: install 'slotd[cli]'", Status.USAGE) from missing
    from slotd.top.state import State

    async def view(client: aio.Client) -> int | None:
        app = TopApp(client, State(client.address))
        await app.run_async()
        return app.return_code

    status = _with_client(session, view)
    if status:
        raise click.exceptions.Exit(status)


def _with_client(session: Session, use: Callable[[aio.Client], Awaitable[T]]) -> T:
    async def run() -> T:
        async with aio.Client(session.address, timeout=_TIMEOUT) as client:
            return await use(client)

    try:
        return asyncio.run(run())
    except ValueError as error:
        raise click.UsageError(str(error)) from None
