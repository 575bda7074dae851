"""The first screen: slots, queues, what runs, what ended."""

from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Footer

from slotd.top.charts import Banner, Charts
from slotd.top.grid import Grid
from slotd.top.panes import Ended, Queues, Running, Slots
from slotd.top.query import Query
from slotd.top.state import State


class Overview(Screen[None]):
    """The tables, one above the other."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "app.pause_queue", "Pause"),
        Binding("plus,equals_sign", "app.add_slots(1)", "Slots", key_display="+/-"),
        Binding("minus", "app.add_slots(-1)", show=False),
        Binding("s", "app.set_slots", show=False),
        Binding("slash", "app.filter", "Filter", key_display="/"),
        Binding("o", "app.order", "Order"),
    ]

    def __init__(self, state: State) -> None:
        super().__init__()
        self.filter = Query()
        self._banner = Banner(state)
        self._charts = Charts(state)
        self._jobs = Grid(Running(), state, "running")
        self._grids: tuple[Grid[Any], ...] = (
            Grid(Slots(), state, "slots"),
            Grid(Queues(), state, "queues"),
            self._jobs,
            Grid(Ended(), state, "ended"),
        )

    def compose(self) -> ComposeResult:
        """Banner, charts, tables, keys."""
        yield self._banner
        yield self._charts
        yield from self._grids
        yield Footer(compact=True)

    def on_mount(self) -> None:
        """Jobs are what most keys are about."""
        self._jobs.focus()
        self.show()

    def set_filter(self, words: str) -> None:
        """Show only what matches."""
        self.filter = self._banner.filter = Query(words)
        self.show()

    def show(self) -> None:
        """Draw what has changed."""
        self._banner.refresh()
        self._charts.refresh()
        for grid in self._grids:
            grid.show(self.filter)
