"""A disk that is full: what could not be kept has not happened, in the store, in the ledger and in memory."""

from collections.abc import Callable

import pytest

from slotd_server.domain import commands as ask
from slotd_server.domain.errors import StoreFull
from slotd_server.domain.events import EVERYTHING
from slotd_server.domain.job import SECOND, Payload, Progress
from slotd_server.domain.queue import Queue
from slotd_server.domain.states import State
from tests.unit.driver import DONE, START, TIMEOUT, Driver, draft

MakeDriver = Callable[..., Driver]


def fill_disk(driver: Driver) -> None:
    """No page more than there are now: SQLite itself says that the disk is full."""
    (pages,) = driver.store.writer.execute("PRAGMA page_count").fetchone()
    driver.store.writer.execute(f"PRAGMA max_page_count = {pages}")


def make_room(driver: Driver) -> None:
    driver.store.writer.execute("PRAGMA max_page_count = 1000000")


def big() -> ask.Submit:
    return ask.Submit((draft(payload=Payload("application/octet-stream", bytes(100_000)), request_id="big"),))


def test_a_full_disk_refuses_the_change_and_keeps_what_was(driver: Driver) -> None:
    job = driver.submit()
    fill_disk(driver)
    before = driver.everything()
    for _ in range(3):
        with pytest.raises(StoreFull):
            driver.apply(big())
    assert driver.everything() == before
    assert driver.get(job).state is State.RUNNING


def test_it_recovers_by_itself_once_there_is_room(driver: Driver) -> None:
    fill_disk(driver)
    with pytest.raises(StoreFull):
        driver.apply(big())
    make_room(driver)
    committed = driver.apply(big())
    assert [event.revision for event in committed.events] == [1, 2], "revisions have no gap"
    assert driver.submit(payload=None).seq == 3


def test_reading_goes_on(driver: Driver) -> None:
    job = driver.submit()
    fill_disk(driver)
    with pytest.raises(StoreFull):
        driver.apply(big())
    assert driver.get(job).state is State.RUNNING
    assert len(driver.events()) == 2
    assert driver.slots().running == 1
    assert driver.counters().running == 1


@pytest.mark.parametrize(
    "command",
    [
        "finish",
        "overrun",
        "report",
        "give back",
        "cancel",
        "retry",
        "delete",
        "purge",
        "queue",
        "slots",
        "submit",
        "due",
    ],
)
def test_every_kind_of_change_is_taken_back_whole(make_driver: MakeDriver, command: str) -> None:
    driver = make_driver(2)
    driver.queue("small", slots=1)
    running, other = driver.submit(), driver.submit()
    ended = driver.submit(schedule_time=START + SECOND, request_id="r")
    driver.answer(ask.Cancel(ended.id))
    driver.submit(schedule_time=START + 5 * SECOND)
    lease = driver.lease(running)
    commands: dict[str, ask.Command | None] = {
        "finish": ask.Finish(lease, DONE, Progress(1, 1, ""), b"words"),
        "overrun": ask.Overrun(lease, TIMEOUT),
        "report": ask.Report(lease, Progress(1, 1, ""), b"words"),
        "give back": ask.GiveBack(lease),
        "cancel": ask.Cancel(running.id),
        "retry": ask.Retry(ended.id),
        "delete": ask.Delete(ended.id),
        "purge": ask.Purge(EVERYTHING),
        "queue": ask.UpdateQueue(Queue("small", 9), frozenset({"slots"})),
        "slots": ask.UpdateSlots(7),
        "submit": ask.Submit((draft(request_id="s"), draft())),
        "due": None,
    }
    chosen = commands[command]
    if chosen is None:
        driver.clock.advance(5 * SECOND)
    before = driver.everything()
    driver.store.fail_commits = 1
    with pytest.raises(StoreFull):
        driver.apply(*[] if chosen is None else [chosen])
    assert driver.everything() == before
    # The same once more, with room: nothing of the first try is in the way.
    driver.apply(*[] if chosen is None else [chosen])
    assert driver.everything() != before
    assert driver.get(other).state is State.RUNNING


def test_one_who_is_refused_does_not_spoil_the_others_change(driver: Driver) -> None:
    good, bad = driver.apply(ask.Submit((draft(),)), ask.Cancel("no such job")).answers
    assert isinstance(bad, Exception)
    assert driver.get(good[0]).state is State.RUNNING
