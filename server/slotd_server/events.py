"""The event log as the event loop sees it: the newest events in memory, the others in the store, and who waits.

There is no queue per subscriber. Each one has a position; it reads on from there, and where there is nothing more it
waits to be woken. One that is slow costs nothing but its own time.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import NamedTuple, Protocol

from slotd_server.domain.errors import CursorExpired, Draining, ServiceError, StoreBroken
from slotd_server.domain.events import Event, EventType
from slotd_server.domain.states import TERMINAL

_EVENT_BYTES = 1024
"""What an event without payload and result is reckoned to take in memory."""


_CHUNK = 1024
"""How many events of other servers are read at once."""

_RETRY_SECONDS = 0.5
"""How long to wait before the store is asked again that had no answer."""


class Read(Protocol):
    """Up to `limit` stored events after a revision, of these jobs where any are named. Raises CursorExpired."""

    def __call__(self, after: int, limit: int, job_ids: frozenset[str], whole: bool) -> Awaitable[list[Event]]: ...


class Batch(NamedTuple):
    """Events in revision order, and the revision up to which there is nothing else of interest."""

    events: Sequence[Event]
    upto: int


class EventLog:
    """`keep` events and `keep_bytes` are held in memory, and twice that at the most. `pull` publishes what has happened
    but has not been published yet; `others` gets what was read from the store, because other servers may have brought
    it, and `missed` is called where that was too much for the store to keep. All methods but `listened` are for the
    event loop."""

    def __init__(self, revision: int, read: Read, *, keep: int = 8192, keep_bytes: int = 64 << 20) -> None:
        self.pull: Callable[[], None] = _nothing
        self.others: Callable[[Sequence[Event]], None] = _nobody
        self.missed: Callable[[], None] = _nothing
        self._revision = revision
        self._heard = revision
        self._catching_up: asyncio.Task[None] | None = None
        self.ended = False
        self._read = read
        self._keep = keep
        self._keep_bytes = keep_bytes
        self._events: list[Event] = []
        self._bytes = 0
        # By job id; of the first so many of the events.
        self._by_job: dict[str, list[Event]] = {}
        self._indexed = 0
        self._waiting: set[asyncio.Future[None]] = set()
        self._waiting_for: dict[str, set[asyncio.Future[None]]] = {}

    @property
    def revision(self) -> int:
        """The newest one."""
        self.pull()
        return self._revision

    def listened(self) -> bool:
        """Whether anybody waits for events. From any thread."""
        return bool(self._waiting or self._waiting_for)

    def publish(self, events: Sequence[Event]) -> None:
        """Take in what was committed, in order, and wake whoever waits for it. Where other servers have committed
        before, what they did is read first, and this with it."""
        missing = events[0].revision - self._revision - 1
        if missing > 0:
            self.heard(events[-1].revision)
        elif events[-1].revision > self._revision:
            self._take_in(events[-missing:])

    def heard(self, revision: int) -> None:
        """The store has come as far as this: what is not known of it is read."""
        if revision > max(self._heard, self._revision) and not self.ended:
            self._heard = revision
            if self._catching_up is None:
                self._catching_up = asyncio.get_running_loop().create_task(self._catch_up())

    async def _catch_up(self) -> None:
        try:
            while self._revision < self._heard:
                try:
                    events = await self._read(self._revision, _CHUNK, frozenset(), True)
                except CursorExpired:
                    self._skip()
                    return
                except (ServiceError, StoreBroken):
                    # It is away, and says so elsewhere.
                    events = []
                if events:
                    self.publish(events)
                    self.others(events)
                else:
                    await asyncio.sleep(_RETRY_SECONDS)
        finally:
            self._catching_up = None

    def _skip(self) -> None:
        """So much has happened that the store no longer has all of it: whoever needs that is told so by the store."""
        self._revision = self._heard
        self._events.clear()
        self._by_job.clear()
        self._indexed = 0
        self._bytes = 0
        self._wake_all()
        self.missed()

    def _take_in(self, events: Sequence[Event]) -> None:
        self._revision = events[-1].revision
        self._events += events
        self._bytes += sum([_size(event) for event in events])
        if self._waiting_for:
            for event in events:
                for waiter in self._waiting_for.pop(event.job.id, ()):
                    _wake(waiter)
        if len(self._events) > 2 * self._keep or self._bytes > 2 * self._keep_bytes:
            self._forget()
        waiting, self._waiting = self._waiting, set()
        for waiter in waiting:
            _wake(waiter)

    async def read(self, after: int, limit: int, job_ids: frozenset[str] = frozenset(), *, whole: bool = True) -> Batch:
        """Up to `limit` events after revision `after`, of these jobs where any are named. Events that come from the
        store have no payload and result data unless `whole`. Raises CursorExpired where the store no longer has
        them."""
        known = self.revision
        if after >= self._oldest - 1:
            return self._remembered(after, limit, job_ids)
        events = await self._read(after, limit, job_ids, whole)
        if len(events) == limit:
            return Batch(events, events[-1].revision)
        return Batch(events, max(known, events[-1].revision) if events else known)

    async def wait(self, after: int, job_ids: frozenset[str], seconds: float | None) -> bool:
        """Until there may be events after `after`, of these jobs where any are named; False after so many seconds.

        Raises Draining once the service stops.
        """
        if self.ended:
            raise Draining
        self.pull()
        if after < self._oldest - 1 or self._remembered(after, 1, job_ids).events:
            return True
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[None] = loop.create_future()
        timer = None if seconds is None else loop.call_later(seconds, waiter.cancel)
        if job_ids:
            for job_id in job_ids:
                self._waiting_for.setdefault(job_id, set()).add(waiter)
        else:
            self._waiting.add(waiter)
        # What happened before anybody listened may not have been told: this wakes the waiter if it is for it.
        self.pull()
        try:
            await waiter
            if self.ended:
                raise Draining
            return True
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            return False
        finally:
            if timer is not None:
                timer.cancel()
            self._discard(waiter, job_ids)

    def end(self) -> None:
        """The service stops: whoever waits, now or later, gets Draining."""
        self.ended = True
        if self._catching_up is not None:
            self._catching_up.cancel()
        self._wake_all()

    async def wait_for(self, job_id: str, after: int) -> None:
        """Until there is an event of this job after revision `after`, progress and output included."""
        await self.wait(after, frozenset({job_id}), None)

    @property
    def _oldest(self) -> int:
        return self._events[0].revision if self._events else self._revision + 1

    def _remembered(self, after: int, limit: int, job_ids: frozenset[str]) -> Batch:
        if not job_ids:
            start = max(after - self._oldest + 1, 0)
            events = self._events[start : start + limit]
            return Batch(events, events[-1].revision if events else max(after, self._revision))
        self._index()
        found = [event for job_id in job_ids for event in _after(self._by_job.get(job_id, ()), after)]
        if len(job_ids) > 1:
            found.sort()
        if len(found) > limit:
            return Batch(found[:limit], found[limit - 1].revision)
        return Batch(found, max(after, self._revision))

    def _index(self) -> None:
        # Only now: on a busy service nobody asks for most jobs by their ids.
        for event in self._events[self._indexed :]:
            self._by_job.setdefault(event.job.id, []).append(event)
        self._indexed = len(self._events)

    def _forget(self) -> None:
        """Drop the older half of what is remembered."""
        count, size = 0, self._bytes
        while count < len(self._events) and (len(self._events) - count > self._keep or size > self._keep_bytes):
            size -= _size(self._events[count])
            count += 1
        for event in self._events[: min(count, self._indexed)]:
            known = self._by_job[event.job.id]
            del known[0]
            if not known:
                del self._by_job[event.job.id]
        del self._events[:count]
        self._indexed = max(self._indexed - count, 0)
        self._bytes = size

    def _wake_all(self) -> None:
        for waiter in [*self._waiting, *(waiter for waiters in self._waiting_for.values() for waiter in waiters)]:
            _wake(waiter)

    def _discard(self, waiter: asyncio.Future[None], job_ids: frozenset[str]) -> None:
        self._waiting.discard(waiter)
        for job_id in job_ids:
            others = self._waiting_for.get(job_id)
            if others is not None:
                others.discard(waiter)
                if not others:
                    del self._waiting_for[job_id]


def _nothing() -> None:
    """All is published as it happens."""


def _nobody(_: Sequence[Event]) -> None:
    """There are no other servers."""


def latest(events: Iterable[Event]) -> list[Event]:
    """Per job the newest event, and those that made it terminal or took it away; in revision order.

    What a skipped event told is told by the next of its job: that the job is new, and the state before.
    """
    last: dict[int, int] = {}
    kept: list[Event | None] = []
    for event in events:
        seq = event.job.seq
        ended = event.job.state in TERMINAL and event.previous_state not in TERMINAL
        position = last.pop(seq, None)
        if position is not None:
            before = kept[position]
            assert before is not None
            kept[position] = None
            event = _merged(before, event)
        if not ended:
            last[seq] = len(kept)
        kept.append(event)
    return [event for event in kept if event is not None]


def _merged(before: Event, event: Event) -> Event:
    minor = before.minor and event.minor
    if event.type is EventType.CHANGED and before.type is EventType.CREATED:
        return event._replace(type=EventType.CREATED, previous_state=None, minor=minor)
    return event._replace(previous_state=before.previous_state or event.previous_state, minor=minor)


def _after(events: Sequence[Event], after: int) -> Sequence[Event]:
    start = len(events)
    while start and events[start - 1].revision > after:
        start -= 1
    return events[start:]


def _wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)


def _size(event: Event) -> int:
    job = event.job
    size = _EVENT_BYTES
    if job.spec.payload is not None:
        size += len(job.spec.payload.data)
    if job.result is not None:
        size += len(job.result.data)
    return size
