"""The first lines of the view, and how words are fitted into columns."""

from typing import Any

import pytest

from slotd import v1
from slotd.top.charts import Banner, sparkline
from slotd.top.grid import fitted, laid_out
from slotd.top.panes import WIDE, Cell, Ended, Pane, Queues, Running, Slots
from slotd.top.query import Query
from slotd.top.state import Answers
from tests.top.jobs import Clock, state_at, told


def test_a_line_is_as_high_as_the_numbers_are_next_to_the_highest() -> None:
    assert sparkline([0, 1, 50, 100]) == " ▁▅█"
    assert sparkline([0, 0]) == "  "
    assert sparkline([]) == ""


@pytest.mark.parametrize(
    ("words", "width", "right", "line"),
    [
        ("ab", 4, False, "ab  "),
        ("ab", 4, True, "  ab"),
        ("abcd", 4, True, "abcd"),
        ("abcde", 4, False, "abc…"),
        # These take two columns each.
        ("日本", 5, False, "日本 "),
        ("日本語", 4, False, "日 …"),
        ("ab", 0, False, ""),
    ],
)
def test_words_take_exactly_their_columns(words: str, width: int, right: bool, line: str) -> None:
    assert fitted(words, width, right) == line


@pytest.mark.parametrize("width", [80, 100, WIDE - 1, WIDE, 200])
@pytest.mark.parametrize("pane", [Slots(), Queues(), Running(), Ended()])
def test_a_row_fills_its_line_and_leaves_room_for_words(pane: Pane[Any], width: int) -> None:
    found = laid_out(pane.columns, [Cell(column.title) for column in pane.columns], width)
    assert sum(columns + 1 for _, columns, _ in found) == width
    assert all(columns >= 10 for column, columns, _ in found if not column.width)
    assert [column.title for column, _, _ in found].count(pane.columns[0].title) == 1


def test_the_banner_says_how_the_view_is_connected_and_what_it_hides() -> None:
    clock = Clock()
    state = state_at(clock)
    banner = Banner(state)
    assert "connecting" in banner.render().plain
    state.answer(Answers([], v1.ListSlotsResponse(revision=7), [v1.Server(name="host", version="1.2", local=True)], []))
    state.apply(told(synced=True))
    clock.seconds = 125
    banner.filter = Query("kind:x")
    assert banner.render().plain == "slotd there:1  live  /kind:x  host 1.2  revision 7  up 2m05s"
    state.lost("it\nfell")
    clock.seconds += 4
    assert banner.render().plain.startswith("slotd there:1  AWAY for 4s: it\\nfell")
