"""What happened to jobs, in the order in which it was committed, for a test to look at."""

import threading
from collections.abc import Iterator, Sequence
from typing import overload

from slotd.client import Client
from slotd.requests import State, job_state
from slotd.streams import EventStream
from slotd.testing.described import state_name
from slotd.ties import JobRef, job_id
from slotd.v1 import EVENT_TYPE_DELETED, JOB_VIEW_FULL, JobEvent


class RecordedEvents(Sequence[JobEvent]):
    """The events since a cursor or, without one, since this was made. Each look at them sees all that had been
    committed before it, jobs in full.

    `client` is anybody's, so that a service elsewhere may be looked at too; `include_progress` records progress and
    output as well.
    """

    def __init__(self, client: Client, cursor: str = "", *, include_progress: bool = False) -> None:
        self._client = client
        self._cursor = cursor or client.list_page(page_size=1).cursor
        self._include_progress = include_progress
        self._events: list[JobEvent] = []

    @overload
    def __getitem__(self, index: int) -> JobEvent: ...

    @overload
    def __getitem__(self, index: slice) -> list[JobEvent]: ...

    def __getitem__(self, index: int | slice) -> JobEvent | list[JobEvent]:
        return self._seen()[index]

    def __len__(self) -> int:
        return len(self._seen())

    def __iter__(self) -> Iterator[JobEvent]:
        return iter(list(self._seen()))

    def of(self, job: JobRef) -> list[JobEvent]:
        """Those of one job."""
        wanted = job_id(job)
        return [event for event in self._seen() if event.job.id == wanted]

    def states(self, job: JobRef) -> list[str]:
        """The states that a job went through, as ["QUEUED", "RUNNING", "SUCCEEDED"]; DELETED when it is gone."""
        names: list[str] = []
        for event in self.of(job):
            name = _name(event)
            if not names or names[-1] != name or event.previous_state != event.job.state:
                names.append(name)
        return names

    def wait_for(self, job: JobRef, state: State, timeout: float = 10.0, *, attempt: int | None = None) -> JobEvent:
        """The first event in which a job is in a state, in a certain attempt where one is given. It may have happened.

        Raises AssertionError where that has not come within so many seconds by the machine's clock.
        """
        __tracebackhide__ = True
        wanted, goal = job_id(job), job_state(state)
        looked = 0
        with self._stream() as stream:
            timer = threading.Timer(timeout, stream.close)
            timer.start()
            try:
                while True:
                    for event in self._events[looked:]:
                        there = event.job.id == wanted and event.job.state == goal
                        if there and attempt in (None, event.job.attempt) and event.type != EVENT_TYPE_DELETED:
                            return event
                    looked = len(self._events)
                    if not self._read(stream):
                        break
            finally:
                timer.cancel()
        went = " → ".join(self.states(job)) or "nothing was recorded of it"
        raise AssertionError(f"job {wanted} was not {state_name(goal)} within {timeout:g} s: {went}")

    def _seen(self) -> list[JobEvent]:
        """What is recorded, after reading what has been committed since."""
        with self._stream() as stream:
            while not stream.synced and self._read(stream):
                pass
        return self._events

    def _stream(self) -> EventStream:
        return self._client.stream(
            cursor=self._cursor, view=JOB_VIEW_FULL, include_progress=self._include_progress, resume=False
        )

    def _read(self, stream: EventStream) -> bool:
        """Take in a message; False at the end."""
        message = next(stream.messages(), None)
        if message is None:
            return False
        self._events += message.events
        self._cursor = message.cursor or self._cursor
        return True


def _name(event: JobEvent) -> str:
    return "DELETED" if event.type == EVENT_TYPE_DELETED else state_name(event.job.state)
