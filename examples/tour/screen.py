"""Showing the tour's jobs: bars that move on a terminal, plain lines elsewhere, and a table at the end."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID
from rich.table import Table
from rich.text import Text

import slotd
from examples.tour.batch import Planned, Show
from slotd import v1
from slotd.progress import TERMINAL_STATES

_COLOURS = {"SUCCEEDED": "green", "FAILED": "red", "CANCELLED": "yellow", "RUNNING": "cyan"}
_SHOWN = 14


def state_name(job: v1.Job) -> str:
    """`RUNNING` and its like."""
    return v1.JobState.Name(job.state).removeprefix("JOB_STATE_")


@contextmanager
def screen(console: Console, titles: Mapping[str, str]) -> Iterator[Show]:
    """Yields what shows a job; `titles` says what each is about, by id."""
    if not console.is_terminal:
        yield _lines(console, titles)
        return
    columns = (_Cell("title"), _Cell("state"), BarColumn(24), _Cell("words"))
    with Progress(*columns, console=console, refresh_per_second=10) as progress:
        yield _bars(progress, titles)


def summary(console: Console, jobs: list[Planned], ended: list[v1.Job]) -> bool:
    """Writes the table of what came out. Whether every job ended as it was meant to."""
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for title in ("KIND", "STATE", "ATTEMPTS", "TOOK"):
        table.add_column(title, no_wrap=True, justify="right" if title == "TOOK" else "left")
    # rich narrows a column that may wrap before the others; its text does not wrap all the same.
    table.add_column("RESULT")
    good = True
    for planned, job in zip(jobs, ended, strict=True):
        as_meant = job.state == planned.end
        good = good and as_meant
        state = Text(state_name(job), style=_COLOURS.get(state_name(job), ""))
        if not as_meant or planned.end != v1.JOB_STATE_SUCCEEDED:
            state.append(" as meant" if as_meant else ", not as meant", "dim")
        result = Text(_outcome(job), no_wrap=True, overflow="ellipsis")
        table.add_row(job.spec.kind, state, str(job.attempt), _took(job), result)
    if console.is_terminal:
        console.print(table)
    else:
        # Not cut to a width that is not there.
        Console(file=console.file, width=200).print(table)
    return good


class _Cell(ProgressColumn):
    """One of a task's own fields, which may be coloured and is never markup."""

    def __init__(self, field: str) -> None:
        super().__init__()
        self._field = field

    def render(self, task: Task) -> Text:
        text = Text(str(task.fields[self._field]), no_wrap=True, overflow="ellipsis")
        text.stylize(_COLOURS.get(text.plain, "") if self._field == "state" else "")
        return text


def _bars(progress: Progress, titles: Mapping[str, str]) -> Show:
    tasks: dict[str, TaskID] = {}

    def show(job: v1.Job) -> None:
        total, done = job.progress.total, job.progress.done
        if job.state == v1.JOB_STATE_SUCCEEDED:
            total, done = 1, 1
        elif not total:
            # A bar without a total would pulse, also for a job that waits.
            total, done = 1, 0
        state, words = state_name(job), _words(job)
        if job.id in tasks:
            progress.update(tasks[job.id], total=total, completed=done, state=state, words=words)
        else:
            title = titles[job.id]
            tasks[job.id] = progress.add_task("", total=total, completed=done, title=title, state=state, words=words)

    return show


def _lines(console: Console, titles: Mapping[str, str]) -> Show:
    shown: dict[str, tuple[str, int, int]] = {}

    def show(job: v1.Job) -> None:
        # A line for each new state and attempt, and one for each half of the way: not for each step of the progress.
        half = 2 * job.progress.done // job.progress.total if job.progress.total else 0
        state = (state_name(job), job.attempt, half if job.state == v1.JOB_STATE_RUNNING else 0)
        if shown.get(job.id) != state:
            shown[job.id] = state
            line = f"{titles[job.id]:<30} {state_name(job):<10} {_words(job)}"
            console.print(Text(line.rstrip()), soft_wrap=True)

    return show


def _words(job: v1.Job) -> str:
    """What there is to say: the error of a job that failed or is tried again, else how far it has come."""
    if job.state not in (v1.JOB_STATE_RUNNING, v1.JOB_STATE_SUCCEEDED) and job.HasField("error"):
        again = "" if job.state in TERMINAL_STATES else "; next attempt soon"
        return job.error.message.splitlines()[0] + again if job.error.message else again
    if job.progress.total and job.state == v1.JOB_STATE_RUNNING:
        return f"{100 * job.progress.done // job.progress.total:>3} %  {job.progress.message}"
    return f"in attempt {job.attempt}" if job.state == v1.JOB_STATE_SUCCEEDED and job.attempt > 1 else ""


def _took(job: v1.Job) -> str:
    seconds = (job.end_time.ToDatetime() - job.start_time.ToDatetime()).total_seconds()
    return f"{seconds:.2f} s"


def _outcome(job: v1.Job) -> str:
    if job.HasField("error"):
        return job.error.message
    result = slotd.decode(job.result)
    assert isinstance(result, dict)
    return ", ".join(f"{name} {_short(value)}" for name, value in result.items())


def _short(value: object) -> str:
    """A number as it is; of a text or a structure its beginning, of a path its end."""
    if isinstance(value, int | float):
        return f"{value:,}"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if text.startswith("/"):
        return text.rpartition("/")[2]
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
