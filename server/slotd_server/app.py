"""The composition root: builds the parts of a server, starts them in order, and stops them in reverse. What belongs to
a process, signals and stdout, is in `process.py`: several servers may live in one process, each in an event loop."""

import asyncio
import socket
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from random import Random
from types import TracebackType
from typing import TYPE_CHECKING, Self

import structlog

from slotd.handlers import Handler
from slotd.isolation.children import Children
from slotd.isolation.commands import KIND, Commands
from slotd.isolation.spanned import Spanned
from slotd_server.busy import Busy
from slotd_server.change import Limits, Rules
from slotd_server.dispatch import Dispatcher, Pacing
from slotd_server.domain import commands as ask
from slotd_server.domain.clock import Clock, SystemClock
from slotd_server.domain.errors import ServiceError, StoreBroken
from slotd_server.domain.ids import IdSource
from slotd_server.domain.job import SECOND, Job
from slotd_server.domain.queue import NOTHING, Defaults
from slotd_server.domain.server import Member, News
from slotd_server.events import EventLog
from slotd_server.execution.base import Forcing, Reporting, Runner
from slotd_server.execution.declared import declared
from slotd_server.execution.processes import ProcessRunner
from slotd_server.execution.remote import RemoteRunner
from slotd_server.execution.routes import Routes
from slotd_server.execution.threads import ThreadRunner
from slotd_server.instruments import Instruments
from slotd_server.leases import Attendance, Keeper
from slotd_server.lifecycle import Lifecycle
from slotd_server.observers import Observer, Observers
from slotd_server.presence import Known, Presence
from slotd_server.reads import Reads
from slotd_server.rpc.jobs import Jobs
from slotd_server.rpc.queues import Queues
from slotd_server.rpc.schedules import Schedules
from slotd_server.rpc.server import GrpcServer
from slotd_server.rpc.stream import Streams
from slotd_server.rpc.workers import Workers
from slotd_server.settings import Settings
from slotd_server.slots import HERE, Ledger
from slotd_server.store.base import SharedStore
from slotd_server.store.opening import CannotOpen, open_store
from slotd_server.store.sqlite import SqliteStore
from slotd_server.store.url import shown

if TYPE_CHECKING:
    from slotd_server.web.server import HttpServer

log = structlog.get_logger()

_STOP_SECONDS = 3
"""How long callers may take to read their last answers."""

_REFUSE_SECONDS = 0.2
"""How long callers are still refused with UNAVAILABLE before the connections are closed, or as long as the drain may
take where that is less."""

_END_SECONDS = 5
"""How long a thread may take to end, or the store to be closed. Where nothing hangs it takes none of that."""

_MOMENT = 0.5
"""The same where the server was asked a second time to stop."""


class StartError(Exception):
    """The service can't start; the message says why, and what to do."""


def _nothing() -> None:
    """Nobody wants to know."""


class Server:
    """One server of the running event loop, from the beginning of an `async with` to its end, which drains it.

    Args:
        settings: those of a process alone (`ready_file`, `log_…`) say nothing here.
        handlers: by kind.
        modules: where handlers come from that run in processes of their own, as `slotd.handlers.load` takes them.
        opened: called once the store is this server's.
        clock: the machine's where it is left out.
        random: for ids and jitter.
        threads: what runs handlers in this process, made with ThreadRunner's arguments.
        observers: who else looks on at what the writer does.

    Entering raises StartError.
    """

    def __init__(
        self,
        settings: Settings,
        handlers: Mapping[str, Handler],
        *,
        modules: Sequence[str] = (),
        opened: Callable[[], None] = _nothing,
        clock: Clock | None = None,
        random: Random | None = None,
        threads: Callable[..., Runner] = ThreadRunner,
        observers: Sequence[Observer] = (),
    ) -> None:
        self.address = ""
        self.http_url = ""
        self.failure: BaseException | None = None
        self._settings = settings
        self._handlers = handlers
        self._modules = modules
        self._opened = opened
        self._clock = clock or SystemClock()
        self._random = random or Random()
        self._threads = threads
        # What nobody can read is not counted.
        self._instruments = Instruments(metrics=bool(settings.http), traces=bool(settings.traces), others=observers)
        self._stopping = asyncio.Event()
        self._now = asyncio.Event()
        # One thread: what is undone is undone in its order, however long it takes.
        self._undoing = ThreadPoolExecutor(1, "slotd-end")
        self._hangs = False

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            await self._start(stack)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        await self._stack.aclose()

    def stop(self) -> None:
        """Ask it to drain and stop; when that was asked before, at once. On its event loop."""
        (self._now if self._stopping.is_set() else self._stopping).set()

    async def asked_to_stop(self) -> None:
        """Until it should stop: it was asked to, or its store broke, and `failure` says how."""
        await self._stopping.wait()

    def resize(self, slots: int) -> "asyncio.Future[None]":
        """Change how many jobs run at once. The future is done once that holds: unlike what a caller asks for, it waits
        for a store that takes no writes. On its event loop. Raises StoreUnavailable when the server is about to end."""
        return self.dispatcher.call(ask.Resize(HERE, None, slots))

    async def _start(self, stack: AsyncExitStack) -> None:
        """What is pushed onto the stack is undone in reverse when the server stops, or when it can't start."""
        settings = self._settings
        stack.callback(self._undoing.shutdown, wait=False)
        ledger = Ledger(settings.slots, _kinds(settings, self._handlers))
        here = Presence(settings.server_name or socket.gethostname(), ledger)
        try:
            store, clock = open_store(
                settings.store, status=here.status, clock=self._clock, lease=round(settings.lease * SECOND)
            )
        except CannotOpen as error:
            raise StartError(str(error)) from error
        stack.push_async_callback(self._undo, store.close)
        self._opened()
        # Each server takes jobs of all kinds that any of them runs.
        elsewhere: dict[str, Defaults] = {}
        lifecycle = Lifecycle(store, ledger, self._rules(store, clock, here, elsewhere), clock)
        try:
            afield = _recover(lifecycle, self._instruments.observers)
        except (ServiceError, StoreBroken) as error:
            raise StartError(f"cannot open the store {shown(settings.store)}: {error}") from error
        reads = Reads(store)
        stack.push_async_callback(self._undo, reads.close)
        events = EventLog(await reads(lambda snapshot: snapshot.revision), reads.events)
        known = None if settings.unknown_kinds == "wait" else Known(ledger, elsewhere)
        self.dispatcher = dispatcher = self._connected(lifecycle, known, clock, events)
        stack.push_async_callback(dispatcher.stop, self._undo)
        reporting = Reporting(dispatcher.finished, dispatcher.told, dispatcher.ended)
        attendance = Attendance(round(settings.worker_lease * SECOND))
        remote = RemoteRunner(reporting, ledger.standing, lambda worker: attendance.heard(worker, clock.monotonic()))
        runner = self._runner(remote, reporting, reads)
        # It waits until processes are gone.
        stack.push_async_callback(asyncio.to_thread, runner.close)

        def boot() -> str:
            return store.boot

        streams = Streams(reads, events, store.id, boot, heartbeat=settings.heartbeat, limit=settings.max_streams)
        jobs = Jobs(
            dispatcher,
            reads,
            events,
            streams,
            store.id,
            boot,
            max_payload=settings.max_payload,
            submitted=self._instruments.submitted,
        )
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
        servicers = (jobs, Queues(dispatcher, store.owner), schedules, workers)
        server = GrpcServer(*self._instruments.on("grpc", *servicers))
        self.address = here.address = _bind(server, settings.listen)
        http = _bind_http(settings) if settings.http else None
        if http is not None:
            stack.callback(http.close)
            self.http_url = http.url
        dispatcher.start(runner, afield)
        if isinstance(store, SharedStore):
            keeper = _keeper(store, clock, round(settings.poll * SECOND), here, elsewhere, dispatcher, events)
            here.changed = keeper.hurry
            # While jobs still run the lease has to hold.
            stack.push_async_callback(self._undo, keeper.stop)
            keeper.start()
        await server.start()
        if http is not None:
            await http.start(
                self._instruments.on("http", *servicers),
                ready=lambda: not self._stopping.is_set(),
                metrics=self._instruments.exposition(dispatcher, streams),
            )
        stack.push_async_callback(self._hang_up, server, http)
        # What still waits for events is told to go on elsewhere, before its call is cut off.
        stack.callback(events.end)
        if not self._handlers and not store.shared:
            log.warning(
                "no handlers: only workers run anything; name a module of handlers, as in `slotd serve handlers.py`"
            )
        watch = asyncio.create_task(workers.watch())
        stack.push_async_callback(self._wind_down, here, watch, workers, server)
        await server.say_ready()

    async def _wind_down(
        self, here: Presence, watch: "asyncio.Task[None]", workers: Workers, server: GrpcServer
    ) -> None:
        """The first of what stopping undoes: the server starts nothing any more, and lets what runs end."""
        here.drain()
        # They keep what they have, and whoever comes after this server gives them the time to come back.
        watch.cancel()
        workers.end()
        await server.say_draining()
        if self.failure is None:
            await self._drain()

    async def _drain(self) -> None:
        """Let what runs end; asked a second time to stop means now."""
        log.info("draining", seconds=self._settings.drain_timeout)
        drain = asyncio.ensure_future(self.dispatcher.drain(self._settings.drain_timeout))
        now = asyncio.ensure_future(self._now.wait())
        await asyncio.wait({drain, now}, return_when=asyncio.FIRST_COMPLETED)
        if not drain.done():
            drain.cancel()
            await self.dispatcher.drain(0)
        # Whoever is asking without a pause is told why it stops: gRPC's own way to end what is under way is CANCELLED.
        await asyncio.wait({now}, timeout=min(_REFUSE_SECONDS, self._settings.drain_timeout))
        now.cancel()

    async def _hang_up(self, server: GrpcServer, http: "HttpServer | None") -> None:
        seconds = 0 if self._now.is_set() else _STOP_SECONDS
        await asyncio.gather(server.stop(seconds), *([] if http is None else [http.stop(seconds)]))

    async def _undo(self, what: Callable[[], None]) -> None:
        """Have a thread do what waits for another to end, or for the store. A database may hang, and no answer of its
        own ends that wait: then nobody waits any more for this or for what is to be undone after it. It is done all the
        same when the database answers, if the process is still there; if not, recovery sees to what is left."""
        undone = self._undoing.submit(what)
        if self._hangs:
            return
        ended, asked = asyncio.wrap_future(undone), asyncio.ensure_future(self._now.wait())
        await asyncio.wait((ended, asked), timeout=_END_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if self._now.is_set():
            await asyncio.wait((ended,), timeout=_MOMENT)
        asked.cancel()
        self._hangs = not undone.done()
        if self._hangs:
            log.warning(
                "the store does not answer and is not waited for: what runs here by its word is given back later"
            )
        else:
            undone.result()

    def _store_failed(self, error: BaseException) -> None:
        self.failure = error
        self._stopping.set()

    def _rules(
        self, store: SqliteStore | SharedStore, clock: Clock, here: Presence, elsewhere: Mapping[str, Defaults]
    ) -> Rules:
        settings = self._settings
        start_time = clock.now()
        limits = Limits(
            retention=round(settings.retention * SECOND) or None,
            output=settings.max_output,
            events=settings.events_kept,
            events_age=round(settings.events_age * SECOND),
            request_age=round(settings.request_age * SECOND),
        )
        return Rules(
            store.owner,
            limits,
            IdSource(self._random.getrandbits),
            self._random.random,
            lambda: Member(store.owner, start_time, None, 0, None, here.status()),
            elsewhere,
        )

    def _connected(
        self, lifecycle: Lifecycle, known: Mapping[str, Defaults] | None, clock: Clock, events: EventLog
    ) -> Dispatcher:
        """A dispatcher that tells the event log, and that the event log asks and tells."""
        settings = self._settings
        dispatcher = Dispatcher(
            lifecycle,
            known,
            clock,
            publish=events.publish,
            listened=events.listened,
            failed=self._store_failed,
            pacing=Pacing(round(settings.cancel_grace * SECOND), round(settings.report_interval * SECOND)),
            busy=Busy(),
            observers=self._instruments.observers,
        )
        events.pull = dispatcher.deliver
        events.others = dispatcher.noticed
        events.missed = dispatcher.missed
        return dispatcher

    def _runner(self, remote: RemoteRunner, reporting: Reporting, reads: Reads) -> Routes:
        settings = self._settings
        threads = self._threads(
            self._handlers,
            reporting,
            results=reads.results,
            result_limit=settings.max_payload,
            output_limit=settings.max_output,
        )
        return Routes(remote, threads, _forcing(settings, self._modules, self._handlers, reporting, reads))


def _kinds(settings: Settings, handlers: Mapping[str, Handler]) -> dict[str, Defaults]:
    """What this server runs, and what is declared of it."""
    kinds = {kind: declared(handler) for kind, handler in handlers.items()}
    if settings.commands:
        if KIND in kinds:
            raise StartError(f"a handler has the kind {KIND!r}, which commands are to have too")
        kinds[KIND] = NOTHING
    return kinds


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
        found |= dict.fromkeys(isolated, ProcessRunner(Spanned(children), reporting, results=reads.results))
    if settings.commands:
        commands = Commands(settings.commands, output_limit=settings.max_output)
        found[KIND] = ProcessRunner(Spanned(commands), reporting)
    return found


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


def _recover(lifecycle: Lifecycle, observers: Observers) -> list[Job]:
    """Give back what a server had that is gone, in steps. → what workers still run of it, which is taken over."""
    found = 0
    afield: list[Job] = []
    while True:
        committed = lifecycle.apply([ask.Recover()], claim=False)
        observers.committed(committed)
        afield += committed.taken_over
        if not committed.answers[0]:
            break
        found += committed.answers[0]
    if found:
        log.info("recovered jobs of a server that is gone", jobs=found, on_workers=len(afield))
    return afield


def _bind(server: GrpcServer, listen: str) -> str:
    try:
        return server.bind(listen)
    except RuntimeError as error:
        raise StartError(f"cannot listen on {listen}: is another server there?") from error


def _bind_http(settings: Settings) -> "HttpServer":
    try:
        # Not everybody who runs the service has what HTTP takes.
        from slotd_server.web.server import HttpServer

        return HttpServer(settings.http, settings.http_hosts, settings.http_origins)
    except ImportError as error:
        raise StartError(f"--http needs more: install 'slotd[web]' ({error})") from error
    except ValueError as error:
        raise StartError(f"--http {settings.http}: {error}") from error
    except OSError as error:
        raise StartError(f"cannot listen on {settings.http} for HTTP: {error.strerror}") from error


def _replace(kinds: dict[str, Defaults], now: Mapping[str, Defaults]) -> None:
    kinds.clear()
    kinds.update(now)
