"""The view on a terminal of 80 columns and 24 rows: what is drawn, and what the keys do, against a real service."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from textual.notifications import SeverityLevel
from textual.pilot import Pilot
from textual.widgets import Input, Log, Static

from slotd import aio, v1
from slotd.top.app import TopApp
from slotd.top.charts import Banner
from slotd.top.dialogs import Ask, Confirm, Help
from slotd.top.grid import Grid
from slotd.top.holders import HoldersScreen
from slotd.top.job import JobScreen
from slotd.top.overview import Overview
from slotd.top.state import Link, State
from tests.fundamentals.handlers import gate
from tests.service import LocalService, reach


class Watched(TopApp):
    """Tells when it has drawn."""

    def __init__(self, client: aio.Client, state: State) -> None:
        super().__init__(client, state)
        self.state = state
        self.drawn = asyncio.Event()
        self.said: list[str] = []

    def notify(self, message: str, *, severity: SeverityLevel = "information", **rest: Any) -> None:
        super().notify(message, severity=severity, **rest)
        self.said.append(severity)

    def _redraw(self) -> None:
        super()._redraw()
        self.drawn.set()


class View:
    """The view and its keys."""

    def __init__(self, app: Watched, pilot: Pilot[None]) -> None:
        self.app = app
        self._pilot = pilot

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until that holds after something was drawn."""
        async with asyncio.timeout(20):
            while not condition():
                self.app.drawn.clear()
                await self.app.drawn.wait()
                await self._pilot.pause()

    async def press(self, *keys: str) -> None:
        await self._pilot.press(*keys)

    async def resize(self, columns: int, rows: int) -> None:
        await self._pilot.resize_terminal(columns, rows)

    def grid(self, name: str) -> Grid[Any]:
        return self.app.screen.query_one(f"#{name}", Grid)

    def selected(self, name: str) -> Any:
        """What the cursor of a table is on."""
        return self.grid(name).selected

    def lines(self, name: str) -> list[str]:
        """What stands in a table, its titles first."""
        grid = self.grid(name)
        return [grid.render_line(y).text.rstrip() for y in range(grid.size.height)]

    def shows(self, name: str, words: str) -> bool:
        return isinstance(self.app.screen, Overview) and any(words in line for line in self.lines(name))

    async def focus(self, name: str) -> None:
        self.grid(name).focus()
        await self._pilot.pause()

    async def shown(self, screen: type[object]) -> None:
        await self.until(lambda: isinstance(self.app.screen, screen))


@asynccontextmanager
async def viewing(address: str) -> AsyncIterator[View]:
    async with aio.Client(address) as client:
        app = Watched(client, State(address))
        async with app.run_test() as pilot:
            view = View(app, pilot)
            await view.until(lambda: app.state.link is Link.LIVE)
            yield view


def running(service: LocalService, name: str, **fields: Any) -> v1.Job:
    """A job that runs until its gate opens, deaf to all else."""
    client = service.at.client
    return reach(client, client.submit("gated", name, **fields), v1.JOB_STATE_RUNNING)


async def test_it_shows_slots_queues_running_and_ended_jobs_and_keeps_up(service: LocalService) -> None:
    client = service.at.client
    first = running(service, "a", queue="slow")
    client.submit_and_wait("hopeless", "no [room]\x1b[2J for it")
    async with viewing(service.at.address) as view:
        await view.until(lambda: view.shows("running", first.id[-12:]))
        assert view.lines("slots")[1].split()[3:] == ["█████░░░░░░░░░░░░░░░", "1/4", "1", "3", "0"]
        assert [line.split()[0] for line in view.lines("queues")] == ["QUEUE", "default", "slow"]
        assert view.lines("running")[0].startswith("RUNNING 1/1")
        assert "FAILED" in view.lines("ended")[1]
        assert "\x1b" not in "".join(view.lines("ended"))
        second = running(service, "b")
        await view.until(lambda: view.shows("running", second.id[-12:]) and "2/4" in view.lines("slots")[1])
        gate("a").set()
        await view.until(lambda: view.shows("ended", first.id[-12:]) and not view.shows("running", first.id[-12:]))
        banner = str(view.app.screen.query_one(Banner).render())
        assert service.at.address in banner
        assert "live" in banner


async def test_a_job_is_cancelled_once_that_is_confirmed_then_retried_and_deleted(service: LocalService) -> None:
    client = service.at.client
    job = reach(client, client.submit("patient"), v1.JOB_STATE_RUNNING)
    async with viewing(service.at.address) as view:
        await view.until(lambda: view.shows("running", "patient"))
        await view.press("c", "n")
        await view.press("c")
        await view.shown(Confirm)
        assert job.id in str(view.app.screen.query(Static).first().render())
        assert client.get(job).state == v1.JOB_STATE_RUNNING
        await view.press("y")
        await view.until(lambda: view.shows("ended", "CANCELLED"))
        await view.focus("ended")
        await view.press("r")
        await view.until(lambda: view.shows("running", "patient"))
        client.cancel(job)
        await view.until(lambda: view.shows("ended", "CANCELLED"))
        await view.press("d", "y")
        await view.until(lambda: view.shows("ended", "ENDED none"))
        assert client.list_page().jobs == []


async def test_keys_that_do_not_fit_the_row_change_nothing_and_say_so(service: LocalService) -> None:
    client = service.at.client
    client.submit_and_wait("add", [1])
    async with viewing(service.at.address) as view:
        await view.until(lambda: view.shows("ended", "SUCCEEDED"))
        before = client.get_stats().revision
        for table, keys in (("ended", "crp+s"), ("running", "crdp")):
            await view.focus(table)
            await view.press(*keys)
            # Each says so in a notice of its own, and asks nothing.
            assert len(view.app.said) == len(keys)
            view.app.said.clear()
            assert isinstance(view.app.screen, Overview)
        assert client.get_stats().revision == before


async def test_a_queue_is_paused_resumed_and_resized(service: LocalService) -> None:
    client = service.at.client
    client.update_queue("slow", slots=2)
    async with viewing(service.at.address) as view:
        await view.until(lambda: view.shows("queues", "slow"))
        await view.focus("queues")
        await view.press("p")
        await view.until(lambda: view.shows("queues", "paused"))
        await view.press("p")
        await view.until(lambda: not view.shows("queues", "paused"))
        await view.press("plus")
        await view.until(lambda: view.lines("queues")[1].split()[3] == "3")
        await view.press("minus")
        await view.until(lambda: view.lines("queues")[1].split()[3] == "2")
        await view.press("s")
        await view.shown(Ask)
        view.app.screen.query_one(Input).value = "none"
        await view.press("enter")
        await view.until(lambda: view.shows("queues", "slow") and view.lines("queues")[1].split()[3] == "-")
        assert not client.get_queue("slow").HasField("slots")


async def test_the_servers_pool_is_resized_and_refuses_what_is_no_number(service: LocalService) -> None:
    client = service.at.client
    async with viewing(service.at.address) as view:
        await view.until(lambda: view.shows("slots", "0/4"))
        await view.focus("slots")
        await view.press("plus")
        await view.until(lambda: view.shows("slots", "0/5"))
        for typed in ("many", "none", "10001"):
            await view.press("s")
            await view.shown(Ask)
            view.app.screen.query_one(Input).value = typed
            await view.press("enter")
            await view.shown(Overview)
        assert client.list_slots().limit == 5
        assert view.app.said == ["error"] * 3
        await view.press("s")
        await view.shown(Ask)
        view.app.screen.query_one(Input).value = "0"
        await view.press("enter")
        await view.until(lambda: view.shows("slots", "0/0"))


async def test_a_job_is_opened_with_its_output_as_it_is_written(service: LocalService) -> None:
    client = service.at.client
    job = client.submit("print-then-wait", "door")
    reach(client, job, v1.JOB_STATE_RUNNING)
    async with viewing(service.at.address) as view:
        await view.until(lambda: view.shows("running", "print-then"))
        await view.press("enter")
        await view.shown(JobScreen)
        log = view.app.screen.query_one(Log)
        await view.until(lambda: "before" in log.lines)
        fields = view.app.screen.query_one("#fields", Static)
        assert job.id in str(fields.render())
        gate("door").set()
        await view.until(lambda: "after" in log.lines and "SUCCEEDED" in str(fields.render()))
        client.delete(job)
        await view.until(lambda: "is gone" in str(fields.render()))
        await view.press("escape")
        await view.shown(Overview)


async def test_a_pool_tells_who_holds_its_slots_and_a_holder_opens_its_job(service: LocalService) -> None:
    job = running(service, "a")
    async with viewing(service.at.address) as view:
        await view.until(lambda: view.shows("slots", "1/4"))
        await view.focus("slots")
        await view.press("enter")
        await view.shown(HoldersScreen)
        await view.until(lambda: job.id in view.lines("holders")[1])
        await view.press("enter")
        await view.shown(JobScreen)
        await view.press("q", "q")
        await view.shown(Overview)


async def test_a_filter_hides_what_does_not_match_and_enter_on_a_queue_sets_one(service: LocalService) -> None:
    first, second = running(service, "a", queue="one", labels={"team": "blue"}), running(service, "b", queue="two")
    async with viewing(service.at.address) as view:
        await view.until(lambda: view.shows("running", second.id[-12:]))
        await view.press("slash", *"blue", "enter")
        await view.until(lambda: view.shows("running", first.id[-12:]) and not view.shows("running", second.id[-12:]))
        assert "/blue" in str(view.app.screen.query_one(Banner).render())
        await view.press("slash")
        await view.shown(Ask)
        await view.press(*["backspace"] * 4, "enter")
        await view.until(lambda: view.shows("running", second.id[-12:]))
        await view.focus("queues")
        await view.press("down", "enter")
        await view.until(lambda: view.shows("running", second.id[-12:]) and not view.shows("running", first.id[-12:]))


async def test_the_cursor_stays_with_its_row_and_on_top_until_it_is_moved(service: LocalService) -> None:
    jobs = [running(service, name) for name in "abc"]
    async with viewing(service.at.address) as view:
        await view.until(lambda: view.shows("running", "RUNNING 1/3"))
        await view.press("down")
        assert view.selected("running").id == jobs[1].id
        gate("a").set()
        await view.until(lambda: view.shows("running", "RUNNING 1/2"))
        assert view.selected("running").id == jobs[1].id
        gate("b").set()
        await view.until(lambda: view.shows("running", "RUNNING 1/1"))
        assert view.selected("running").id == jobs[2].id
        assert view.selected("ended").id == jobs[1].id
        await view.focus("ended")
        await view.press("down", "home")
        gate("c").set()
        await view.until(lambda: view.shows("running", "RUNNING none"))
        assert view.selected("ended").id == jobs[2].id
        assert view.selected("running") is None


async def test_it_fits_terminals_of_other_sizes_as_they_change(service: LocalService) -> None:
    job = running(service, "a")
    async with viewing(service.at.address) as view:
        await view.until(lambda: view.shows("running", job.id[-12:]))
        assert not view.shows("running", job.id)
        await view.resize(140, 40)
        await view.until(lambda: view.shows("running", job.id))
        await view.resize(40, 10)
        await view.until(lambda: max(map(len, view.lines("running"))) <= 40)
        await view.resize(80, 24)
        await view.until(lambda: view.shows("running", job.id[-12:]))


async def test_the_order_of_a_table_can_be_changed_and_help_lists_the_keys(service: LocalService) -> None:
    running(service, "a", queue="z")
    last = running(service, "b", queue="a")
    async with viewing(service.at.address) as view:
        await view.until(lambda: view.shows("running", "RUNNING 1/2"))
        await view.press("o", "o", "o")
        assert view.grid("running").order == "queue"
        assert last.id[-12:] in view.lines("running")[1]
        await view.press("tab", "shift+tab", "question_mark")
        await view.shown(Help)
        await view.press("escape")
        await view.shown(Overview)


async def test_it_says_when_the_service_is_away_and_comes_back(service: LocalService) -> None:
    service.settings = replace(service.settings, listen=service.at.address)
    async with viewing(service.at.address) as view:
        banner = view.app.screen.query_one(Banner)
        service.stop()
        await view.until(lambda: "AWAY" in str(banner.render()))
        service.start()
        await view.until(lambda: "live" in str(banner.render()))


@pytest.mark.parametrize(("key", "status"), [("q", 0), ("ctrl+c", 130)])
async def test_it_ends_by_q_and_by_ctrl_c(service: LocalService, key: str, status: int) -> None:
    async with viewing(service.at.address) as view:
        await view.press(key)
    assert (view.app.return_code or 0) == status
