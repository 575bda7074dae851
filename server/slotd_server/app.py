"""The composition root: builds the parts, starts them in order, and stops them in reverse."""

import asyncio
import logging
import random
import signal
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import grpc.aio
import structlog
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from slotd.handlers import Handler, load, registered
from slotd.isolation.children import Children
from slotd.isolation.commands import KIND, Commands
from slotd_server.change import Limits, Rules
from slotd_server.dispatch import Dispatcher, Pacing
from slotd_server.domain import commands as ask
from slotd_server.domain.clock import Clock, SharedClock, SystemClock
from slotd_server.domain.errors import ServiceError, StoreBroken
from slotd_server.domain.ids import IdSource
from slotd_server.domain.job import SECOND, Job
from slotd_server.domain.queue import NOTHING, Defaults
from slotd_server.domain.server import Member, News
from slotd_server.events import EventLog
from slotd_server.execution.base import Forcing, Reporting
from slotd_server.execution.processes import ProcessRunner
from slotd_server.execution.remote import RemoteRunner
from slotd_server.execution.routes import Routes
from slotd_server.execution.threads import ThreadRunner
from slotd_server.leases import Attendance, Keeper
from slotd_server.lifecycle import Lifecycle
from slotd_server.presence import Known, Presence
from slotd_server.reads import Reads
from slotd_server.rpc import calls
from slotd_server.rpc.jobs import Jobs
from slotd_server.rpc.queues import Queues
from slotd_server.rpc.schedules import Schedules
from slotd_server.rpc.stream import Streams
from slotd_server.rpc.workers import Workers
from slotd_server.settings import Settings, SettingsError
from slotd_server.slots import Ledger
from slotd_server.store.base import SharedStore
from slotd_server.store.sqlite import SqliteStore
from slotd_server.store.url import FORMS, is_postgres, shown, sqlite_path

log = structlog.get_logger()

_STOP_SECONDS = 3
"""How long callers may take to read their last answers."""

_REFUSE_SECONDS = 0.2
"""How long callers are still refused with UNAVAILABLE before the connections are closed, or as long as the drain may
take where that is less."""

_CHANNEL: tuple[tuple[str, int], ...] = (
    # Else a second server on the same port gets half of the calls.
    ("grpc.so_reuseport", 0),
    # SubmitBatch takes 16 MiB; a little more, so that what is too large gets an answer that says so.
    ("grpc.max_receive_message_length", 20 << 20),
    ("grpc.max_send_message_length", 32 << 20),
    # Unlimited by default: tens of thousands of rapid resets then make all others wait.
    ("grpc.max_concurrent_streams", 1_000),
    # A peer that is gone is noticed after 80 s; one that pings more often than each 10 s is sent away.
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.http2.ping_timeout_ms", 20_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 10_000),
)


class StartError(Exception):
    """The service can't start; the message says why, and what to do."""


class Service:
    """One server. `reload` yields the settings anew; SIGHUP applies what may change of them while it runs."""

    def __init__(self, settings: Settings, modules: Sequence[str], reload: Callable[[], Settings]) -> None:
        self._settings = settings
        self._modules = modules
        self._reload = reload
        self._stopping = asyncio.Event()
        self._now = asyncio.Event()
        self._failure: BaseException | None = None

    async def run(self) -> int:
        """Serve until a signal, or until the store breaks. Returns the exit status.

        Raises StartError.
        """
        handlers = _load_handlers(self._modules)
        kinds = {kind: _declared(handler) for kind, handler in handlers.items()}
        if self._settings.commands:
            if KIND in kinds:
                raise StartError(f"a handler has the kind {KIND!r}, which commands are to have too")
            kinds[KIND] = NOTHING
        ledger = Ledger(self._settings.slots, kinds)
        here = Presence(self._settings.server_name or socket.gethostname(), ledger)
        async with AsyncExitStack() as stack:
            store, clock = _open_store(self._settings, here)
            stack.callback(store.close)
            if self._settings.ready_file:
                # One that a server left behind that was killed would send callers to where nobody is.
                _forget(Path(self._settings.ready_file))
            await self._serve(stack, store, clock, ledger, here, handlers)
        if self._failure is not None:
            log.error("stopped, so that nothing is acknowledged that is not kept", cause=str(self._failure))
            return 1
        log.info("stopped")
        return 0

    async def _serve(
        self,
        stack: AsyncExitStack,
        store: SqliteStore | SharedStore,
        clock: Clock,
        ledger: Ledger,
        here: "Presence",
        handlers: Mapping[str, Handler],
    ) -> None:
        settings = self._settings
        # Each server takes jobs of all kinds that any of them runs.
        elsewhere: dict[str, Defaults] = {}
        start_time = clock.now()
        rules = Rules(
            store.owner,
            _limits(settings),
            IdSource(random.getrandbits),
            random.random,
            lambda: Member(store.owner, start_time, None, 0, None, here.status()),
            elsewhere,
        )
        lifecycle = Lifecycle(store, ledger, rules, clock)
        try:
            afield = _recover(lifecycle)
        except (ServiceError, StoreBroken) as error:
            raise StartError(f"cannot open the store {shown(settings.store)}: {error}") from error
        reads = Reads(store)
        stack.callback(reads.close)
        events = EventLog(await reads(lambda snapshot: snapshot.revision), reads.events)
        pacing = Pacing(round(settings.cancel_grace * SECOND), round(settings.report_interval * SECOND))
        dispatcher = Dispatcher(
            lifecycle,
            None if settings.unknown_kinds == "wait" else Known(ledger, elsewhere),
            clock,
            publish=events.publish,
            listened=events.listened,
            failed=self._store_failed,
            pacing=pacing,
        )
        events.pull = dispatcher.deliver
        events.others = dispatcher.noticed
        events.missed = dispatcher.missed
        stack.push_async_callback(dispatcher.stop)
        reporting = Reporting(dispatcher.finished, dispatcher.told)
        attendance = Attendance(round(settings.worker_lease * SECOND))
        remote = RemoteRunner(reporting, ledger.standing, lambda worker: attendance.heard(worker, clock.monotonic()))
        threads = ThreadRunner(
            handlers,
            reporting,
            results=reads.results,
            result_limit=settings.max_payload,
            output_limit=settings.max_output,
        )
        runner = Routes(remote, threads, _forcing(settings, self._modules, handlers, reporting, reads))
        # It waits until processes are gone.
        stack.push_async_callback(asyncio.to_thread, runner.close)

        def boot() -> str:
            return store.boot

        streams = Streams(reads, events, store.id, boot, heartbeat=settings.heartbeat, limit=settings.max_streams)
        jobs = Jobs(dispatcher, reads, events, streams, store.id, boot, max_payload=settings.max_payload)
        schedules = Schedules(dispatcher, events, store.id, boot, max_payload=settings.max_payload)
        workers = Workers(
            dispatcher,
            remote,
            reads,
            attendance,
            clock,
            store.owner,
            changed=lambda: here.changed(),
            limit=settings.max_workers,
            max_payload=settings.max_payload,
            max_output=settings.max_output,
        )
        server, checks = _server(jobs, Queues(dispatcher, store.owner), schedules, workers)
        address = here.address = _bind(server, settings.listen)
        dispatcher.start(runner, afield)
        if isinstance(store, SharedStore):
            keeper = _keeper(store, clock, round(settings.poll * SECOND), here, elsewhere, dispatcher, events)
            here.changed = keeper.hurry
            # While jobs still run the lease has to hold.
            stack.push_async_callback(asyncio.to_thread, keeper.stop)
            keeper.start()
        await server.start()
        stack.push_async_callback(self._hang_up, server)
        # What still waits for events is told to go on elsewhere, before its call is cut off.
        stack.callback(events.end)
        self._on_signals(dispatcher)
        if not handlers and not store.shared:
            log.warning(
                "no handlers: only workers run anything; name a module of handlers, as in `slotd serve handlers.py`"
            )
        watch = asyncio.create_task(workers.watch())
        stack.callback(watch.cancel)
        await _announce(address, settings.ready_file, checks)
        await self._stopping.wait()
        here.drain()
        # They keep what they have, and whoever comes after this server gives them the time to come back.
        watch.cancel()
        workers.end()
        await checks.enter_graceful_shutdown()
        if self._failure is None:
            await self._drain(dispatcher)

    async def _drain(self, dispatcher: Dispatcher) -> None:
        """Let what runs end; a second signal means now."""
        log.info("draining", seconds=self._settings.drain_timeout)
        drain = asyncio.ensure_future(dispatcher.drain(self._settings.drain_timeout))
        now = asyncio.ensure_future(self._now.wait())
        await asyncio.wait({drain, now}, return_when=asyncio.FIRST_COMPLETED)
        if not drain.done():
            drain.cancel()
            await dispatcher.drain(0)
        # Whoever is asking without a pause is told why it stops: gRPC's own way to end what is under way is CANCELLED.
        await asyncio.wait({now}, timeout=min(_REFUSE_SECONDS, self._settings.drain_timeout))
        now.cancel()

    async def _hang_up(self, server: grpc.aio.Server) -> None:
        await server.stop(0 if self._now.is_set() else _STOP_SECONDS)

    def _store_failed(self, error: BaseException) -> None:
        self._failure = error
        self._stopping.set()

    def _on_signals(self, dispatcher: Dispatcher) -> None:
        loop = asyncio.get_running_loop()

        def stop() -> None:
            (self._now if self._stopping.is_set() else self._stopping).set()

        def reload() -> None:
            try:
                slots = self._reload().slots
            except SettingsError as error:
                log.error("settings not reloaded", error=str(error))
                return
            log.info("settings reloaded", slots=slots)
            dispatcher.call(ask.UpdateSlots(slots))

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop)
        loop.add_signal_handler(signal.SIGHUP, reload)


def configure_logs(level: str, style: str) -> None:
    """Logs to stderr, as text on a terminal, else as JSON lines, unless `style` says which."""
    pretty = style == "text" or (style == "auto" and sys.stderr.isatty())
    # Colours are for terminals alone: a journal or a file would keep their codes.
    colours = sys.stderr.isatty()
    renderer: Any = structlog.dev.ConsoleRenderer(colors=colours) if pretty else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def _load_handlers(modules: Sequence[str]) -> dict[str, Handler]:
    for module in modules:
        try:
            load(module)
        except Exception as error:
            raise StartError(f"cannot load {module}: {type(error).__name__}: {error}") from error
    return registered()


def _forcing(
    settings: Settings, modules: Sequence[str], handlers: Mapping[str, Handler], reporting: Reporting, reads: Reads
) -> dict[str, Forcing]:
    """The runners of kinds that have processes of their own."""
    found: dict[str, Forcing] = {}
    isolated = {
        kind: handler for kind, handler in handlers.items() if (handler.isolation or settings.isolation) == "process"
    }
    if isolated:
        children = Children(modules, isolated, result_limit=settings.max_payload, output_limit=settings.max_output)
        found |= dict.fromkeys(isolated, ProcessRunner(children, reporting, results=reads.results))
    if settings.commands:
        found[KIND] = ProcessRunner(Commands(settings.commands, output_limit=settings.max_output), reporting)
    return found


def _open_store(settings: Settings, here: Presence) -> "tuple[SqliteStore | SharedStore, Clock]":
    """The store, and the clock that it goes by."""
    url = settings.store
    path = sqlite_path(url)
    if path is None and not is_postgres(url):
        raise StartError(f"--store {shown(url)}: it is {FORMS}, or sqlite:///:memory:")
    try:
        if path is not None:
            return SqliteStore(path), SystemClock()
        # Not everybody who runs the service has psycopg.
        from slotd_server.store.postgres import PostgresStore

        clock = SharedClock()
        return PostgresStore(url, status=here.status, clock=clock, lease=round(settings.lease * SECOND)), clock
    except ImportError as error:
        raise StartError(f"PostgreSQL needs psycopg: install 'slotd[postgres]' ({error})") from error
    except Exception as error:
        raise StartError(f"cannot open the store {shown(url)}: {error}") from error


def _keeper(
    store: SharedStore,
    clock: Clock,
    poll: int,
    here: Presence,
    elsewhere: dict[str, Defaults],
    dispatcher: Dispatcher,
    events: EventLog,
) -> Keeper:
    loop = asyncio.get_running_loop()

    def met(members: Sequence[Member]) -> None:
        kinds: dict[str, Defaults] = {}
        for member in members:
            if member.id != store.owner:
                kinds |= member.status.kinds
        if kinds != elsewhere:
            # Where calls look into it.
            loop.call_soon_threadsafe(_replace, elsewhere, kinds)

    def heard(news: News) -> None:
        dispatcher.heard(news)
        loop.call_soon_threadsafe(events.heard, news.revision)

    return Keeper(store, clock, poll=poll, status=here.status, met=met, heard=heard, gone=dispatcher.gone)


def _declared(handler: Handler) -> Defaults:
    """What a handler declares, in microseconds."""

    def micros(seconds: float | None) -> int | None:
        return None if seconds is None else round(seconds * SECOND)

    return Defaults(
        queue=handler.queue,
        priority=handler.priority,
        timeout=micros(handler.timeout),
        queue_timeout=micros(handler.queue_timeout),
        retention=micros(handler.retention),
        max_attempts=handler.max_attempts,
        initial_backoff=micros(handler.initial_backoff),
        max_backoff=micros(handler.max_backoff),
        multiplier=handler.multiplier,
        jitter=handler.jitter,
    )


def _limits(settings: Settings) -> Limits:
    return Limits(
        retention=round(settings.retention * SECOND) or None,
        output=settings.max_output,
        events=settings.events_kept,
        events_age=round(settings.events_age * SECOND),
        request_age=round(settings.request_age * SECOND),
    )


def _recover(lifecycle: Lifecycle) -> list[Job]:
    """Give back what a server had that is gone, in steps. → what workers still run of it, which is taken over."""
    found = 0
    afield: list[Job] = []
    while True:
        committed = lifecycle.apply([ask.Recover()], claim=False)
        afield += committed.taken_over
        if not committed.answers[0]:
            break
        found += committed.answers[0]
    if found:
        log.info("recovered jobs of a server that is gone", jobs=found, on_workers=len(afield))
    return afield


def _server(*servicers: object) -> tuple[grpc.aio.Server, health.aio.HealthServicer]:
    """Serves these, in the order of `calls.SERVICES`."""
    server = grpc.aio.server(options=_CHANNEL)
    for descriptor, servicer in zip(calls.SERVICES, servicers, strict=True):
        server.add_generic_rpc_handlers((calls.handler(descriptor, servicer),))
    checks = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(checks, server)
    names = [descriptor.full_name for descriptor in calls.SERVICES]
    reflection.enable_server_reflection([*names, health.SERVICE_NAME, reflection.SERVICE_NAME], server)
    return server, checks


def _bind(server: grpc.aio.Server, listen: str) -> str:
    """The address that clients use."""
    try:
        port = server.add_insecure_port(listen)
    except RuntimeError as error:
        raise StartError(f"cannot listen on {listen}: is another server there?") from error
    return listen if listen.startswith("unix:") else f"{listen.rpartition(':')[0]}:{port}"


def _replace(kinds: dict[str, Defaults], now: Mapping[str, Defaults]) -> None:
    kinds.clear()
    kinds.update(now)


def _forget(ready_file: Path) -> None:
    # Only what a server has written: a pipe or a descriptor that somebody listens to stays.
    if ready_file.is_file():
        ready_file.unlink()


async def _announce(address: str, ready_file: str, checks: health.aio.HealthServicer) -> None:
    for name in ("", *(descriptor.full_name for descriptor in calls.SERVICES)):
        await checks.set(name, health_pb2.HealthCheckResponse.SERVING)
    print(f"slotd listening on {address}", flush=True)
    if ready_file:
        await asyncio.to_thread(Path(ready_file).write_text, f"{address}\n", encoding="utf-8")
