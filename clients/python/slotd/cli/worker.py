"""The command `worker`: runs handlers for a service elsewhere."""

import os
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable
from datetime import timedelta
from enum import Enum, auto
from queue import SimpleQueue
from typing import NoReturn, get_args

import click

import slotd
from slotd import logs, trace_export
from slotd.cli.arguments import duration
from slotd.cli.errors import Status, failure
from slotd.cli.session import Session
from slotd.handlers import Isolation, load

_LAST_SECONDS = 3.0
"""How long a worker that is to end at once may take to give its jobs back: less than until it would leave without an
answer, for the exit status says which it was."""

_TRACES_SECONDS = 3.0
"""How long it may take in the end to send off what is left of the spans."""

_LEVELS = ("debug", "info", "warning", "error")
_FORMATS = ("auto", "json", "text")


@click.command()
@click.argument("modules", nargs=-1, metavar="MODULE …")
@click.option(
    "--address",
    "addresses",
    metavar="HOST:PORT[,…]",
    help="The service, or unix:PATH; several, with commas, for services on the same store.",
)
@click.option(
    "--slots",
    type=click.IntRange(0, 10_000),
    default=4 * (os.cpu_count() or 1),
    envvar="SLOTD_SLOTS",
    show_envvar=True,
    help="How many jobs run at once.",
)
@click.option(
    "--name", envvar="SLOTD_WORKER_NAME", show_envvar=True, help="What it calls itself.  [default: the host's name]"
)
@click.option(
    "--drain-timeout",
    type=duration,
    default="30",
    envvar="SLOTD_DRAIN_TIMEOUT",
    show_envvar=True,
    metavar="DURATION",
    help="How long running jobs may take to end when it stops.",
)
@click.option(
    "--isolation",
    type=click.Choice(get_args(Isolation)),
    default="thread",
    envvar="SLOTD_ISOLATION",
    show_envvar=True,
    help="Where handlers run that don't say.",
)
@click.option(
    "--allow-command",
    "commands",
    multiple=True,
    metavar="PATH",
    help="An executable that jobs of the kind `command` may run; may be given again.",
)
@click.option(
    "--traces",
    type=click.Choice(["otlp"]),
    envvar="SLOTD_TRACES",
    show_envvar=True,
    help="Send spans to where the OTEL_… variables say.",
)
@click.option("--log-level", type=click.Choice(_LEVELS), default="info", envvar="SLOTD_LOG_LEVEL", show_envvar=True)
@click.option(
    "--log-format",
    type=click.Choice(_FORMATS),
    default="text",
    envvar="SLOTD_LOG_FORMAT",
    show_envvar=True,
    help="auto is text on a terminal, else json.",
)
@click.pass_obj
def worker(
    session: Session,
    *,
    modules: tuple[str, ...],
    addresses: str | None,
    slots: int,
    name: str | None,
    drain_timeout: timedelta,
    isolation: Isolation,
    commands: tuple[str, ...],
    traces: str | None,
    log_level: str,
    log_format: str,
) -> None:
    """Run jobs for a service, with the handlers of modules.

    Each MODULE, a dotted name or a .py file, registers handlers, as for `slotd serve`. Prints one line once it is
    connected: "slotd worker ID connected". SIGTERM or SIGINT lets running jobs end, gives the rest back, and
    stops it; twice, gives them back at once; three times, waits for nothing.
    """
    logs.configure(log_level, log_format)
    addresses = addresses or session.address
    for module in modules:
        try:
            load(module)
        except Exception as error:
            raise click.UsageError(f"cannot load {module}: {type(error).__name__}: {error}") from error
    if traces:
        _send_traces()
    try:
        made = slotd.Worker(
            addresses.split(","),
            slots=slots,
            name=name,
            modules=modules,
            isolation=isolation,
            commands=commands or _listed(os.environ.get("SLOTD_COMMANDS", "")),
            drain_timeout=drain_timeout.total_seconds(),
        )
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    _run(made, addresses)


def _send_traces() -> None:
    try:
        trace_export.start()
    except ImportError as error:
        raise click.UsageError(f"traces need OpenTelemetry: install 'slotd[traces]' ({error})") from error
    except ValueError as error:
        raise click.UsageError(f"cannot send traces: {error}") from error


class _Event(Enum):
    CONNECTED = auto()
    SIGNAL = auto()
    ENDED = auto()


def _run(made: slotd.Worker, addresses: str) -> NoReturn:
    """Run a worker, with this thread for the signals, and exit with it."""
    events: SimpleQueue[_Event] = SimpleQueue()
    _heed_signals(lambda: events.put(_Event.SIGNAL))
    status: list[int] = []

    def work() -> None:
        status.append(_work(made, addresses))
        events.put(_Event.ENDED)

    def await_connection() -> None:
        made.wait_connected()
        events.put(_Event.CONNECTED)

    threading.Thread(target=work, name="slotd-worker", daemon=True).start()
    threading.Thread(target=await_connection, daemon=True).start()
    signals = 0
    while (event := events.get()) is not _Event.ENDED:
        if event is _Event.CONNECTED:
            click.echo(f"slotd worker {made.worker_id} connected")
            sys.stdout.flush()
            continue
        signals += 1
        if signals > 2:
            break
        made.stop(None if signals == 1 else 0)
        if signals == 2:
            last = threading.Timer(_LAST_SECONDS, events.put, (_Event.ENDED,))
            last.daemon = True
            last.start()
    sys.stderr.flush()
    # A function that did not stop still has its thread, and nothing that it does may hold up the end.
    os._exit(status[0] if status else Status.INTERRUPTED)


def _heed_signals(heed: Callable[[], object]) -> None:
    """Calls `heed` on a thread for each signal that is to stop the worker."""
    # Handlers of Python run on the main thread alone, which notices nothing while it waits, if the signal has come to
    # another thread or just before it began to wait. The byte for the wake-up is written at once, wherever that was.
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    signal.set_wakeup_fd(writer.fileno())
    numbers = (signal.SIGTERM, signal.SIGINT)
    for number in numbers:
        signal.signal(number, lambda _, __: None)

    def read() -> None:
        # The end that is written to has to stay open: nobody else holds it.
        with reader, writer:
            while number := reader.recv(1):
                if number[0] in numbers:
                    heed()

    threading.Thread(target=read, name="slotd-signals", daemon=True).start()


def _work(made: slotd.Worker, addresses: str) -> int:
    """Run it to its end; the exit status."""
    try:
        made.run()
    except slotd.Error as error:
        end = failure(error, addresses)
        end.show()
        return end.exit_code
    except BaseException:  # noqa: BLE001 - it is shown, and ends the process
        traceback.print_exc()
        return 1
    finally:
        trace_export.shutdown(_TRACES_SECONDS)
    return Status.OK


def _listed(words: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in words.split(",") if word.strip())
