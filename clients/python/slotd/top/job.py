"""All about one job, and what it writes, while it writes it."""

import asyncio
import codecs
from io import StringIO
from typing import ClassVar, Final

from rich.console import Console
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widgets import Footer, Log, Static

import slotd
from slotd import aio, v1
from slotd.cli import details, text
from slotd.cli.errors import failure
from slotd.top.state import State

# Of a long output only the end is shown: so many bytes of what was there when the job was opened, so many lines in all.
_OUTPUT_BYTES: Final = 64 * 1024
_OUTPUT_LINES: Final = 2000
# Seconds between two looks at the job.
_SOONEST: Final = 0.5


class JobScreen(Screen[None]):
    """A job in full; its output below."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "app.pop_screen", "Back")]

    def __init__(self, job_id: str, client: aio.Client, state: State) -> None:
        super().__init__()
        self.job_id = job_id
        self.job: v1.Job | None = None
        """As it was last seen; None before, and once it is gone."""
        self._client = client
        self._state = state
        self._changed = asyncio.Event()
        self._changed.set()
        self._written = asyncio.Event()
        self._offset: int | None = None
        self._fields = Static("", id="fields", markup=False)
        self._log = Log(id="output", max_lines=_OUTPUT_LINES)

    def compose(self) -> ComposeResult:
        """The job above, its output below."""
        with VerticalScroll(id="about"):
            yield self._fields
        yield Static("output", classes="heading", markup=False)
        yield self._log
        yield Footer(compact=True)

    def on_mount(self) -> None:
        """Begin to look at it."""
        self._log.focus()
        self.run_worker(self._look())
        self.run_worker(self._read())

    def show(self) -> None:
        """Draw what has changed; look again where the stream has told of the job."""
        if self.job is None:
            return
        self._fields.update(described(self.job, self._state))
        told = self._state.running.get(self.job_id) or self._state.ended.get(self.job_id)
        if told is None or told.revision > self.job.revision:
            # One that neither runs nor ended waits, or is gone: nothing tells that it has changed.
            self._changed.set()

    async def _look(self) -> None:
        """Get the job whenever it may have changed, until it is gone."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            try:
                self.job = await self._client.get(self.job_id)
            except slotd.NotFound:
                self.job = None
                self._fields.update(f"job {text.printable(self.job_id)} is gone")
                return
            except slotd.Error as error:
                if self.job is None:
                    self._fields.update(failure(error, self._client.address).message)
                self._changed.set()
            else:
                self._announce(self.job)
                self.show()
            await asyncio.sleep(_SOONEST)

    def _announce(self, job: v1.Job) -> None:
        if self._offset is None:
            self._offset = max(job.output_size - _OUTPUT_BYTES, 0)
        if job.output_size > self._offset:
            self._written.set()

    async def _read(self) -> None:
        """Write the output into the log as it comes; a job that is retried writes on."""
        decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        try:
            while True:
                await self._written.wait()
                async with self._client.read_output(self.job_id, offset=self._offset or 0, follow=True) as pieces:
                    async for data in pieces:
                        self._log.write(_safe(decoder.decode(data)))
                        self._offset = pieces.offset
                self._written.clear()
        except slotd.Error as error:
            self._log.write_line(failure(error, self._client.address).message)


def described(job: v1.Job, state: State) -> str:
    """A job's fields, a line each."""
    written = StringIO()
    details.show(Console(file=written, force_terminal=False), job, state.now())
    return written.getvalue()


def _safe(output: str) -> str:
    """Lines that a terminal shows as they are."""
    return "\n".join(text.printable(line.expandtabs()) for line in output.replace("\r\n", "\n").split("\n"))
