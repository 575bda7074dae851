"""What stands in which row and column of the view: slots, queues, jobs that run, jobs that ended."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, NamedTuple, TypeVar

from slotd import v1
from slotd.cli import text
from slotd.top.query import Query
from slotd.top.state import State, attempt_of

T = TypeVar("T")

WIDE = 132
"""Columns of the terminal from which on ids stand in full, and with them what is spare."""

BAR = 10
"""Columns of a bar."""

_EIGHTHS = " ▏▎▍▌▋▊▉█"


@dataclass(frozen=True)
class Column:
    """A column of so many characters; a width of 0 takes what is left. On a wide terminal it may have more, `wider`.

    A `wide` one is there on a wide terminal alone, a `narrow` one on the others, and a `drawn` one only where a picture
    is wanted.
    """

    title: str
    width: int = 0
    wider: int = 0
    right: bool = False
    wide: bool = False
    narrow: bool = False
    drawn: bool = False


class Cell(NamedTuple):
    """Words for one line, safe for a terminal, and a rich style."""

    words: str
    style: str = ""


class Pane(ABC, Generic[T]):
    """A table of the view."""

    columns: tuple[Column, ...]
    orders: tuple[str, ...] = ("",)
    """Names of the orders in which its rows can stand; the first holds at the beginning."""

    @abstractmethod
    def items(self, state: State, query: Query, order: str, /) -> Sequence[T]:
        """What there is a row for, in this order."""

    @abstractmethod
    def key(self, item: T) -> str:
        """What tells a row from the others as long as it is there."""

    @abstractmethod
    def cells(self, item: T, state: State, /) -> Sequence[Cell]:
        """A row: a cell for each column."""


class Slots(Pane[v1.PoolSlots]):
    """The pools of the server that answers: its own, and its workers'."""

    columns = (
        Column("SLOTS OF", 22),
        Column("", 0, drawn=True),
        Column("USED", 9, right=True),
        Column("RUNNING", 7, right=True),
        Column("FREE", 5, right=True),
        Column("ZOMBIE", 6, right=True),
        Column("LIMIT", 5, right=True, wide=True),
    )

    def items(self, state: State, _: Query, __: str) -> Sequence[v1.PoolSlots]:
        """As the service lists them."""
        return state.slots.pools

    def key(self, item: v1.PoolSlots) -> str:
        """The worker's id; empty for the server."""
        return item.worker

    def cells(self, item: v1.PoolSlots, _: State) -> Sequence[Cell]:
        """How full it is, as a bar and in numbers."""
        used = item.running + item.zombie
        shrinking = item.limit < item.slots
        return (
            Cell(pool_name(item)),
            Cell(_picture(item), "yellow"),
            Cell(f"{used}/{item.slots}", "bold" if not item.free else ""),
            Cell(str(item.running)),
            Cell(str(item.free), "green" if item.free else ""),
            Cell(str(item.zombie), "bold red" if item.zombie else "dim"),
            Cell(str(item.limit), "magenta" if shrinking else "dim"),
        )


class Queues(Pane[v1.Queue]):
    """The queues."""

    columns = (
        Column("QUEUE"),
        Column("WAITING", 8, right=True),
        Column("RUNNING", 7, right=True),
        Column("SLOTS", 5, right=True),
        Column("ENDS/S", 7, right=True),
        Column("FAILED", 8, right=True),
        Column("LIMITS", 20),
        Column("STATE", 6),
    )
    orders = ("name", "waiting", "running", "rate")

    def items(self, state: State, query: Query, order: str) -> Sequence[v1.Queue]:
        """Those that the query doesn't hide; the largest first, but by name."""
        shown = [queue for queue in state.queues if query.matches_queue(queue.name)]
        by: Mapping[str, Callable[[v1.Queue], float]] = {
            "waiting": waiting,
            "running": lambda queue: queue.counters.running,
            "rate": lambda queue: state.minute.rate(queue.name),
        }
        if order in by:
            shown.sort(key=by[order], reverse=True)
        return shown

    def key(self, item: v1.Queue) -> str:
        """Its name."""
        return item.name

    def cells(self, item: v1.Queue, state: State) -> Sequence[Cell]:
        """Its counters and limits."""
        rate, failed = state.minute.rate(item.name), item.counters.failed
        return (
            Cell(text.printable(item.name)),
            Cell(str(waiting(item)), "cyan" if waiting(item) else "dim"),
            Cell(str(item.counters.running), "" if item.counters.running else "dim"),
            Cell(str(item.slots) if item.HasField("slots") else "-"),
            Cell(f"{rate:.1f}", "" if rate else "dim"),
            Cell(str(failed), "red" if failed else "dim"),
            Cell(_limits(item), "dim"),
            Cell("paused" if item.paused else "", "bold magenta"),
        )


class Running(Pane[v1.Job]):
    """The jobs that run."""

    columns = (
        Column("RUNNING", 13, narrow=True),
        Column("RUNNING", 36, wide=True),
        Column("KIND", 14, 20),
        Column("QUEUE", 10, 12),
        Column("", BAR, drawn=True),
        Column("PROGRESS"),
        Column("TRY", 5, right=True),
        Column("TOOK", 6, right=True),
        Column("ON", 14, wide=True),
    )
    orders = ("started", "progress", "kind", "queue")

    def items(self, state: State, query: Query, order: str) -> Sequence[v1.Job]:
        """Those that match; the ones that started first come first, within the order."""
        shown = [job for job in state.running.values() if query.matches(job)]
        by: Mapping[str, Callable[[v1.Job], Any]] = {
            "started": lambda _: (),
            "progress": lambda job: -_share(job),
            "kind": lambda job: job.spec.kind,
            "queue": lambda job: job.spec.queue,
        }
        shown.sort(key=lambda job: (by[order](job), job.start_time.seconds, job.start_time.nanos, job.id))
        return shown

    def key(self, item: v1.Job) -> str:
        """Its id."""
        return item.id

    def cells(self, item: v1.Job, state: State) -> Sequence[Cell]:
        """How far it has come, and where."""
        told = _told(item)
        stopping = item.cancel_requested
        return (
            Cell(short(item.id)),
            Cell(item.id),
            Cell(text.printable(item.spec.kind), "bold"),
            Cell(text.printable(item.spec.queue)),
            Cell(bar(_share(item), BAR) if item.progress.total else "", "yellow"),
            Cell("cancelling" if stopping else told, "magenta" if stopping else ""),
            Cell(text.attempts(item), "magenta" if item.attempt > 1 else "dim"),
            Cell(text.run_time(item, state.now())),
            Cell(place(item, state), "dim"),
        )


class Ended(Pane[v1.Job]):
    """The jobs that ended last."""

    columns = (
        Column("ENDED", 13, narrow=True),
        Column("ENDED", 36, wide=True),
        Column("KIND", 14, 20),
        Column("QUEUE", 10, 12),
        Column("STATE", 9),
        Column("WHY"),
        Column("TOOK", 6, right=True),
        Column("AGO", 6, right=True),
    )
    orders = ("newest", "failed", "kind", "queue")

    def items(self, state: State, query: Query, order: str) -> Sequence[v1.Job]:
        """Those that match; the one that ended last comes first, within the order."""
        shown = [job for job in reversed(state.ended.values()) if query.matches(job)]
        by: Mapping[str, Callable[[v1.Job], Any]] = {
            "failed": lambda job: job.state != v1.JOB_STATE_FAILED,
            "kind": lambda job: job.spec.kind,
            "queue": lambda job: job.spec.queue,
        }
        if order in by:
            shown.sort(key=by[order])
        return shown

    def key(self, item: v1.Job) -> str:
        """Its id."""
        return item.id

    def cells(self, item: v1.Job, state: State) -> Sequence[Cell]:
        """What became of it, and why."""
        name = text.state_name(item.state)
        return (
            Cell(short(item.id)),
            Cell(item.id),
            Cell(text.printable(item.spec.kind), "bold"),
            Cell(text.printable(item.spec.queue)),
            Cell(name, text.COLOURS.get(name, "")),
            _why(item),
            Cell(text.run_time(item, state.now())),
            Cell(text.length(state.now() - text.moment(item.end_time)), "dim"),
        )


def waiting(queue: v1.Queue) -> int:
    """How many of its jobs wait, for whatever."""
    return queue.counters.queued + queue.counters.scheduled + queue.counters.blocked


def pool_name(pool: v1.PoolSlots) -> str:
    """Whose pool it is."""
    return text.printable(pool.name or pool.worker) if pool.worker else "the server itself"


def place(job: v1.Job, state: State) -> str:
    """On which worker or server a job runs, by name where that is known."""
    attempt = attempt_of(job)
    if attempt.worker:
        worker = state.workers.get(attempt.worker)
        return text.printable(worker.name if worker and worker.name else attempt.worker)
    server = state.servers.get(attempt.server)
    return text.printable(server.name if server else attempt.server)


def short(job_id: str) -> str:
    """The end of an id, in which those of jobs made in one moment differ."""
    return job_id[-12:]


def bar(share: float, width: int) -> str:
    """A bar of so many columns, filled to this share, from 0 to 1."""
    eighths = round(min(max(share, 0.0), 1.0) * width * 8)
    full, part = divmod(eighths, 8)
    return ("█" * full + (_EIGHTHS[part] if part else "")).ljust(width, "░")


def length(seconds: float | None) -> str:
    """A duration; a dash where there is none."""
    return "-" if seconds is None else text.length(timedelta(seconds=seconds))


def _share(job: v1.Job) -> float:
    return job.progress.done / job.progress.total if job.progress.total else 0.0


def _told(job: v1.Job) -> str:
    """What a job tells of itself, as words beside its bar."""
    if not job.progress.total:
        return text.progress(job)
    return " ".join(part for part in (f"{_share(job):.0%}", text.brief(job.progress.message)) if part)


def _picture(pool: v1.PoolSlots) -> str:
    """A bar of the pool: running, zombie, free."""
    if not pool.slots:
        return ""
    used = round(20 * pool.running / pool.slots)
    return ("█" * used + "▚" * round(20 * pool.zombie / pool.slots)).ljust(20, "░")[:20]


def _why(job: v1.Job) -> Cell:
    """The error in words, which mostly say its reason too; of a job that succeeded what it told last."""
    if not job.HasField("error") or job.state == v1.JOB_STATE_SUCCEEDED:
        return Cell(text.progress(job), "dim")
    return Cell(text.brief(job.error.message, 200) or text.error_reason(job.error), "red")


def _limits(queue: v1.Queue) -> str:
    limit = queue.rate_limit
    found = (
        f"{limit.starts_per_second:g}/s" if queue.HasField("rate_limit") else "",
        f"max {queue.max_queued}" if queue.HasField("max_queued") else "",
        f"{queue.slots_per_key} per key" if queue.HasField("slots_per_key") else "",
    )
    return ", ".join(one for one in found if one)
