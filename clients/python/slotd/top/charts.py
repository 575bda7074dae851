"""The first lines of the view: which service it is, how it is connected, and how much it does."""

from rich.text import Text
from textual.widget import Widget

from slotd.cli import text
from slotd.top.panes import length
from slotd.top.query import Query
from slotd.top.state import Link, State
from slotd.top.window import SECONDS, Quantiles

_STEPS = "▁▂▃▄▅▆▇█"


class Banner(Widget):
    """The address, the server, the revision, the connection, and for how long the view has been there."""

    def __init__(self, state: State) -> None:
        super().__init__(id="banner")
        self._state = state
        self.filter = Query()

    def render(self) -> Text:
        """One line."""
        state, server = self._state, self._state.server
        parts = [("slotd ", "bold"), (text.printable(state.address), "bold")]
        parts.append((f"  {_link(state)}", "bold reverse" if state.link is Link.AWAY else "green"))
        if self.filter.text:
            parts.append((f"  /{text.printable(self.filter.text)}", "bold cyan"))
        if server is not None:
            parts.append((f"  {text.printable(server.name)} {text.printable(server.version)}", ""))
        if len(state.servers) > 1:
            parts.append((f"  {len(state.servers)} servers", ""))
        parts.append((f"  revision {state.revision}", "dim"))
        parts.append((f"  up {_whole(state.age)}", "dim"))
        return Text.assemble(*parts, no_wrap=True, overflow="ellipsis")


class Charts(Widget):
    """Ends a second, as numbers and a line, and how long jobs waited and ran within the last minute."""

    def __init__(self, state: State) -> None:
        super().__init__(id="charts")
        self._state = state

    def render(self) -> Text:
        """One line, of which the chart takes what the numbers leave."""
        minute = self._state.minute
        rate = f"ends {minute.rate():.1f}/s "
        times = f"  wait {_times(minute.waits())}  run {_times(minute.runs())}"
        room = min(max(self.size.width - len(rate) - len(times), 0), SECONDS)
        chart = sparkline(minute.ends()[-room:] if room else [])
        return Text.assemble((rate, "bold"), (chart, "green"), times, no_wrap=True, overflow="ellipsis")


def sparkline(values: list[int]) -> str:
    """A character for each value, as high as it is next to the highest; nothing is a space."""
    highest = max(values, default=0)
    top = len(_STEPS) - 1
    return "".join(_STEPS[round(value / highest * top)] if value else " " for value in values)


def _times(found: Quantiles) -> str:
    return f"p50 {length(found.p50)} p99 {length(found.p99)}"


def _whole(seconds: float) -> str:
    return f"{seconds:.0f}s" if seconds < 59.5 else length(seconds)


def _link(state: State) -> str:
    match state.link:
        case Link.CONNECTING:
            return "connecting …"
        case Link.LIVE:
            return "live"
        case Link.AWAY:
            return f"AWAY for {_whole(state.linked_for)}: {text.brief(state.problem)}"
