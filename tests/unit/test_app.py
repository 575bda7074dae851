"""A server as others embed it: no signals, no announcement, several in one process, each from its beginning to its
end."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest

import slotd
from slotd import aio
from slotd.handlers import Handler
from slotd_server import app, dispatch
from slotd_server.app import Server, StartError
from slotd_server.domain import commands as ask
from slotd_server.domain.errors import ServiceError, StoreFull, StoreUnavailable
from slotd_server.domain.job import SECOND
from slotd_server.execution.base import Reporting, Runner
from slotd_server.execution.threads import ThreadRunner
from slotd_server.lifecycle import Committed
from slotd_server.observers import Observer
from slotd_server.settings import load
from slotd_server.store.base import ANYTHING, Expected
from slotd_server.store.sqlite import SqliteStore
from slotd_server.store.sqlite_write import SqliteTransaction
from slotd_server.writer import Writer
from tests.unit.driver import START, FakeClock


def echo(ctx: slotd.JobContext, payload: object) -> object:
    return payload


HANDLERS = {"echo": Handler("echo", echo)}
PATIENCE = 20


class RefusingStore(SqliteStore):
    """A store that takes nothing while there is an `error`."""

    error: ServiceError | None = None

    def begin(self, expected: Expected = ANYTHING) -> SqliteTransaction:
        if self.error is not None:
            raise self.error
        return super().begin(expected)


def server(runner: Callable[..., Runner] = ThreadRunner, observers: Sequence[Observer] = (), **settings: Any) -> Server:
    chosen = {"listen": "127.0.0.1:0", "store": "sqlite:///:memory:", "drain_timeout": 0.0, **settings}
    return Server(load(chosen, {}), HANDLERS, clock=FakeClock(), random=Random(0), threads=runner, observers=observers)


@pytest.fixture(autouse=True)
def _silent(capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    yield
    said = capfd.readouterr()
    assert "listening" not in said.out + said.err


async def test_its_writer_knows_how_busy_the_process_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without that, no change would ever wait for company."""

    def asked() -> bool:
        return False

    monkeypatch.setattr(app, "Busy", lambda: asked)
    async with server() as one:
        assert one.dispatcher._inbox._busy is asked


async def test_threads_that_have_time_make_changes() -> None:
    """Without that, each end of a job would wake the writer's thread."""
    made: list[Reporting] = []

    def threads(handlers: Mapping[str, Handler], reporting: Reporting, **more: Any) -> ThreadRunner:
        made.append(reporting)
        return ThreadRunner(handlers, reporting, **more)

    async with server(runner=threads) as one:
        assert [reporting.ended for reporting in made] == [one.dispatcher.ended]


async def test_several_live_in_one_loop() -> None:
    async with server() as one, server() as other, aio.Client(one.address) as client:
        ended = await client.submit_and_wait("echo", 1)
        assert slotd.decode(ended.result) == 1
        async with aio.Client(other.address) as elsewhere:
            assert [job async for job in elsewhere.list()] == []


async def test_time_and_chance_are_whose_they_are_given() -> None:
    ids = []
    for _ in range(2):
        async with server() as one, aio.Client(one.address) as client:
            job = await client.submit("echo")
            assert job.create_time.ToMicroseconds() == START
            ids.append(job.id)
    assert ids[0] == ids[1]


async def test_the_slots_change_while_it_runs() -> None:
    async with server(slots=2) as one, aio.Client(one.address) as client:
        one.resize(5)
        assert (await client.list_slots()).slots == 5


@pytest.mark.parametrize("error", [StoreFull(), StoreUnavailable("it is away")], ids=["full", "away"])
async def test_the_slots_change_once_the_store_takes_writes(
    error: ServiceError, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is there who would ask again, as a caller does."""
    store, clock = RefusingStore(":memory:"), FakeClock()
    monkeypatch.setattr(app, "open_store", lambda *_, **__: (store, clock))
    async with server(slots=2) as one, asyncio.timeout(20):
        store.error = error
        resized = one.resize(5)
        with pytest.raises(type(error)):
            await one.dispatcher.call(ask.UpdateSlots(9))
        assert not resized.done()
        store.error = None
        clock.advance(SECOND)
        one.dispatcher.wake()
        await resized
        assert (await one.dispatcher.call(ask.ListSlots())).limit == 5


async def test_what_it_has_begun_is_undone_where_it_can_not_start(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/jobs.db"
    async with server() as there:
        with pytest.raises(StartError, match="is another server there"):
            async with server(listen=there.address, store=store):
                pass
    async with server(store=store) as one, aio.Client(one.address) as client:
        await client.submit("echo")
        with pytest.raises(StartError, match="cannot open the store"):
            async with server(store=store):
                pass


async def test_it_waits_for_jobs_at_its_end_unless_it_is_asked_twice() -> None:
    running = asyncio.Event()

    async def wait(ctx: slotd.JobContext, payload: object) -> None:
        loop.call_soon_threadsafe(running.set)
        await asyncio.Event().wait()

    loop = asyncio.get_running_loop()
    settings = load({"listen": "127.0.0.1:0", "store": "sqlite:///:memory:", "drain_timeout": 50.0}, {})
    async with asyncio.timeout(20):
        async with Server(settings, {"wait": Handler("wait", wait)}) as one, aio.Client(one.address) as client:
            await client.submit("wait")
            await running.wait()
            one.stop()
            await one.asked_to_stop()
            one.stop()


class Hanging:
    """Stands in for a store that hangs: whatever thread makes a change is held in it from `hang` on, until `open`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._gate = threading.Event()
        self._hangs = False
        stop = Writer.stop

        def stop_it(writer: Writer[Any]) -> None:
            self._loop.call_soon_threadsafe(self.asked.set)
            stop(writer)

        monkeypatch.setattr(Writer, "stop", stop_it)
        # Not what these tests are about.
        monkeypatch.setattr(dispatch, "_PUT_BACK_SECONDS", 0)

    def committed(self, committed: Committed) -> None:
        assert not self._hangs or self._gate.wait(PATIENCE)

    def not_taken(self, error: Exception) -> None:
        raise AssertionError("no store took it") from error

    async def hang(self, client: aio.Client) -> None:
        """From a change on that this makes."""
        self._hangs = True
        await client.submit("echo")

    def open(self) -> None:
        self._gate.set()


@pytest.fixture
async def hanging(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Hanging]:
    made = Hanging(monkeypatch)
    yield made
    made.open()


def threads() -> list[threading.Thread]:
    """Those that a server waits for in the end, and that in which it does."""
    return [thread for thread in threading.enumerate() if thread.name.startswith(("slotd-writer", "slotd-end"))]


async def test_where_its_store_is_only_slow_it_waits_for_its_threads(hanging: Hanging) -> None:
    one = await server(observers=[hanging]).__aenter__()
    async with aio.Client(one.address) as client:
        await hanging.hang(client)
    ending = asyncio.ensure_future(one.__aexit__(None, None, None))
    async with asyncio.timeout(PATIENCE):
        await hanging.asked.wait()
        for _ in range(100):
            await asyncio.sleep(0)
        assert not ending.done()
        hanging.open()
        await ending
    assert not [thread for thread in threads() if thread.name == "slotd-writer"]


async def test_it_ends_though_its_store_hangs(
    hanging: Hanging, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "_END_SECONDS", 0.05)
    store = f"sqlite:///{tmp_path}/jobs.db"
    async with asyncio.timeout(PATIENCE):
        async with server(observers=[hanging], store=store) as one, aio.Client(one.address) as client:
            await hanging.hang(client)
    # What is left of it is undone in its order, once that can be.
    with pytest.raises(StartError, match="another server"):
        await server(store=store).__aenter__()
    hanging.open()
    for thread in threads():
        await asyncio.to_thread(thread.join, PATIENCE)
    async with server(store=store):
        pass


async def test_asked_twice_it_waits_for_no_store_that_hangs(hanging: Hanging, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "_END_SECONDS", 2 * PATIENCE)
    monkeypatch.setattr(app, "_MOMENT", 0.05)
    async with asyncio.timeout(PATIENCE):
        one = await server(observers=[hanging]).__aenter__()
        async with aio.Client(one.address) as client:
            await hanging.hang(client)
        ending = asyncio.ensure_future(one.__aexit__(None, None, None))
        await hanging.asked.wait()
        assert not ending.done()
        one.stop()
        await ending
