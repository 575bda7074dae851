"""A table that draws only the lines that are on the screen, and of these only those that changed."""

from collections.abc import Sequence
from typing import Any, ClassVar, Final, Generic, TypeVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from slotd.top.panes import WIDE, Cell, Column, Pane
from slotd.top.query import Query
from slotd.top.state import State

T = TypeVar("T")

_GAP: Final = " "
_CURSOR: Final = Style(reverse=True)


class Grid(Widget, Generic[T], can_focus=True):
    """The rows of a pane, with a cursor that stays with its row when rows come and go.

    Until the cursor is moved, and after `home`, it stays on the first row, whichever that is.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", show=False),
        Binding("down,j", "move(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("home,g", "top", show=False),
        Binding("end,G", "bottom", show=False),
        Binding("enter", "choose", show=False),
    ]

    class Chosen(Message):
        """Enter was pressed on a row, or the row was clicked twice."""

        def __init__(self, grid: "Grid[Any]", item: object) -> None:
            super().__init__()
            self.grid = grid
            self.item = item

        @property
        def control(self) -> "Grid[Any]":
            """The table."""
            return self.grid

    def __init__(self, pane: Pane[T], state: State, id: str) -> None:
        super().__init__(id=id)
        self.pane = pane
        self.order = pane.orders[0]
        self._state = state
        self._items: Sequence[T] = ()
        self._key: str | None = None
        self._row = 0
        self._first = 0
        self._lines: list[Sequence[Cell]] = []

    @property
    def selected(self) -> T | None:
        """What the cursor is on; None in an empty table."""
        return self._items[self._row] if self._items else None

    def show(self, query: Query) -> None:
        """Draw what has changed in the state since the last time."""
        before = len(self._items)
        self._items = self.pane.items(self._state, query, self.order)
        self._find_row()
        if len(self._items) != before:
            # Its height may follow the number of its rows, and the title tells it.
            self.refresh(layout=True)
        self._draw()

    def next_order(self) -> str:
        """Turn to the next order; answers its name."""
        orders = self.pane.orders
        self.order = orders[(orders.index(self.order) + 1) % len(orders)]
        return self.order

    def action_move(self, rows: int) -> None:
        """Move the cursor."""
        self._move_to(self._row + rows)

    def action_page(self, pages: int) -> None:
        """Move the cursor by whole pages."""
        self._move_to(self._row + pages * max(self._height - 1, 1))

    def action_top(self) -> None:
        """Back to the first row, whichever that will be."""
        self._move_to(0)
        self._key = None

    def action_bottom(self) -> None:
        """To the last row."""
        self._move_to(len(self._items) - 1)

    def action_choose(self) -> None:
        """Tell of the row under the cursor."""
        if self.selected is not None:
            self.post_message(self.Chosen(self, self.selected))

    def on_click(self, event: events.Click) -> None:
        """Move the cursor to the row; a second click chooses it."""
        if event.y > 0:
            self._move_to(self._first + event.y - 1)
        if event.chain == 2:
            self.action_choose()

    def on_mouse_scroll_down(self) -> None:
        """Move the cursor down."""
        self.action_move(1)

    def on_mouse_scroll_up(self) -> None:
        """Move the cursor up."""
        self.action_move(-1)

    def on_resize(self) -> None:
        """Other rows are on the screen now."""
        self._draw()

    def on_focus(self) -> None:
        """Show the cursor."""
        self.refresh()

    def on_blur(self) -> None:
        """Hide the cursor."""
        self.refresh()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002 - Textual's own form
        """A line for the titles, and one for each row, at least one."""
        return 1 + max(len(self._items), 1)

    def render_line(self, y: int) -> Strip:
        """The titles, then the rows."""
        if y == 0:
            return self._titles()
        if y > len(self._lines):
            return Strip.blank(self.size.width)
        at_cursor = self.has_focus and self._first + y - 1 == self._row
        return self._strip(self._lines[y - 1], _CURSOR if at_cursor else Style.null())

    @property
    def _height(self) -> int:
        return max(self.size.height - 1, 0)

    def _find_row(self) -> None:
        if self._key is None:
            self._row = 0
            return
        for row, item in enumerate(self._items):
            if self.pane.key(item) == self._key:
                self._row = row
                return
        self._row = min(self._row, max(len(self._items) - 1, 0))
        self._key = self.pane.key(self._items[self._row]) if self._items else None

    def _move_to(self, row: int) -> None:
        if not self._items:
            return
        self._row = min(max(row, 0), len(self._items) - 1)
        self._key = self.pane.key(self._items[self._row])
        self._draw()
        self.refresh()

    def _draw(self) -> None:
        """Make the lines on the screen anew, and have those drawn that came out different."""
        first = min(self._first, self._row, max(len(self._items) - self._height, 0))
        first = max(first, self._row - self._height + 1, 0)
        shown = self._items[first : first + self._height]
        lines = [self.pane.cells(item, self._state) for item in shown]
        if first != self._first or len(lines) != len(self._lines):
            self.refresh()
        else:
            for y, (before, after) in enumerate(zip(self._lines, lines, strict=True), 1):
                if before != after:
                    self.refresh(Region(0, y, self.size.width, 1))
        self._first, self._lines = first, lines

    def _titles(self) -> Strip:
        count = f"{self._row + 1}/{len(self._items)}" if self._items else "none"
        name = self.pane.columns[0].title
        titles = [Cell(f"{name} {count}" if one.title == name else one.title) for one in self.pane.columns]
        return self._strip(titles, Style(bold=True, reverse=self.has_focus, underline=not self.has_focus))

    def _strip(self, cells: Sequence[Cell], base: Style) -> Strip:
        segments = []
        for column, width, cell in laid_out(self.pane.columns, cells, self.size.width):
            style = base + Style.parse(cell.style) if cell.style and base is not _CURSOR else base
            segments.append(Segment(fitted(cell.words, width, column.right) + _GAP, style))
        return Strip(segments).adjust_cell_length(self.size.width, base)


def laid_out(columns: Sequence[Column], cells: Sequence[Cell], width: int) -> Sequence[tuple[Column, int, Cell]]:
    """The columns for which there is room, their widths, and their cells."""
    wide = width >= WIDE
    shown = [
        (column, cell)
        for column, cell in zip(columns, cells, strict=True)
        if not (column.narrow if wide else column.wide)
    ]
    widths = [(column.wider if wide else 0) or column.width for column, _ in shown]
    left = max(width - sum(widths) - len(_GAP) * len(shown), 0)
    return [(column, fixed or left, cell) for (column, cell), fixed in zip(shown, widths, strict=True)]


def fitted(words: str, width: int, right: bool) -> str:
    """The words in exactly so many columns of the terminal."""
    missing = width - cell_len(words)
    if missing < 0:
        return set_cell_size(words, max(width - 1, 0)) + "…" if width else ""
    return " " * missing + words if right else words + " " * missing
