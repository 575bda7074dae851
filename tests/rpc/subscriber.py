"""A subscriber that keeps a record of what it was told, and the check of that record against the store's own log."""

import random
import sqlite3
from collections.abc import Callable, Coroutine
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import grpc

from slotd import v1
from slotd_server.domain.events import Event, EventType
from slotd_server.domain.states import State
from slotd_server.store.sqlite_read import SqliteSnapshot


class Told(NamedTuple):
    """What one event said."""

    revision: int
    type: int
    job_id: str
    state: int


class Log:
    """The store's log, read from its file behind the service's back."""

    def __init__(self, path: Path) -> None:
        connection = sqlite3.connect(path)
        try:
            connection.execute("BEGIN")
            self.events: list[Event] = SqliteSnapshot(connection).events(0, 10_000_000, whole=False)
        finally:
            connection.close()

    def jobs_at(self, revision: int) -> dict[str, Event]:
        """The last event of each job that was there at `revision`."""
        jobs = {event.job.id: event for event in self.events if event.revision <= revision}
        return {job_id: event for job_id, event in jobs.items() if event.type is not EventType.DELETED}


class Subscriber:
    """Streams with one request, over as many calls as it takes. What it was told is in `told`, in order."""

    def __init__(self, request: v1.StreamRequest, chance: random.Random) -> None:
        self.request = request
        self.chance = chance
        self.snapshot: dict[str, tuple[int, int]] = {}
        self.snapshot_revision = 0
        self.told: list[Told] = []
        self.revision = 0
        self.calls = 0
        self._cursor = ""

    async def follow(
        self,
        stub: Callable[[], Any],
        done: Callable[[int], bool],
        *,
        messages: Callable[[], int | None] = lambda: None,
        before_each: Callable[[], Coroutine[Any, Any, object]] | None = None,
    ) -> None:
        """Reads until `done` says so of the revision. Each call is given up after `messages()` messages, None for
        never; `before_each` is awaited before each message. `stub` is where the next call goes."""
        while not done(self.revision):
            self.calls += 1
            left = messages()
            request = v1.StreamRequest()
            request.CopyFrom(self.request)
            request.cursor = self._cursor
            call = stub().Stream(request)
            while not done(self.revision) and left != 0:
                if before_each is not None:
                    await before_each()
                message = await call.read()
                assert message is not grpc.aio.EOF, "a stream without job ids does not end"
                self.take(message)
                left = None if left is None else left - 1
            call.cancel()

    def take(self, message: v1.StreamResponse) -> None:
        """Note a message. One that goes away before it has a cursor begins again."""
        for event in message.events:
            if event.type == v1.EVENT_TYPE_SNAPSHOT:
                if self.snapshot_revision != message.revision:
                    self.snapshot, self.snapshot_revision = {}, message.revision
                assert event.job.id not in self.snapshot, "twice in one snapshot"
                self.snapshot[event.job.id] = (event.job.revision, event.job.state)
            else:
                self.told.append(Told(event.revision, event.type, event.job.id, event.job.state))
        if message.cursor:
            if not self._cursor and not self.snapshot:
                self.snapshot_revision = message.revision
            self._cursor = message.cursor
            assert message.revision >= self.revision, "the position went back"
            self.revision = message.revision

    # The check, in its own words: nothing of the service's own selecting is used.

    def check(self, log: Log) -> None:
        """Raises AssertionError where the record is not what the log says it should be."""
        revisions = [told.revision for told in self.told]
        assert all(one < other for one, other in pairwise(revisions)), "not increasing"
        begun = log.jobs_at(self.snapshot_revision)
        expected = {job_id: (one.revision, int(one.job.state)) for job_id, one in begun.items() if self._matches(one)}
        assert self.snapshot == expected, "the snapshot is not what there was"
        due = [
            told
            for event in log.events
            if self.snapshot_revision < event.revision <= self.revision and (told := self._expected(event)) is not None
        ]
        if self.request.delivery != v1.DELIVERY_LATEST:
            assert self.told == due
            return
        allowed = {(told.revision, told.job_id, told.state) for told in due}
        assert {(told.revision, told.job_id, told.state) for told in self.told} <= allowed, "what nobody did"
        assert {one.job_id: one.state for one in self.told} == {one.job_id: one.state for one in due}, "another end"
        ends = {
            (event.revision, event.job.id)
            for event in log.events
            if event.job.state.terminal and not (event.previous_state and event.previous_state.terminal)
        }
        skipped = {(told.revision, told.job_id) for told in due} & ends - {
            (told.revision, told.job_id) for told in self.told
        }
        assert not skipped, "an end was skipped"

    def _expected(self, event: Event) -> Told | None:
        if event.minor and not self.request.include_progress:
            return None
        kind = int(event.type)
        if not self._matches(event):
            if event.previous_state is None or not self._matches(event, event.previous_state):
                return None
            if event.type is not EventType.DELETED:
                kind = v1.EVENT_TYPE_LEFT_FILTER
        return Told(event.revision, kind, event.job.id, int(event.job.state))

    def _matches(self, event: Event, state: State | None = None) -> bool:
        wanted, spec = self.request.filter, event.job.spec
        return (
            (not wanted.queues or spec.queue in wanted.queues)
            and (not wanted.kinds or spec.kind in wanted.kinds)
            and (not wanted.states or int(event.job.state if state is None else state) in wanted.states)
            and all((name, value) in spec.labels for name, value in wanted.labels.items())
        )
