"""Displays that stay in place on a terminal and follow what happens: a table of many jobs, a bar for one."""

import heapq
import threading
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from types import TracebackType
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from slotd import v1
from slotd.cli import text
from slotd.cli.tables import one_line

# Per second.
_REDRAWS = 8
_BAR = 16
# Terminal jobs whose copies are kept for the table; of the others only the state is, for the sums.
_ENDED_KEPT = 200

_ORDER = {
    v1.JOB_STATE_RUNNING: 0,
    v1.JOB_STATE_QUEUED: 1,
    v1.JOB_STATE_BLOCKED: 2,
    v1.JOB_STATE_SCHEDULED: 3,
}


class Board:
    """The jobs of a stream as a live table: the running ones, then those that wait, then the last that ended."""

    def __init__(self, console: Console, now: Callable[[], datetime]) -> None:
        self._console = console
        self._now = now
        self._open: dict[str, v1.Job] = {}
        self._ended: dict[str, v1.Job] = {}
        self._states: dict[str, v1.JobState.ValueType] = {}
        self._sums: Counter[v1.JobState.ValueType] = Counter()
        # The table is drawn by rich's refresh thread while the stream's reader changes it.
        self._lock = threading.Lock()
        self._live = Live(
            console=console, get_renderable=self.render, refresh_per_second=_REDRAWS, vertical_overflow="crop"
        )

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.__exit__(kind, error, trace)

    def show(self, event: v1.JobEvent, _: str) -> None:
        """Take in an event."""
        with self._lock:
            job = event.job
            before = self._states.pop(job.id, None)
            if before is not None:
                self._sums[before] -= 1
            self._open.pop(job.id, None)
            self._ended.pop(job.id, None)
            if event.type in (v1.EVENT_TYPE_DELETED, v1.EVENT_TYPE_LEFT_FILTER):
                return
            self._states[job.id] = job.state
            self._sums[job.state] += 1
            if job.state not in text.TERMINAL:
                self._open[job.id] = job
                return
            self._ended[job.id] = job
            if len(self._ended) > _ENDED_KEPT:
                del self._ended[next(iter(self._ended))]

    def render(self) -> RenderableType:
        """The table as it is now, as high as the terminal allows."""
        room = max(self._console.height - 4, 1)
        with self._lock:
            waiting = heapq.nsmallest(room, self._open.values(), key=_rank)
            left = room - len(waiting)
            ended = list(self._ended.values())[-left:] if left else []
            sums = Counter(self._sums)
        now = self._now()
        table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0), expand=False)
        wide = self._console.width >= 110
        table.add_column("ID", no_wrap=True, min_width=36)
        table.add_column(one_line("KIND"))
        if wide:
            table.add_column(one_line("QUEUE"))
        table.add_column("STATE", no_wrap=True)
        table.add_column(one_line("PROGRESS"))
        table.add_column("TOOK", justify="right", no_wrap=True)
        for job in waiting + ended[::-1]:
            cells: list[RenderableType] = [job.id, one_line(text.printable(job.spec.kind))]
            if wide:
                cells.append(one_line(text.printable(job.spec.queue)))
            table.add_row(*cells, state_cell(job), situation(job, wide), text.run_time(job, now))
        return Group(table, Text(), summary(sums, len(waiting) + len(ended)))


class Bar:
    """One job as a line: a spinner while it runs, its state, a bar, what it says, how long it has taken."""

    def __init__(self, console: Console, now: Callable[[], datetime], job: v1.Job) -> None:
        self._console = console
        self._now = now
        self._job = job
        self._spinner = Spinner("dots")
        # Gone when it ends: what came out is written in its place.
        self._live = Live(console=console, get_renderable=self.render, refresh_per_second=_REDRAWS, transient=True)

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.__exit__(kind, error, trace)

    def show(self, event: v1.JobEvent, _: str) -> None:
        """Take in an event. The line is drawn from one immutable copy, so that no lock is needed."""
        self._job = event.job

    def render(self) -> RenderableType:
        """The line as it is now."""
        job, now = self._job, self._now()
        row = Table.grid(padding=(0, 1))
        for whole in (True, False, True, False, True):
            row.add_column(no_wrap=whole)
        spinner: RenderableType = self._spinner if job.state not in text.TERMINAL else Text(" ")
        took = text.run_time(job, now) or text.age(job, now)
        row.add_row(spinner, one_line(text.printable(job.spec.kind)), state_cell(job), situation(job, True), took)
        return row


def state_cell(job: v1.Job) -> Text:
    """The state in its colour, with the attempt where it is not the first."""
    name = text.state_name(job.state)
    cell = Text(name, style=text.COLOURS.get(name, ""))
    if job.cancel_requested and job.state == v1.JOB_STATE_RUNNING:
        cell = Text("CANCELLING", style="yellow")
    if job.attempt > 1:
        cell.append(f" {text.attempts(job)}", style="dim")
    return cell


def situation(job: v1.Job, bar: bool) -> RenderableType:
    """A bar and the job's words while it is at work, while BLOCKED what it waits for; else the error, if it has one."""
    if waits := text.waits_for(job):
        return one_line(waits)
    if job.state not in (v1.JOB_STATE_RUNNING, v1.JOB_STATE_SUCCEEDED) and job.HasField("error"):
        return one_line(text.error_line(job.error, 60), "red")
    words = one_line(text.progress(job))
    if not bar or not job.progress.total:
        return words
    cell = Table.grid(padding=(0, 1))
    cell.add_column(width=_BAR)
    cell.add_column()
    cell.add_row(ProgressBar(total=job.progress.total, completed=job.progress.done, width=_BAR), words)
    return cell


def summary(sums: Counter[v1.JobState.ValueType], shown: int) -> Text:
    """`2 running, 7 queued`, and how many of them have no row."""
    line = Text()
    total = 0
    for state in v1.JobState.values():
        if sums[state]:
            name = text.state_name(state)
            line.append(", " if total else "")
            line.append(f"{sums[state]} {name.lower()}", style=text.COLOURS.get(name, ""))
            total += sums[state]
    if not total:
        return Text("no jobs yet", style="dim")
    if total > shown:
        line.append(f" ({total - shown} not shown)", style="dim")
    return line


def _rank(job: v1.Job) -> tuple[int, int, str]:
    return _ORDER.get(job.state, len(_ORDER)), -job.spec.priority, job.id
