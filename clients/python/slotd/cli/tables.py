"""Tables: rows and columns as data, drawn with colours to fit a terminal, or plain and uncut for a pipe."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from rich.console import Console
from rich.table import Table
from rich.text import Text

from slotd import v1
from slotd.cli import text

# Columns of the terminal; below it the columns that matter least are left out.
_NARROW = 110
_CHUNK = 1000


@dataclass(frozen=True)
class Column:
    """A column. Cells of a `whole` one are never cut; a `spare` one is left out on a narrow terminal."""

    title: str
    right: bool = False
    whole: bool = False
    spare: bool = False
    state: bool = False


Row = Sequence[str]

JOBS = (
    Column("ID", whole=True),
    Column("KIND"),
    Column("QUEUE", spare=True),
    Column("STATE", whole=True, state=True),
    Column("ATTEMPT", right=True, spare=True),
    Column("PROGRESS"),
    Column("AGE", right=True, whole=True),
    Column("DURATION", right=True, whole=True, spare=True),
    Column("GROUP"),
    Column("SCHEDULE"),
    Column("ERROR"),
)

# For terminals on which progress and error, of which a job rarely has both, share a column.
JOBS_NARROW = (*JOBS[:5], Column("PROGRESS"), *JOBS[6:8])
_BOTH = 150


def jobs(console: Console, found: Iterable[v1.Job], now: datetime) -> None:
    """Write a table of jobs as they come."""
    if console.is_terminal and console.width < _BOTH:
        draw(console, JOBS_NARROW, (_narrow(job_row(job, now)) for job in found), empty="no jobs")
    else:
        draw(console, JOBS, (job_row(job, now) for job in found), empty="no jobs")


def _narrow(row: Row) -> Row:
    *first, progress, age, took, _, _, error = row
    return (*first, error if error and row[3] not in ("RUNNING", "BLOCKED") else progress, age, took)


def job_row(job: v1.Job, now: datetime) -> Row:
    """The cells of JOBS."""
    state = text.state_name(job.state)
    return (
        job.id,
        text.printable(job.spec.kind),
        text.printable(job.spec.queue),
        "CANCELLING" if job.cancel_requested and job.state == v1.JOB_STATE_RUNNING else state,
        text.attempts(job),
        text.waits_for(job) or text.progress(job),
        text.age(job, now),
        text.run_time(job, now),
        text.printable(job.spec.group),
        text.printable(job.schedule),
        error_cell(job),
    )


def error_cell(job: v1.Job) -> str:
    """The reason of the last error, and its message where that says more."""
    return text.error_line(job.error, 60) if job.HasField("error") else ""


def draw(console: Console, columns: Sequence[Column], rows: Iterable[Row], empty: str = "") -> None:
    """Write a table as its rows come, a thousand at a time. `empty` is said on a terminal in place of no rows."""
    pending = iter(rows)
    chunk = list(islice(pending, _CHUNK))
    if not chunk and empty and console.is_terminal:
        console.print(Text(empty, style="dim"))
        return
    if console.is_terminal:
        first = True
        while chunk or first:
            console.print(grid(columns, chunk, console.width, titles=first))
            first = False
            chunk = list(islice(pending, _CHUNK))
        return
    widths = [len(column.title) for column in columns]
    lines: Iterator[Row] = iter([[column.title for column in columns], *chunk])
    while batch := list(lines):
        widths = [max(width, *(len(row[at]) for row in batch)) for at, width in enumerate(widths)]
        for row in batch:
            console.file.write(_plain(columns, row, widths) + "\n")
        lines = islice(pending, _CHUNK)
    console.file.flush()


def _plain(columns: Sequence[Column], row: Row, widths: Sequence[int]) -> str:
    cells = (
        cell.rjust(width) if column.right else cell.ljust(width)
        for column, cell, width in zip(columns, row, widths, strict=True)
    )
    return "  ".join(cells).rstrip()


def grid(columns: Sequence[Column], rows: Iterable[Row], width: int, titles: bool = True) -> Table:
    """The table for a terminal of `width` columns."""
    shown = [at for at, column in enumerate(columns) if width >= _NARROW or not column.spare]
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0), show_header=titles)
    for at in shown:
        column = columns[at]
        table.add_column(
            one_line(column.title),
            justify="right" if column.right else "left",
            # rich narrows the columns that may wrap before the others; their text does not wrap all the same.
            no_wrap=column.whole,
            min_width=36 if column.title == "ID" else None,
        )
    for row in rows:
        table.add_row(*(_cell(columns[at], row[at]) for at in shown))
    return table


def one_line(words: str, style: str = "") -> Text:
    """Text that is cut where there is no room for it. It is no markup: jobs may say what they like."""
    return Text(words, style=style, no_wrap=True, overflow="ellipsis")


def _cell(column: Column, cell: str) -> Text:
    if column.state:
        return one_line(cell, text.COLOURS.get(cell, "yellow"))
    return one_line(cell, "red" if column.title == "ERROR" else "")


def fields(console: Console, pairs: Iterable[tuple[str, str]]) -> None:
    """Write names and values, one pair a line; pairs without a value are left out."""
    present = [(name, value) for name, value in pairs if value]
    width = max((len(name) for name, _ in present), default=0)
    for name, value in present:
        if console.is_terminal:
            style = text.COLOURS.get(value, "") if name == "state" else ""
            console.print(Text.assemble((name.ljust(width), "bold"), "  ", (value, style)), soft_wrap=True)
        else:
            console.file.write(f"{name.ljust(width)}  {value}\n")
