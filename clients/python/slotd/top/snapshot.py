"""How a service is at one moment, for those who have no screen: as plain tables, and as one JSON object."""

from typing import Any

from rich.console import Console

from slotd import aio
from slotd.cli import documents, tables
from slotd.top.feed import Feed
from slotd.top.panes import Ended, Pane, Queues, Running, Slots
from slotd.top.query import Query
from slotd.top.state import State

# Rates take a while to be known.
_UNKNOWN = "ENDS/S"


async def taken(client: aio.Client) -> State:
    """Ask how things are, once. Raises slotd.Error."""
    state = State(client.address)
    await Feed(client, state, lambda: None).load()
    return state


def document(state: State) -> documents.Document:
    """All that the view knows, as JSON objects."""
    return {
        "address": state.address,
        "revision": state.revision,
        "servers": [documents.document(one) for one in state.servers.values()],
        "workers": [documents.document(one) for one in state.workers.values()],
        "slots": documents.document(state.slots),
        "queues": [documents.document(one) for one in state.queues],
        "running": [documents.document(one) for one in _items(Running(), state)],
        "ended": [documents.document(one) for one in _items(Ended(), state)],
    }


def draw(console: Console, state: State) -> None:
    """Write the tables of the view, one below the other."""
    for pane in (Slots(), Queues(), Running(), Ended()):
        _draw(console, pane, state)


def _draw(console: Console, pane: Pane[Any], state: State) -> None:
    items = _items(pane, state)
    if not items:
        return
    if not isinstance(pane, Slots):
        console.file.write("\n")
    kept = [at for at, one in enumerate(pane.columns) if not one.drawn and not one.narrow and one.title != _UNKNOWN]
    columns = [tables.Column(pane.columns[at].title, right=pane.columns[at].right) for at in kept]
    rows = ([pane.cells(item, state)[at].words for at in kept] for item in items)
    tables.draw(console, columns, rows)


def _items(pane: Pane[Any], state: State) -> Any:
    return pane.items(state, Query(), pane.orders[0])
