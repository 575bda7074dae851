"""A server as a process of its own: it loads handlers, heeds signals, and says on stdout and in a file where it is."""

import asyncio
import signal
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import structlog

from slotd import trace_export
from slotd.handlers import Handler, load, registered
from slotd_server.app import Server, StartError
from slotd_server.domain.errors import ServiceError
from slotd_server.settings import Settings, SettingsError
from slotd_server.transitions import TransitionLog

log = structlog.get_logger()

_TRACES_SECONDS = 3
"""How long it may take in the end to send off what is left of the spans."""

_APPLY_SECONDS = 1
"""How long it may take until settings hold that were read anew, before somebody is told that they do not yet."""


async def run(settings: Settings, modules: Sequence[str], reload: Callable[[], Settings]) -> int:
    """Serve until a signal, or until the store breaks or the ready file can't be written. Returns the exit status.

    SIGTERM and SIGINT drain, a second one stops at once; on SIGHUP `reload` yields the settings anew, of which those
    are applied that may change while it runs. Raises StartError.
    """

    ready_file = Path(settings.ready_file) if settings.ready_file else None

    def opened() -> None:
        if ready_file is not None:
            # One that a server left behind that was killed would send callers to where nobody is.
            _forget(ready_file)

    if ready_file is not None:
        _check(ready_file)
    handlers = _load_handlers(modules)
    # Where nobody reads them, they are not even made.
    observers = [TransitionLog()] if settings.log_level == "debug" else []
    async with (
        _sending_traces(settings),
        Server(settings, handlers, modules=modules, opened=opened, observers=observers) as server,
    ):
        _heed_signals(server, reload)
        print(f"slotd listening on {server.address}", flush=True)
        if server.http_url:
            print(f"slotd dashboard on {server.http_url}", flush=True)
        announced = ready_file is None or await _announce(server, ready_file)
        if announced:
            await server.asked_to_stop()
    if server.failure is not None:
        log.error("stopped, so that nothing is acknowledged that is not kept", cause=str(server.failure))
        return 1
    log.info("stopped")
    return 0 if announced else 1


def _load_handlers(modules: Sequence[str]) -> dict[str, Handler]:
    for module in modules:
        try:
            load(module)
        except Exception as error:
            raise StartError(f"cannot load {module}: {type(error).__name__}: {error}") from error
    return registered()


@asynccontextmanager
async def _sending_traces(settings: Settings) -> AsyncIterator[None]:
    if settings.traces:
        try:
            trace_export.start()
        except ImportError as error:
            raise StartError(f"traces need OpenTelemetry: install 'slotd[traces]' ({error})") from error
        except ValueError as error:
            raise StartError(f"cannot send traces: {error}") from error
    try:
        yield
    finally:
        # Also where a module of handlers has set up OpenTelemetry: this process ends without its exit handlers.
        await asyncio.to_thread(trace_export.shutdown, _TRACES_SECONDS)


def _check(ready_file: Path) -> None:
    """Raises StartError where it is plain already that it can't be written. It is left as it is: whoever finds it there
    takes the service to be ready."""
    try:
        if ready_file.is_dir():
            raise StartError(f"cannot write the ready file {ready_file}: it is a folder")
        if ready_file.is_file() or not ready_file.exists():
            with tempfile.TemporaryFile(dir=ready_file.parent):
                pass
        # A pipe or a descriptor needs nothing of its folder, and to open it may be to wait for who reads it.
    except OSError as error:
        raise StartError(f"cannot write the ready file {ready_file}: {error.strerror}") from error


def _forget(ready_file: Path) -> None:
    # Only what a server has written: a pipe or a descriptor that somebody listens to stays.
    try:
        if ready_file.is_file():
            ready_file.unlink()
    except OSError as error:
        raise StartError(f"cannot remove the ready file {ready_file}: {error.strerror}") from error


async def _announce(server: Server, ready_file: Path) -> bool:
    """False where that can't be: nobody would learn that the service is there, so it is to stop."""
    try:
        await asyncio.to_thread(ready_file.write_text, f"{server.address}\n", encoding="utf-8")
    except OSError as error:
        log.error("stopping, because the ready file can't be written", file=str(ready_file), error=error.strerror)
        with suppress(StartError):
            # On a full disk it is there and empty, and somebody may go by that it is there.
            _forget(ready_file)
        return False
    return True


def _heed_signals(server: Server, reload: Callable[[], Settings]) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.stop)
    loop.add_signal_handler(signal.SIGHUP, _Renewal(reload, server.resize))


class _Renewal:
    """What SIGHUP does: it has the settings read anew, and applies those that may change while the service runs. It
    says so once they hold; until newer ones come they wait for a store that takes no writes."""

    def __init__(self, read: Callable[[], Settings], resize: Callable[[int], "asyncio.Future[None]"]) -> None:
        self._read = read
        self._resize = resize
        self._applying: asyncio.Task[None] | None = None

    def __call__(self) -> None:
        try:
            slots = self._read().slots
        except SettingsError as error:
            log.error("settings not reloaded", error=str(error))
            return
        if self._applying is not None:
            # They may hold for a moment yet, before the newer ones do: nobody needs to hear of that.
            self._applying.cancel()
        self._applying = asyncio.create_task(self._apply(slots))

    async def _apply(self, slots: int) -> None:
        try:
            resized = self._resize(slots)
            done, _ = await asyncio.wait({resized}, timeout=_APPLY_SECONDS)
            if not done:
                log.warning("settings not reloaded yet: they wait for the store", slots=slots)
            await resized
        except ServiceError as error:
            # The service is about to end.
            log.warning("settings not reloaded", error=str(error))
        else:
            log.info("settings reloaded", slots=slots)
