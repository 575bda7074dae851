"""The worker: threads and gRPC around the session."""

from __future__ import annotations

import itertools
import logging
import os
import random
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any, Final, NamedTuple

import grpc

import slotd
from slotd.attempts import Outcome
from slotd.channel import DEFAULT_ADDRESS, check_address
from slotd.context import Told
from slotd.errors import (
    Aborted,
    Cancelled,
    DeadlineExceeded,
    Error,
    InvalidArgument,
    PermissionDenied,
    Unauthenticated,
    Unavailable,
    Unimplemented,
)
from slotd.handlers import Handler, Isolation, registered
from slotd.isolation.base import Lease
from slotd.outage import Backoff
from slotd.results import Encoded
from slotd.v1 import worker_service_pb2
from slotd.worker.connection import Connection
from slotd.worker.declared import worker_kinds
from slotd.worker.functions import KindFunctions
from slotd.worker.isolated import processes_by_kind
from slotd.worker.session import Phase, Session
from slotd.worker.threads import Threads

log = logging.getLogger("slotd.worker")

_MOST_SLOTS: Final = 10_000

_BACKOFF: Final = Backoff(initial=0.1, maximum=2.0)

_RESULTS_SECONDS: Final = 60.0
"""How long a handler that asks for results waits for a connection. An attempt whose worker is away for longer than a
lease is lost anyway."""

_SIGNAL_SECONDS: Final = 1.0
"""How late a handler of a signal may be called."""

_PASSING = (Unavailable, DeadlineExceeded, Cancelled)
"""Errors of a call that the next connection may not meet."""

_MISCONFIGURED = (Unimplemented, Unauthenticated, PermissionDenied)
"""Where a worker meets these before it was ever welcome, somebody has to put something right."""


class _Listener(NamedTuple):
    """What functions report to, from any thread."""

    told: Callable[[Lease], None]
    finished: Callable[[Lease, Outcome, Told], None]


class Worker:
    """Runs handlers for slotd services, in this process: takes jobs of their kinds while it has slots free.

    It keeps its jobs over a cut of the connection, a restart of the service, and a failover to another one on the same
    store; it connects again for ever, to each of `addresses` in turn. It logs as `slotd.worker`.

    Args:
        addresses: HOST:PORT, unix:PATH, or any other gRPC target; one, or several of services on the same store.
        handlers: by kind; without, all that `@slotd.job` has registered so far.
        slots: how many jobs may run at once; without, four for each CPU.
        modules: what registers the handlers, for processes to load: dotted names, or paths that end in .py.
        isolation: "process" runs handlers that don't say where in processes of their own; they need `modules`.
        commands: executables that jobs of the kind `command` may run: absolute paths, or names that are looked for in
            PATH. Without any, the worker does not run that kind.
        name: for people to read; without, the machine's name.
        drain_timeout: seconds that jobs may run on when the service asks the worker to leave, or `stop` says nothing.
        metadata: sent with every call.
        credentials: for TLS; plain text without.
        options: gRPC channel arguments, stronger than the client's own.
        reconnect: how it tries again after a cut; its `give_up` says nothing here.
        clock: monotonic seconds, for tests.
        chance: a random number from 0 to 1, for tests.

    Raises ValueError for an address that is none, for less than no slots, where there is nothing to run, and where
    handlers are to run in processes and there are no modules.
    """

    def __init__(
        self,
        addresses: str | Iterable[str] = DEFAULT_ADDRESS,
        handlers: Mapping[str, Handler] | None = None,
        *,
        slots: int | None = None,
        name: str | None = None,
        modules: Sequence[str] = (),
        isolation: Isolation = "thread",
        commands: Sequence[str] = (),
        drain_timeout: float = 30.0,
        metadata: Iterable[tuple[str, str | bytes]] | None = None,
        credentials: grpc.ChannelCredentials | None = None,
        options: Iterable[tuple[str, Any]] = (),
        reconnect: Backoff = _BACKOFF,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        found = registered() if handlers is None else dict(handlers)
        processes = processes_by_kind(found, modules, isolation, commands)
        kinds = worker_kinds(found, processes)
        if not kinds:
            raise ValueError("no handlers: a worker takes jobs of the kinds that it has handlers for")
        self.worker_id = str(uuid.uuid4())
        """Who it is, in `ListWorkers` and in `Attempt.worker`; new for each Worker."""
        self._addresses = itertools.cycle(_checked([addresses] if isinstance(addresses, str) else list(addresses)))
        self._connect_to = partial(
            Connection, credentials=credentials, metadata=tuple(metadata or ()), options=tuple(options)
        )
        self._drain_timeout = drain_timeout
        self._reconnect = reconnect
        self._clock = clock
        self._chance = chance
        listener = _Listener(self._told, self._finished)
        self._functions = KindFunctions(Threads(found), processes, listener, self._load_results)
        hello = worker_service_pb2.Hello(
            worker_id=self.worker_id,
            name=socket.gethostname() if name is None else name,
            kinds=kinds,
            client=f"slotd-python/{slotd.__version__}",
        )
        chosen = 4 * (os.cpu_count() or 1) if slots is None else _slots(slots)
        self._session = Session(hello, chosen, self._functions, drain_timeout=drain_timeout)
        # One thread at a time is in the session; who waits to send is woken when there may be something to say. A
        # thread may take it twice: what can't be started is finished from within its start.
        self._changed = threading.Condition(threading.RLock())
        # What the thread that runs the worker is to do next. A signal handler may put things here, and take no lock.
        self._inbox: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._connection: Connection | None = None
        self._connected = threading.Event()
        self._ended = threading.Event()
        self._started = False
        self._welcomed = False
        self._failures = 0
        self._retry_at = 0.0

    def run(self) -> None:
        """Works until it is stopped, or the service has drained it; then returns, once what it held is settled.

        Raises Aborted where another process has taken its identity, InvalidArgument where the service refuses what it
        says of itself, and what shows at the first connection that somebody has to put something right: Unimplemented,
        Unauthenticated, PermissionDenied. Then the functions that run are told to stop, and their jobs are the
        service's to give back.
        """
        if self._started:
            raise RuntimeError("a worker runs once: make a new one")
        self._started = True
        self._retry_at = self._clock()
        try:
            while self._session.phase is not Phase.LEFT:
                self._step()
        finally:
            self._end()

    def stop(self, drain_timeout: float | None = None) -> None:
        """Makes `run` take nothing more, let what runs end within so many seconds, give the rest back, and return.

        Returns at once. May be called from any thread and from signal handlers, and again, to make it sooner.
        """
        seconds = self._drain_timeout if drain_timeout is None else drain_timeout
        self._inbox.put(partial(self._drain, seconds))

    def resize(self, slots: int) -> None:
        """From now on so many jobs may run at once; what runs beyond that runs on. 0 pauses. Raises ValueError."""
        self._inbox.put(partial(self._resize, _slots(slots)))

    def wait_connected(self, timeout: float | None = None) -> bool:
        """Waits until it is connected to a service, or for so many seconds. Whether it is."""
        return self._connected.wait(timeout)

    def _step(self) -> None:
        """Does what is due, then waits for what comes next."""
        now = self._clock()
        with self._changed:
            break_off = self._session.tick(now)
            self._changed.notify_all()
            wait = self._session.next_tick(now)
        if self._connection is None:
            wait = max(0.0, min(wait, self._retry_at - now))
        elif break_off:
            self._connection.break_off()
        try:
            # Not for long: a signal that comes just before, or to another thread, has its handler called only after it.
            notice = self._inbox.get(timeout=min(wait, _SIGNAL_SECONDS))
        except Empty:
            if self._session.phase is Phase.AWAY and self._clock() >= self._retry_at:
                self._connect()
            return
        notice()

    def _connect(self) -> None:
        connection = self._connect_to(next(self._addresses))
        with self._changed:
            self._connection = connection
            self._session.connected(self._clock())
        connection.open(self._requests(connection), self._received, self._over)

    def _requests(self, connection: Connection) -> Iterator[worker_service_pb2.WorkRequest]:
        """What this connection is to send, each as soon as the one before is on its way."""
        while True:
            with self._changed:
                while True:
                    if self._connection is not connection:
                        return
                    now = self._clock()
                    request = self._session.next_request(now)
                    if request is not None:
                        break
                    self._changed.wait(max(0.0, self._session.silence(now)))
            yield request

    def _received(self, message: worker_service_pb2.WorkResponse) -> None:
        with self._changed:
            self._session.received(message, self._clock())
            self._changed.notify_all()
            if message.HasField("welcome"):
                self._greeted()
        if message.HasField("welcome") or self._session.draining:
            # The clock may have something to say sooner than was thought.
            self._inbox.put(self._look)

    def _greeted(self) -> None:
        assert self._connection is not None
        self._welcomed = True
        self._failures = 0
        session = self._session
        log.info("connected to %s (server %s)", self._connection.address, session.server)
        if session.lost:
            log.warning("%d attempts were given to others meanwhile; their functions are told to stop", session.lost)
        self._connected.set()

    def _over(self, end: BaseException | None) -> None:
        self._inbox.put(partial(self._cut, end))

    def _cut(self, end: BaseException | None) -> None:
        """The call is over."""
        connection = self._connection
        assert connection is not None
        with self._changed:
            self._session.broken()
            self._connection = None
            self._changed.notify_all()
        self._connected.clear()
        connection.close()
        if self._session.phase is Phase.LEFT:
            return
        if end is not None and (not isinstance(end, Error) or self._is_fatal(end)):
            raise end
        self._failures += 1
        # A server that comes back waits for its workers for one lease.
        delay = min(self._reconnect.delay(self._failures, self._chance()), self._session.lease / 4)
        self._retry_at = self._clock() + delay
        log.log(
            logging.WARNING if self._failures == 1 else logging.DEBUG,
            "no connection to %s: %s; trying again",
            connection.address,
            "nothing was heard" if connection.broken_off else end or "the call has ended",
        )

    def _is_fatal(self, error: Error) -> bool:
        """Whether trying again won't cure it."""
        if isinstance(error, Aborted):
            return error.reason == "WORKER_REPLACED"
        return isinstance(error, InvalidArgument) or (isinstance(error, _MISCONFIGURED) and not self._welcomed)

    def _drain(self, seconds: float) -> None:
        with self._changed:
            self._session.drain(self._clock(), seconds)
            log.info("draining: %d jobs may run on for %g s", self._session.held, seconds)
            self._changed.notify_all()

    def _resize(self, slots: int) -> None:
        with self._changed:
            self._session.resize(slots)
            self._changed.notify_all()

    def _look(self) -> None:
        """Nothing but a reason to look at the clock."""

    def _end(self) -> None:
        with self._changed:
            connection, self._connection = self._connection, None
            unsettled = self._session.held
            self._session.abandon()
            self._changed.notify_all()
        self._connected.clear()
        self._ended.set()
        if connection is not None:
            connection.close()
        self._functions.close()
        if unsettled:
            log.warning("left with %d jobs of which the service has not confirmed that it has them back", unsettled)
        else:
            log.info("left")

    def _told(self, lease: Lease) -> None:
        with self._changed:
            self._session.told(lease)
            self._changed.notify_all()

    def _finished(self, lease: Lease, outcome: Outcome, told: Told) -> None:
        with self._changed:
            self._session.finished(lease, outcome, told)
            self._changed.notify_all()

    def _load_results(self, job_id: str) -> Mapping[str, Encoded | None]:
        until = self._clock() + _RESULTS_SECONDS
        for failures in itertools.count(1):
            connection = self._connection
            try:
                if connection is None:
                    raise Unavailable("not connected")
                return connection.read_results(job_id)
            except _PASSING:
                if self._clock() >= until or self._ended.wait(self._reconnect.delay(failures, self._chance())):
                    raise
        raise AssertionError("unreachable")


def _checked(addresses: list[str]) -> list[str]:
    if not addresses:
        raise ValueError("no addresses: a worker needs one at least")
    for address in addresses:
        check_address(address)
    return addresses


def _slots(slots: int) -> int:
    if not 0 <= slots <= _MOST_SLOTS:
        raise ValueError(f"slots is {slots}; it is from 0 to {_MOST_SLOTS}")
    return slots
