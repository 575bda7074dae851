"""The dispatcher: all that waits becomes one change after another; then every caller has an answer, the runner what was
claimed, and the subscribers the events. It also knows when attempts time out and when they report.

Nothing polls: the writer's thread sleeps until somebody asks for something or the next time comes. Whatever is not for
any thread is for the one whose turn it is to make a change.
"""

import asyncio
import threading
import traceback
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import structlog

from slotd_server.alarms import OVERRUN, Alarm, Alarms
from slotd_server.domain import commands as ask
from slotd_server.domain.clock import Clock
from slotd_server.domain.errors import Draining, ServiceError, StoreBroken, StoreUnavailable
from slotd_server.domain.events import Event
from slotd_server.domain.job import SECOND, Failure, Job
from slotd_server.domain.outcome import Failed
from slotd_server.domain.queue import Defaults
from slotd_server.domain.server import Member, News
from slotd_server.domain.worker import runs_on
from slotd_server.execution.base import Workforce
from slotd_server.inbox import Inbox
from slotd_server.lifecycle import Committed, Lifecycle
from slotd_server.observers import NOBODY, Observers
from slotd_server.writer import Writer

log = structlog.get_logger()

_BATCH = 2048
"""How many commands one change takes at most."""

_RETRY = SECOND // 2
"""How long to wait before what must not be lost is tried again on a full disk."""

_LONGEST_SLEEP = 5 * SECOND
"""The clock may be set while the thread sleeps: it looks at it this often."""

_UNRECORDED = Failed(Failure("HANDLER_ERROR", "how the attempt ended can't be recorded"))
"""The outcome of an attempt where the one that was reported is more than the store can take."""

_UNTOLD = 512
"""How many events may wait while nobody listens."""

_PUT_BACK_SECONDS = 5
"""How long the store may take to put jobs back at the end. Where it can't, recovery does it at the next start."""


class Told(NamedTuple):
    """A running attempt has something to report."""

    lease: ask.Lease


class Stop(NamedTuple):
    """A running attempt is to stop: another server was asked for that."""

    lease: ask.Lease


class Lull(NamedTuple):
    """All that was asked for before, and all that was due, has been done. `due` says in how many microseconds something
    else comes by itself (None: never), the keeping of the event log aside; `running` are the attempts that run."""

    due: int | None
    running: frozenset[ask.Lease]


class Rest(NamedTuple):
    """Somebody waits for a lull, in which no attempts run but these; None: whatever runs."""

    despite: frozenset[ask.Lease] | None


class Pacing(NamedTuple):
    """In microseconds: how long a cancelled attempt may take to stop, and how often one reports at most."""

    cancel_grace: int = 10 * SECOND
    report_interval: int = SECOND // 4


Waiting: TypeAlias = tuple[ask.Command | Told | Stop | Rest | None, asyncio.Future[Any] | None]


def _brings_work(command: ask.Command) -> bool:
    return isinstance(command, (ask.Submit, ask.Retry, ask.TriggerSchedule)) or (
        isinstance(command, ask.Bulk) and command.action == "retry"
    )


class Dispatcher:
    """`publish` gets the events of each change, on the event loop, before their callers get their answers. Where nobody
    awaits an answer and `listened` says that nobody awaits events, the loop is left alone: it has them by `deliver` as
    soon as somebody asks, and after some hundreds of them in any case. `failed` is called there once if the store
    breaks: nothing is acknowledged from then on. `busy` says whether it is worth while that callers wait for others.
    `kinds` are those of which jobs may be submitted; None: any."""

    def __init__(
        self,
        lifecycle: Lifecycle,
        kinds: Mapping[str, Defaults] | None,
        clock: Clock,
        *,
        publish: Callable[[Sequence[Event]], None],
        listened: Callable[[], bool] = lambda: True,
        failed: Callable[[BaseException], None],
        pacing: Pacing,
        busy: Callable[[], bool] = lambda: False,
        observers: Observers = NOBODY,
    ) -> None:
        self.kinds = kinds
        self.draining = False
        self._lifecycle = lifecycle
        self._owner = lifecycle.owner
        self._clock = clock
        self._publish = publish
        self._listened = listened
        self._failed = failed
        self._pacing = pacing
        self._observers = observers
        self._loop = asyncio.get_running_loop()
        self._inbox: Inbox[Waiting] = Inbox(busy)
        self._writer = Writer(self._inbox, self._step, self._pause, self._break, most=_BATCH)
        self._runner: Workforce | None = None
        self._running: dict[ask.Lease, int | None] = {}
        # Those of them that run on workers, and go on when this server stops.
        self._afield: set[ask.Lease] = set()
        self._alarms = Alarms(self._running)
        self._held: list[Waiting] = []
        self._retry_at: int | None = None
        self._away: StoreUnavailable | None = None
        self._next_look = 0
        self._due: int | None = 0
        self._resting: list[tuple[Rest, asyncio.Future[Any] | None]] = []
        self._outbox: list[tuple[Sequence[Event], list[tuple[asyncio.Future[Any], Any]]]] = []
        self._outbox_lock = threading.Lock()
        self._untold = 0
        self._loop_woken = False
        self._idle = asyncio.Event()
        self._stopped = False
        self._broken: BaseException | None = None

    def start(self, runner: Workforce, afield: Sequence[Job] = ()) -> None:
        """Begin. What waits in the store is started as soon as there are slots; what runs on workers already, `afield`,
        is watched."""
        self._runner = runner
        for job in afield:
            self._adopt(job, self._clock.monotonic())
        self._writer.start()

    def call(self, command: ask.Command) -> asyncio.Future[Any]:
        """Carry out a command; the future gets its answer once that is durable, or the ServiceError. On the event loop.

        Raises Draining for what would bring new work while the service stops, StoreUnavailable after the store broke.
        """
        if self._broken is not None or self._stopped:
            raise StoreUnavailable("the service is stopping")
        if self.draining and _brings_work(command):
            raise Draining
        future = self._loop.create_future()
        self._inbox.put((command, future), patient=True)
        return future

    def tell(self, command: ask.Command) -> None:
        """Carry out a command that nobody awaits the answer of. From any thread."""
        self._inbox.put((command, None))

    def finished(self, command: ask.Finish) -> None:
        """A function has returned. From any thread."""
        self._inbox.put((command, None))

    def ended(self, commands: Sequence[ask.Finish]) -> None:
        """Functions have returned, and the calling thread has no others to run: it makes the change that this brings
        itself, unless somebody is at one. What that claims is started before this returns."""
        self._inbox.leave([(command, None) for command in commands])
        self._writer.relieve()

    def told(self, lease: ask.Lease) -> None:
        """A running attempt has something to report. From any thread."""
        self._inbox.put((Told(lease), None))

    def heard(self, news: News) -> None:
        """Other servers have done something, or left something undone. From any thread."""
        if news.overdue:
            self._inbox.put((ask.Attend(), None))
        elif news.work and self._lifecycle.free and not self.draining:
            self.wake()

    def gone(self, server: Member) -> None:
        """Another server is gone. From any thread."""
        self._inbox.put((ask.Bury(server.id, server.renewals), None))

    def noticed(self, events: Sequence[Event]) -> None:
        """What other servers may have done: some of it to jobs that run here. From any thread."""
        for event in events:
            job = event.job
            if job.owner == self._owner:
                if job.cancel_requested:
                    self._inbox.put((Stop(ask.Lease(job.seq, job.fence)), None))
            elif job.owner and runs_on(job) and ask.Lease(job.seq, job.fence) in self._afield:
                # Its worker has gone over to another server.
                self.missed()

    def missed(self) -> None:
        """Other servers have done so much that nobody can say what. From any thread."""
        self._inbox.put((ask.Reconcile(), None))

    def wake(self) -> None:
        """Look at the clock and the slots now. From any thread."""
        self._inbox.put((None, None))

    def lull(self, despite: frozenset[ask.Lease] | None = None) -> asyncio.Future[Lull]:
        """The next lull, with `despite` the next in which no attempts run but these. For whoever sets the clock. On the
        event loop."""
        future = self._loop.create_future()
        self._inbox.put((Rest(despite), future))
        return future

    async def drain(self, seconds: float) -> None:
        """Start nothing any more; wait up to so many seconds for what runs; put the rest back. Idempotent."""
        self.draining = True
        if not self._writer.started:
            return
        self.wake()
        try:
            await asyncio.wait_for(self._idle.wait(), seconds)
        except TimeoutError:
            try:
                await asyncio.wait_for(self._put_back(), _PUT_BACK_SECONDS)
            except (TimeoutError, ServiceError):
                log.warning("the store takes no writes: the next start will give the jobs back that still run")

    async def _put_back(self) -> None:
        # A change that began before may start some yet. Once this is answered, none will.
        await self.call(ask.ListSlots())
        leases = list(self._running.keys() - self._afield)
        log.info("drain timeout: putting jobs back", jobs=len(leases))
        await asyncio.gather(*[self.call(ask.GiveBack(lease)) for lease in leases])

    async def stop(self, until: Callable[[Callable[[], None]], Awaitable[None]] = asyncio.to_thread) -> None:
        """Carry out what still waits, then end the thread; `until` waits for what blocks that long. Idempotent."""
        self._stopped = True
        await until(self._writer.stop)

    def _break(self, error: BaseException, batch: list[Waiting]) -> None:
        """The change was not made, and no other may be: the service stops, and says why."""
        self._broken = error
        self._call_loop(self._fail, error, batch)

    def _pause(self) -> float:
        """After each turn. → `_sleep`."""
        self._rest()
        return self._sleep()

    def _sleep(self) -> float:
        """Seconds until something happens by itself."""
        waits = []
        if self._alarms.next is not None:
            waits.append(self._alarms.next - self._clock.monotonic())
        if self._retry_at is not None:
            waits.append(self._retry_at - self._clock.monotonic())
        else:
            waits.append(min(self._next_look - self._clock.now(), _LONGEST_SLEEP))
        return max(min(waits), 0) / SECOND

    def _rest(self) -> None:
        """Tell those who wait for such a lull as this, where it is one."""
        if not self._resting or self._sleep() == 0:
            return
        running = frozenset(self._running)
        met = [one for one in self._resting if one[0].despite is None or running <= one[0].despite]
        self._resting = [one for one in self._resting if one not in met]
        due = [] if self._due is None else [self._due - self._clock.now()]
        if self._alarms.next is not None:
            due.append(self._alarms.next - self._clock.monotonic())
        self._answer(met, [Lull(min(due, default=None), running)] * len(met), ())

    def _step(self, batch: list[Waiting]) -> None:
        now = self._clock.monotonic()
        work = self._held + self._reports(batch, now) + self._alarmed(now)
        self._held = []
        if self._away is not None and self._retry_at is not None and now < self._retry_at:
            # Else each call would wait for a connection that nobody answers.
            self._postpone(work, self._away)
            return
        commands = [command for command, _ in work]
        try:
            committed = self._lifecycle.apply(commands, claim=not self.draining)  # type: ignore[arg-type]
        except StoreBroken as broken:
            self._answer(work, [StoreUnavailable("the store failed")] * len(work), ())
            self._observers.not_taken(broken)
            raise broken
        except ServiceError as error:
            if self._retry_at is None:
                log.error("the store takes no writes", reason=error.reason, error=str(error))
            self._retry_at = now + _RETRY
            self._postpone(work, error)
            self._observers.not_taken(error)
            return
        except Exception as error:  # noqa: BLE001 - answered, or raised again, by _isolate
            self._isolate(work, error)
            return
        if self._retry_at is not None:
            log.info("the store takes writes again")
        self._retry_at = None
        self._away = None
        due, trim = committed.agenda
        self._due = due
        self._next_look = trim if due is None else min(due, trim)
        self._inbox.expect(sum(future is not None for _, future in work))
        self._carry_out(work, committed, now)
        self._observers.committed(committed)

    def _reports(self, batch: list[Waiting], now: int) -> list[Waiting]:
        """The commands of `batch`, with those reports that are due taken and the others put off."""
        work: list[Waiting] = []
        for command, future in batch:
            if isinstance(command, Rest):
                self._resting.append((command, future))
            elif isinstance(command, Stop):
                self._stop_attempt(command.lease, now)
            elif isinstance(command, Told):
                last = self._running.get(command.lease)
                if last is not None and now - last < self._pacing.report_interval:
                    self._alarms.set(last + self._pacing.report_interval, command.lease, Alarm.REPORT)
                else:
                    work += self._report(command.lease, now)
            elif command is not None:
                work.append((command, future))
        return work

    def _report(self, lease: ask.Lease, now: int) -> list[Waiting]:
        if lease not in self._running:
            return []
        if self._retry_at is not None:
            # What it tells is put together where it is, which is bounded.
            self._alarms.set(now + _RETRY, lease, Alarm.REPORT)
            return []
        self._running[lease] = now
        assert self._runner is not None
        told = self._runner.take(lease)
        return [(ask.Report(lease, *told), None)] if told.progress is not None or told.output else []

    def _alarmed(self, now: int) -> list[Waiting]:
        """What is to be done about the attempts whose time has come."""
        work: list[Waiting] = []
        for lease, alarm in self._alarms.due(now):
            assert self._runner is not None
            work += self._report(lease, now)
            if alarm is not Alarm.REPORT and not self._runner.end(lease, OVERRUN[alarm]):
                work.append((ask.Overrun(lease, OVERRUN[alarm]), None))
        return work

    def _carry_out(self, work: list[Waiting], committed: Committed, now: int) -> None:
        assert self._runner is not None
        for (command, _), answer in zip(work, committed.answers, strict=True):
            if isinstance(command, ask.Finish):
                self._forget(command.lease)
            elif isinstance(command, ask.Report):
                self._runner.kept(command.lease)
            elif isinstance(command, (ask.Bury, ask.Recover)) and answer == command.limit:
                self._inbox.put((ask.Recover(), None))
        for job in committed.taken_over:
            self._adopt(job, now)
        for job in committed.started:
            lease = ask.Lease(job.seq, job.fence)
            self._running[lease] = None
            if runs_on(job):
                self._afield.add(lease)
            if job.spec.timeout is not None:
                self._alarms.set(now + job.spec.timeout, lease, Alarm.TIMEOUT)
            self._runner.start(job)
        for lease in committed.stopping:
            self._stop_attempt(lease, now)
        for lease in committed.dropped:
            self._forget(lease)
        self._runner.flush()
        self._answer(work, committed.answers, committed.events)
        if self.draining and len(self._running) == len(self._afield):
            self._call_loop(self._idle.set)

    def _adopt(self, job: Job, now: int) -> None:
        """A worker runs it already: its time goes on, from when it began."""
        assert self._runner is not None
        lease = ask.Lease(job.seq, job.fence)
        self._running[lease] = None
        self._afield.add(lease)
        self._runner.adopt(job)
        if job.lingering:
            return
        if job.spec.timeout is not None and job.start_time is not None:
            left = job.start_time + job.spec.timeout - self._clock.now()
            self._alarms.set(now + max(left, 0), lease, Alarm.TIMEOUT)
        if job.cancel_requested:
            self._alarms.set(now + self._pacing.cancel_grace, lease, Alarm.GRACE)

    def _forget(self, lease: ask.Lease) -> None:
        assert self._runner is not None
        self._running.pop(lease, None)
        self._afield.discard(lease)
        self._runner.settled(lease)

    def _stop_attempt(self, lease: ask.Lease, now: int) -> None:
        assert self._runner is not None
        if lease in self._running:
            self._alarms.set(now + self._pacing.cancel_grace, lease, Alarm.GRACE)
            self._runner.stop(lease)

    def _postpone(self, work: list[Waiting], error: ServiceError) -> None:
        """The store takes nothing now: callers are told, and what is so anyway is kept until it does."""
        self._held = [(command, future) for command, future in work if isinstance(command, ask.FROM_WITHIN)]
        refused = [(command, future) for command, future in work if not isinstance(command, ask.FROM_WITHIN)]
        if isinstance(error, StoreUnavailable):
            self._away = error
        else:
            looking = [(command, future) for command, future in refused if isinstance(command, ask.LOOKING)]
            refused = [(command, future) for command, future in refused if not isinstance(command, ask.LOOKING)]
            self._answer(looking, self._lifecycle.look([command for command, _ in looking]), ())
        self._answer(refused, [error] * len(refused), ())

    def _isolate(self, work: list[Waiting], error: Exception) -> None:
        """Something is wrong with one of these commands: the others must not pay for it."""
        if len(work) > 1:
            held: list[Waiting] = []
            for one in work:
                self._step_alone(one)
                held += self._held
                self._held = []
            self._held = held
            return
        # As text, made here: what renders exceptions for people shows variables too, and with them payloads.
        text = "".join(traceback.format_exception(error))
        command, future = work[0] if work else (None, None)
        log.error("a change failed", command=type(command).__name__ if work else "none", exception=text)
        if isinstance(command, ask.Finish) and command.outcome != _UNRECORDED:
            # Whatever a function says of its end must not be the end of the service, and again of the next one.
            self._step([(ask.Finish(command.lease, _UNRECORDED), future)])
            return
        if command is None or isinstance(command, ask.FROM_WITHIN):
            raise error
        self._answer(work, [error], ())

    def _step_alone(self, one: Waiting) -> None:
        self._step([one])

    def _answer(
        self, work: Sequence[tuple[Any, asyncio.Future[Any] | None]], answers: Sequence[Any], events: Sequence[Event]
    ) -> None:
        """Hand events and answers to the event loop, which is woken once for all that it has not taken yet."""
        replies = [(future, answer) for (_, future), answer in zip(work, answers, strict=True) if future is not None]
        if not replies and not events:
            return
        with self._outbox_lock:
            self._outbox.append((events, replies))
            self._untold += len(events)
            # Only now, when the events are there: whoever begins to listen looks for them after that.
            wake = not self._loop_woken and (bool(replies) or self._untold >= _UNTOLD or self._listened())
            self._loop_woken = self._loop_woken or wake
        if wake:
            self._call_loop(self.deliver)

    def deliver(self) -> None:
        """Publish what has happened so far, and give the answers. On the event loop."""
        with self._outbox_lock:
            outbox, self._outbox = self._outbox, []
            self._untold = 0
            self._loop_woken = False
        for events, replies in outbox:
            if events:
                self._publish(events)
            for future, answer in replies:
                # A caller that went away has cancelled its future.
                if future.done():
                    continue
                if isinstance(answer, Exception):
                    future.set_exception(answer)
                else:
                    future.set_result(answer)

    def _fail(self, error: BaseException, batch: list[Waiting]) -> None:
        while self._inbox:
            batch += self._inbox.take(_BATCH)
        for _, future in [*self._held, *self._resting, *batch]:
            if future is not None and not future.done():
                future.set_exception(StoreUnavailable("the service is stopping"))
        self._failed(error)

    def _call_loop(self, function: Callable[..., None], *arguments: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(function, *arguments)
        except RuntimeError:
            # The event loop has closed: the service is gone, and nobody is left to tell.
            log.warning("the event loop is closed")
