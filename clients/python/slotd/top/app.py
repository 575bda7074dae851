"""The view of a service as a Textual application: draws the state, and does what keys ask for."""

import time
from collections.abc import Awaitable
from pathlib import Path
from typing import Any, ClassVar, Final

import click
from textual import work
from textual.app import App
from textual.binding import Binding, BindingType

import slotd
from slotd import aio, v1
from slotd.cli import text
from slotd.cli.arguments import NONE, limit
from slotd.cli.errors import Status, failure
from slotd.progress import TERMINAL_STATES
from slotd.top.dialogs import Ask, Confirm, Help
from slotd.top.feed import Feed
from slotd.top.grid import Grid
from slotd.top.holders import HoldersScreen
from slotd.top.job import JobScreen
from slotd.top.overview import Overview
from slotd.top.state import State

# Seconds between two drawings at least; and at most, for what the time alone changes.
_SOONEST: Final = 0.2
_LATEST: Final = 1.0

_MOST_SLOTS: Final = 10_000
_CHOOSE_SLOTS: Final = "choose a queue, or the slots of the server itself"


class TopApp(App[None]):
    """A live view of the service that `client` talks to."""

    ENABLE_COMMAND_PALETTE = False
    CSS_PATH = Path(__file__).with_name("top.tcss")
    TITLE = "slotd top"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "cancel_job", "Cancel"),
        Binding("r", "retry_job", "Retry"),
        Binding("d", "delete_job", "Delete"),
        Binding("question_mark", "help", "Help", key_display="?"),
        Binding("q", "quit", "Quit"),
        Binding("ctrl+c", "interrupt", show=False, priority=True),
        Binding("ctrl+z", "suspend_process", show=False),
    ]

    def __init__(self, client: aio.Client, state: State) -> None:
        # The terminal's own colours: they fit its background, and NO_COLOR then leaves none.
        super().__init__(ansi_color=True)
        self._client = client
        self._state = state
        self._feed = Feed(client, state, self._redraw_soon)
        self._overview = Overview(state)
        self._drawn = 0.0
        self._due = False

    def on_mount(self) -> None:
        """Begin."""
        self.push_screen(self._overview)
        self.run_worker(self._feed.run())
        self.set_interval(_LATEST, self._redraw_soon)

    def on_grid_chosen(self, event: Grid.Chosen) -> None:
        """Open what was chosen."""
        match event.item:
            case v1.Job(id=job_id) | v1.SlotHolder(job_id=job_id):
                self.push_screen(JobScreen(job_id, self._client, self._state))
            case v1.PoolSlots() as pool:
                self.push_screen(HoldersScreen(pool, self._state))
            case v1.Queue(name=name):
                self._overview.set_filter(f"queue:{name}")
            case _:
                raise TypeError(f"no screen for {event.item!r}")

    @work
    async def action_cancel_job(self) -> None:
        """Cancel the job under the cursor, once that is confirmed."""
        job = self._job()
        if job is None or job.state in TERMINAL_STATES:
            self._say("choose a job that has not ended")
        elif await self.push_screen_wait(Confirm(f"Cancel {_named(job)}?")):
            await self._do(self._client.cancel(job))

    @work
    async def action_retry_job(self) -> None:
        """Put the job under the cursor back."""
        job = self._job()
        if job is None or job.state not in (v1.JOB_STATE_FAILED, v1.JOB_STATE_CANCELLED):
            self._say("choose a job that failed or was cancelled")
        elif await self._do(self._client.retry(job)):
            self._say(f"{_named(job)} is back in its queue")

    @work
    async def action_delete_job(self) -> None:
        """Delete the job under the cursor, once that is confirmed."""
        job = self._job()
        if job is None or job.state not in TERMINAL_STATES:
            self._say("choose a job that has ended")
        elif await self.push_screen_wait(Confirm(f"Delete {_named(job)}?")):
            await self._do(self._client.delete(job))

    @work
    async def action_pause_queue(self) -> None:
        """Pause the queue under the cursor, or let it go on."""
        queue = self._selected()
        if not isinstance(queue, v1.Queue):
            self._say("choose a queue")
        elif await self._do(self._client.update_queue(queue.name, paused=not queue.paused)):
            self._say(f"queue {text.printable(queue.name)} {'goes on' if queue.paused else 'is paused'}")

    @work
    async def action_add_slots(self, more: int) -> None:
        """Make the pool or the queue under the cursor larger or smaller."""
        match self._selected():
            case v1.PoolSlots(worker="") as pool:
                await self._resize(None, pool.limit + more)
            case v1.Queue() as queue if queue.HasField("slots"):
                await self._resize(queue.name, queue.slots + more)
            case v1.Queue():
                self._say("this queue has no limit: s sets one")
            case _:
                self._say(_CHOOSE_SLOTS)

    @work
    async def action_set_slots(self) -> None:
        """Ask how many slots the pool or the queue under the cursor shall have."""
        match self._selected():
            case v1.PoolSlots(worker="") as pool:
                question, before, queue = "Slots of the server itself", str(pool.limit), None
                hint = f"0 to {_MOST_SLOTS}; 0 starts nothing"
            case v1.Queue(name=name) as found:
                question, queue = f"Slots of queue {text.printable(name)}", name
                before = str(found.slots) if found.HasField("slots") else "none"
                hint = "a number, or none: as many as there are"
            case _:
                self._say(_CHOOSE_SLOTS)
                return
        typed = await self.push_screen_wait(Ask(question, hint, before))
        if typed is None:
            return
        try:
            wanted = limit(_MOST_SLOTS if queue is None else 2**31 - 1)(typed)
        except click.BadParameter as error:
            self._say(error.message, wrong=True)
            return
        await self._resize(queue, None if wanted is NONE else wanted)

    @work
    async def action_filter(self) -> None:
        """Ask which jobs to show."""
        hint = "kind: queue: id: label:KEY=VALUE, or any word; empty shows all"
        typed = await self.push_screen_wait(Ask("Show jobs that match", hint, self._overview.filter.text))
        if typed is not None:
            self._overview.set_filter(typed)

    def action_order(self) -> None:
        """Turn to the next order of the table."""
        if isinstance(self.focused, Grid) and (order := self.focused.next_order()):
            self._say(f"by {order}")
            self._redraw()

    def action_help(self) -> None:
        """Show the keys."""
        self.push_screen(Help())

    def action_interrupt(self) -> None:
        """Leave as other commands do on Ctrl-C."""
        self.exit(return_code=Status.INTERRUPTED)

    def _selected(self) -> object:
        return self.focused.selected if isinstance(self.focused, Grid) else None

    def _job(self) -> v1.Job | None:
        if isinstance(self.screen, JobScreen):
            return self.screen.job
        match self._selected():
            case v1.Job() as job:
                return job
            case v1.SlotHolder(job_id=job_id):
                return self._state.running.get(job_id)
            case _:
                return None

    async def _resize(self, queue: str | None, slots: int | None) -> None:
        if slots is not None and slots < 0:
            return
        if queue is not None:
            await self._do(self._client.update_queue(queue, slots=slots))
        elif slots is None:
            self._say("the server's pool needs a number", wrong=True)
        else:
            await self._do(self._client.update_slots(slots))

    async def _do(self, call: Awaitable[Any]) -> bool:
        """Wait for a call; say so where it is refused. Answers whether it was not."""
        try:
            await call
        except slotd.Error as error:
            self._say(failure(error, self._client.address).message, wrong=True)
            return False
        self._feed.ask()
        return True

    def _say(self, words: str, wrong: bool = False) -> None:
        self.notify(words, severity="error" if wrong else "information", timeout=5 if wrong else 2, markup=False)

    def _redraw_soon(self) -> None:
        if not self._due:
            self._due = True
            self.set_timer(max(self._drawn + _SOONEST - time.monotonic(), 0.001), self._redraw)

    def _redraw(self) -> None:
        self._due = False
        self._drawn = time.monotonic()
        for screen in self.screen_stack:
            if isinstance(screen, (Overview, HoldersScreen, JobScreen)):
                screen.show()


def _named(job: v1.Job) -> str:
    return f"{text.printable(job.spec.kind)} {job.id}"
