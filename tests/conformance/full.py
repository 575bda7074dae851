"""A store that has something of everything in it, for what has to keep all of that."""

from pathlib import Path

from slotd_server.domain import commands as ask
from slotd_server.domain.job import SECOND, Payload, Progress
from slotd_server.domain.outcome import Succeeded
from slotd_server.domain.queue import Defaults, Rate
from slotd_server.domain.schedule import Overlap, Schedule, Settings
from slotd_server.domain.ties import Dependency, Unique
from slotd_server.store.base import Unsettled
from tests.unit.driver import HOPELESS, START, Driver, draft, shared, snooze

BYTES = bytes(range(256)) * 3
WORDS = "naïve — 你好 😀 \\N 'quoted' \"twice\"\t\n\r\v\x7f"


def fill(path: Path) -> None:
    """Make a SQLite store, with rows in every table and jobs in every state, that its second server has left as a crash
    would."""
    driver = Driver(slots=8, path=str(path))
    _settings(driver)
    driver.restart()
    _attempts(driver)
    _ties(driver)
    _schedules(driver)
    _left_behind(driver)
    driver.close()


def _settings(driver: Driver) -> None:
    driver.queue("größe/1", slots=1, slots_per_key=1, rate=Rate(0.25, 3), max_queued=10**12)
    driver.queue("few", retain_count=2)
    driver.queue("paused", paused=True, defaults=Defaults(priority=-1000, timeout=3 * SECOND, jitter=0.1))


def _attempts(driver: Driver) -> None:
    """Jobs that have run, with what they told: succeeded, failed, snoozed, cancelled, running, lingering."""
    payload = Payload('text/plain; a="b"', WORDS.encode())
    told = driver.submit(payload=payload, labels={"ü": WORDS, "": ""}, request_id="to be told again", content=BYTES)
    driver.report(told, Progress(2**62, 2**63 - 1, WORDS), BYTES)
    driver.report(told, None, BYTES * 100)
    driver.finish(told, Succeeded(Payload("application/octet-stream", BYTES)))
    driver.finish(driver.submit(payload=Payload("a/b", b"")), Succeeded(Payload("a/b", b"")))
    driver.finish(driver.submit(), HOPELESS)
    driver.finish(driver.submit(), snooze(3600))
    driver.answer(ask.Cancel(driver.submit(queue="paused").id))
    gone = driver.submit(queue="paused", request_id="of one that is gone", content=b"\0")
    driver.answer(ask.Cancel(gone.id))
    driver.answer(ask.Delete(gone.id))
    driver.overrun(driver.submit())
    driver.submit()


def _ties(driver: Driver) -> None:
    """Jobs that wait for all that there is to wait for, and some that hold it."""
    holder = driver.submit(queue="paused", resources=["a/b", shared("c/*")])
    driver.submit(queue="paused", resources=["a/*"])
    for _ in range(2):
        driver.submit(queue="größe/1", key=f"k {WORDS}", priority=-7)
    for _ in range(3):
        driver.finish(driver.submit("other", queue="few", group="g/1"))
    driver.submit(queue="paused", group="g/2")
    on_group = Dependency(group="g/2", success=False)
    waits = driver.submit(queue="paused", depends_on=[holder, on_group], group="g/1", schedule_time=START + 1)
    driver.update(waits, labels=(("ü", WORDS),), priority=1000)
    driver.submit(queue="paused", unique=Unique(WORDS, 3600 * SECOND))
    driver.submit(queue="paused", schedule_time=START + 10**15)


def _schedules(driver: Driver) -> None:
    settings = Settings(
        draft(payload=Payload("application/octet-stream", BYTES), labels={"a": WORDS}, queue="paused"),
        cron="*/5 * * * *",
        time_zone="Europe/Berlin",
        overlap=Overlap.ALLOW,
        jitter=7 * SECOND,
    )
    for name in ("often", "Ärger", "z"):
        driver.answer(ask.CreateSchedule(Schedule(name, settings, 0, 0)))
    driver.pass_time(3600 * SECOND)
    driver.answer(ask.UpdateSchedule("z", settings._replace(paused=True), frozenset({"paused"})))


def _left_behind(driver: Driver) -> None:
    """What only a crash or its age leaves in a store: work for the next change, and a log that does not begin at 1."""
    tx = driver.store.begin()
    tx.leave_unsettled([Unsettled("groups/none", 3), Unsettled("jobs/none", 0)])
    tx.commit()
    tx = driver.store.begin()
    tx.trim(10**6, driver.clock.now() - 3599 * SECOND, 0, 5)
    tx.commit()
