"""What happened on all servers together, by the one log that they share."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence

from slotd import v1
from tests.service import Endpoint

ENDED = (v1.JOB_STATE_SUCCEEDED, v1.JOB_STATE_FAILED, v1.JOB_STATE_CANCELLED)


def cursor_now(at: Endpoint) -> str:
    """Where the log ends now, as this server has it."""
    return at.client.list_page(page_size=1).cursor


def revision_now(at: Endpoint) -> int:
    """The store's revision."""
    return at.queues.GetStats(v1.GetStatsRequest()).revision


def told(at: Endpoint, cursor: str, upto: int | None = None) -> list[v1.JobEvent]:
    """All that this server tells from a cursor up to a revision, or up to what the store has now.

    Raises AssertionError where a revision is missing or comes twice.
    """
    end = revision_now(at) if upto is None else upto
    events: list[v1.JobEvent] = []
    call = at.jobs.Stream(v1.StreamRequest(cursor=cursor, include_progress=True))
    for message in call:
        events += message.events
        if message.revision >= end:
            break
    call.cancel()
    assert_gapless(events)
    return events


def assert_gapless(events: Sequence[v1.JobEvent]) -> None:
    """Each event has the revision after that of the one before."""
    revisions = [event.revision for event in events]
    assert revisions == list(range(revisions[0], revisions[0] + len(revisions))) if revisions else True


def running_at_each_revision(events: Iterable[v1.JobEvent]) -> Iterator[list[v1.Job]]:
    """The jobs that ran after each of these events."""
    running: dict[str, v1.Job] = {}
    for event in events:
        running.pop(event.job.id, None)
        if event.type != v1.EVENT_TYPE_DELETED and event.job.state == v1.JOB_STATE_RUNNING:
            running[event.job.id] = event.job
        yield list(running.values())


def most_at_once(events: Iterable[v1.JobEvent], belongs: Callable[[v1.Job], Hashable]) -> dict[Hashable, int]:
    """How many jobs belonged to the same thing at the same revision, at most, by thing; None is no thing."""
    now: Counter[Hashable] = Counter()
    most: Counter[Hashable] = Counter()
    held: dict[str, Hashable] = {}
    for event in events:
        now[held.pop(event.job.id, None)] -= 1
        if event.type != v1.EVENT_TYPE_DELETED:
            held[event.job.id] = belongs(event.job)
            now[held[event.job.id]] += 1
        most |= now
    return {thing: number for thing, number in most.items() if thing is not None}


def runs_on(job: v1.Job) -> Hashable:
    """The server on which it runs."""
    return server_of(job) if job.state == v1.JOB_STATE_RUNNING else None


def server_of(job: v1.Job) -> str:
    """The boot id of the server that had its last attempt."""
    return job.attempts[-1].server
