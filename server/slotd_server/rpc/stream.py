"""Stream: a loop over the event log. What there is in the log is told; where there is no more, the stream waits.

Responses are built as bytes: an event is encoded once for all who see it, and subscribers that ask alike and stand at
the same place share whole messages.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import zip_longest
from tempfile import SpooledTemporaryFile
from typing import Any, NamedTuple

from slotd import v1
from slotd_server.domain.errors import CursorAhead, CursorExpired, Draining, NotFound, TooManyStreams
from slotd_server.domain.events import EVERYTHING, Event, EventType, JobFilter
from slotd_server.events import Batch, EventLog, latest
from slotd_server.reads import Reads
from slotd_server.rpc import convert, cursors, encode, validate
from slotd_server.rpc.calls import Call
from slotd_server.store.base import Snapshot

_CHUNK = 1024
"""Events, or jobs of a snapshot, that are read at once."""

_MESSAGE_EVENTS = 256
_MESSAGE_BYTES = 1 << 20
"""A message is sent when it has so many events, or bytes: with one more event of 2 MiB it is still below the 4 MiB that
clients take by default."""

_SHARED = 64
_ENCODED = 4096
"""How many runs of messages, and how many events, are remembered as bytes for the next one who asks for them."""

_SPOOL_BYTES = 1 << 20
"""A snapshot beyond this waits for its reader in a temporary file."""


class Query(NamedTuple):
    """What a subscriber asks for. `after` None begins with a snapshot. Two alike see the same."""

    filter: JobFilter
    view: int
    latest: bool
    minor: bool

    @property
    def whole(self) -> bool:
        return self.view == v1.JOB_VIEW_FULL

    def select(self, events: Iterable[Event]) -> list[Event]:
        """Those of `events` that the subscriber sees, as it sees them."""
        if not self.minor:
            events = [event for event in events if not event.minor]
        if self.filter != EVERYTHING:
            events = [seen for event in events if (seen := self.filter.view(event)) is not None]
        return latest(events) if self.latest else list(events)


class _Place:
    """An open stream: the revision up to which its reader has been told all, None while there is nothing to tell it."""

    def __init__(self) -> None:
        self.told: int | None = None


class Taken(NamedTuple):
    """A snapshot: messages, each behind its length, in a file; and which of the jobs asked for are not terminal."""

    revision: int
    messages: SpooledTemporaryFile[bytes]
    open_jobs: set[str]


class Streams:
    """`heartbeat` in seconds; at most `limit` streams are open at once."""

    def __init__(
        self, reads: Reads, log: EventLog, store_id: str, boot: Callable[[], str], *, heartbeat: float, limit: int
    ) -> None:
        self._reads = reads
        self._log = log
        self._store_id = store_id
        self._boot = boot
        self._heartbeat = heartbeat
        self._limit = limit
        self._places: set[_Place] = set()
        self._encoded: dict[tuple[int, int, int | None], bytes] = {}
        self._shared: dict[tuple[Query, int, int], list[bytes]] = {}

    @property
    def open(self) -> int:
        """How many streams are open."""
        return len(self._places)

    def lag(self) -> int:
        """How many events behind the newest the slowest of them is. One that only waits is not."""
        told = [place.told for place in self._places if place.told is not None]
        return self._log.revision - min(told) if told else 0

    async def Stream(self, request: v1.StreamRequest, _: Call) -> AsyncIterator[bytes]:
        """See JobService.Stream."""
        validate.stream(request)
        query = Query(
            convert.filter_from(request.filter),
            request.view or v1.JOB_VIEW_BASIC,
            request.delivery == v1.DELIVERY_LATEST,
            request.include_progress,
        )
        with self._place() as place:
            if request.cursor:
                cursor = cursors.decode(request.cursor, self._store_id)
                after = cursor.revision
                target, open_jobs = await self._reads(lambda snapshot: _resume(snapshot, query, cursor))
            else:
                after, messages, open_jobs = await self._reads(lambda snapshot: self._take(snapshot, query))
                place.told = after
                with messages:
                    for message in _unspool(messages):
                        yield message
                target = after
            async for message in self._follow(query, place, after, target, open_jobs):
                yield message

    async def _follow(
        self, query: Query, place: _Place, after: int, target: int, open_jobs: set[str]
    ) -> AsyncIterator[bytes]:
        """All that happens after revision `after`; it is synced once it has told what there was at `target`."""
        job_ids = query.filter.job_ids
        time = asyncio.get_running_loop().time
        # The store may be ahead of what the event loop has been told.
        while self._log.revision < target:
            await self._log.wait(self._log.revision, frozenset(), None)
        synced = False
        spoken = time()
        while True:
            place.told = after
            if not synced and after >= target:
                synced = True
                yield self._response(after, synced=True)
            if synced and job_ids and not open_jobs:
                return
            batch = await self._log.read(after, _CHUNK, job_ids, whole=query.whole)
            for event in batch.events:
                _track(open_jobs, event)
            for message in self._messages(query, after, batch):
                yield message
                spoken = time()
            after = max(after, batch.upto)
            if time() - spoken >= self._heartbeat:
                yield self._response(after, heartbeat=True)
                spoken = time()
            if synced and not batch.events:
                place.told = None
                try:
                    await self._log.wait(after, job_ids, max(spoken + self._heartbeat - time(), 0))
                except Draining:
                    # The last word is the cursor to go on from, elsewhere or later.
                    yield self._response(after)
                    raise

    def _take(self, snapshot: Snapshot, query: Query) -> Taken:
        """What there is, told in full while the snapshot is open, so that a slow reader does not keep it open."""
        open_jobs = _open_jobs(snapshot, query, must_exist=True)
        spool: SpooledTemporaryFile[bytes] = SpooledTemporaryFile(max_size=_SPOOL_BYTES)  # noqa: SIM115 - the reader closes it
        position = 0
        while True:
            jobs = snapshot.jobs(query.filter, _CHUNK, after=position, whole=query.whole)
            events = [Event(job.revision, EventType.SNAPSHOT, job, None, 0) for job in jobs]
            tail = v1.StreamResponse(revision=snapshot.revision).SerializeToString()
            for parts, _ in self._grouped(events, query.view):
                message = b"".join([*parts, tail])
                spool.write(len(message).to_bytes(4) + message)
            if len(jobs) < _CHUNK:
                spool.seek(0)
                return Taken(snapshot.revision, spool, open_jobs)
            position = jobs[-1].seq

    def _messages(self, query: Query, after: int, batch: Batch) -> list[bytes]:
        """The messages that tell of `batch`, which begins after revision `after`."""
        key = (query, after, batch.upto)
        messages = self._shared.get(key)
        if messages is None:
            seen = query.select(batch.events)
            messages = []
            for parts, last in self._grouped(seen, query.view):
                revision = batch.upto if last is seen[-1] else last.revision
                messages.append(b"".join([*parts, self._response(revision)]))
            # Not worth keeping, or too much: what only one subscriber sees, and payloads.
            if not query.whole and not query.filter.job_ids:
                self._shared[key] = messages
                _bound(self._shared, _SHARED)
        return messages

    def _grouped(self, events: list[Event], view: int) -> Iterator[tuple[list[bytes], Event]]:
        """Encoded events, in groups that fit into one message, each with its last event."""
        parts: list[bytes] = []
        size = 0
        for event, following in zip_longest(events, events[1:]):
            parts.append(self._encode(event, view))
            size += len(parts[-1])
            # Sent before it is too large: no single event is.
            if following is None or len(parts) == _MESSAGE_EVENTS or size > _MESSAGE_BYTES:
                yield parts, event
                parts, size = [], 0

    def _encode(self, event: Event, view: int) -> bytes:
        """The event as a field of StreamResponse."""
        whole = view == v1.JOB_VIEW_FULL
        if whole or event.type is EventType.SNAPSHOT:
            return _field(encode.event(event, whole))
        key = (event.revision, event.type, event.previous_state)
        data = self._encoded.get(key)
        if data is None:
            data = self._encoded[key] = _field(encode.event(event, whole))
            _bound(self._encoded, _ENCODED)
        return data

    def _response(self, revision: int, *, synced: bool = False, heartbeat: bool = False) -> bytes:
        cursor = cursors.encode(self._store_id, self._boot(), revision)
        response = v1.StreamResponse(cursor=cursor, revision=revision, synced=synced, heartbeat=heartbeat)
        return response.SerializeToString()

    @contextmanager
    def _place(self) -> Iterator[_Place]:
        if len(self._places) >= self._limit:
            raise TooManyStreams(self._limit)
        place = _Place()
        self._places.add(place)
        try:
            yield place
        finally:
            self._places.remove(place)


def _resume(snapshot: Snapshot, query: Query, cursor: cursors.Cursor) -> tuple[int, set[str]]:
    """The present revision, and those of the jobs asked for that are not terminal."""
    if not snapshot.reached(cursor.boot, cursor.revision):
        raise CursorAhead
    if cursor.revision < snapshot.horizon:
        raise CursorExpired
    return snapshot.revision, _open_jobs(snapshot, query, must_exist=False)


def _open_jobs(snapshot: Snapshot, query: Query, *, must_exist: bool) -> set[str]:
    job_ids = query.filter.job_ids
    if not job_ids:
        return set()
    jobs = snapshot.jobs(JobFilter(job_ids=job_ids), len(job_ids), whole=False)
    missing = job_ids - {job.id for job in jobs}
    if missing and must_exist:
        raise NotFound("job", min(missing))
    return {job.id for job in jobs if not job.state.terminal}


def _track(open_jobs: set[str], event: Event) -> None:
    if event.job.state.terminal:
        open_jobs.discard(event.job.id)
    else:
        open_jobs.add(event.job.id)


def _unspool(messages: SpooledTemporaryFile[bytes]) -> Iterator[bytes]:
    while size := messages.read(4):
        yield messages.read(int.from_bytes(size))


def _field(data: bytes) -> bytes:
    """`data` as a field of StreamResponse: the tag of `events`, the length as a varint, the bytes."""
    length = len(data)
    prefix = bytearray([v1.StreamResponse.EVENTS_FIELD_NUMBER << 3 | 2])
    while length > 0x7F:
        prefix.append(length & 0x7F | 0x80)
        length >>= 7
    prefix.append(length)
    return bytes(prefix) + data


def _bound(cache: dict[Any, Any], size: int) -> None:
    """Let the oldest entry go where there are more than `size`."""
    if len(cache) > size:
        del cache[next(iter(cache))]
