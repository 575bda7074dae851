"""Who holds the slots of one pool."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Footer, Static

from slotd import v1
from slotd.cli import text
from slotd.top.grid import Grid
from slotd.top.panes import Cell, Column, Pane, pool_name
from slotd.top.query import Query
from slotd.top.state import State


class Holders(Pane[v1.SlotHolder]):
    """The jobs in the slots of a pool."""

    columns = (
        Column("HELD BY", 36),
        Column("KIND"),
        Column("QUEUE", 12),
        Column("ATTEMPT", 7, right=True),
        Column("FOR", 6, right=True),
        Column("STATE", 7),
    )

    def __init__(self, worker: str) -> None:
        self._worker = worker

    def items(self, state: State, _: Query, __: str) -> Sequence[v1.SlotHolder]:
        """The longest first, as the service lists them."""
        return [holder for holder in state.slots.holders if holder.worker == self._worker]

    def key(self, item: v1.SlotHolder) -> str:
        """A zombie may be there beside the next attempt of its job."""
        return f"{item.job_id} {item.attempt} {item.start_time.seconds} {item.start_time.nanos}"

    def cells(self, item: v1.SlotHolder, state: State) -> Sequence[Cell]:
        """Which job, and since when."""
        return (
            Cell(item.job_id),
            Cell(text.printable(item.kind), "bold"),
            Cell(text.printable(item.queue)),
            Cell(str(item.attempt)),
            Cell(text.length(state.now() - text.moment(item.start_time))),
            Cell("ZOMBIE", "bold red") if item.zombie else Cell("RUNNING", "yellow"),
        )


class HoldersScreen(Screen[None]):
    """A table of who holds the slots; Enter opens the job."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "app.pop_screen", "Back")]

    def __init__(self, pool: v1.PoolSlots, state: State) -> None:
        super().__init__()
        self._pool = pool
        self._grid = Grid(Holders(pool.worker), state, "holders")

    def compose(self) -> ComposeResult:
        """Whose slots they are, and the table."""
        yield Static(f"slots of {pool_name(self._pool)}", classes="heading", markup=False)
        yield self._grid
        yield Footer(compact=True)

    def on_mount(self) -> None:
        """The table is there to be moved in."""
        self._grid.focus()
        self.show()

    def show(self) -> None:
        """Draw what has changed."""
        self._grid.show(Query())
