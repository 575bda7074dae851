"""A shop's work, put to a service for as long as pictures of it are taken."""

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import NamedTuple

import slotd
from slotd import v1

_EVERY_SECONDS = 0.12
_PEOPLE = ("ada", "grace", "linus", "margaret", "edsger", "barbara")


class Scene(NamedTuple):
    """The jobs that have pictures of their own."""

    video: v1.Job
    report: v1.Job


def set_up(client: slotd.Client) -> Scene:
    """Queues with limits, schedules, and the jobs that last."""
    client.update_queue("mail", slots=6, rate_limit=20)
    client.update_queue("media", slots=8, max_queued=1_000)
    client.update_queue("payments", slots=4, slots_per_key=1)
    client.update_queue("imports", paused=True)
    client.create_schedule("nightly-report", slotd.spec("build-report"), cron="30 2 * * *", time_zone="Europe/Berlin")
    client.create_schedule("sync/stock", slotd.spec("fetch-stock"), interval=20)
    client.create_schedule("invoices", slotd.spec("notify"), cron="0 7 1 * *", paused=True)
    client.trigger_schedule("nightly-report")
    client.submit("sync-catalog", {"shop": "eu"}, queue="media")
    client.submit_batch([slotd.spec("fetch-stock", {"seconds": 1}, queue="imports") for _ in range(7)])
    video = client.submit(
        "transcode-video",
        {"video": "spring-collection.mov", "seconds": 180, "preset": "web-1080p"},
        queue="media",
        labels={"user": "ada", "campaign": "spring"},
        priority=10,
    )
    client.submit("transcode-video", {"video": "making-of.mov", "seconds": 400}, queue="media")
    return Scene(video, _report(client))


def _report(client: slotd.Client) -> v1.Job:
    """The middle of a graph: some of what it needs is there, the rest is on its way, and others wait for it."""
    group = "report-june"
    parts = {
        "orders": slotd.spec("fetch-orders", {"seconds": 0.4}, group=group),
        "refunds": slotd.spec("fetch-refunds", {"seconds": 0.9}, group=group),
        "stock": slotd.spec("fetch-stock", {"seconds": 900}, group=group),
    }
    rest = {
        "build": slotd.spec("build-report", group=group, depends_on=[*parts]),
        "publish": slotd.spec("publish-report", group=group, depends_on="build"),
        "archive": slotd.spec("archive-report", group=group, depends_on="build"),
        "notify": slotd.spec("notify", group=group, depends_on=["publish", "archive"]),
    }
    return client.submit_batch(parts | rest)["build"]


def traffic(address: str) -> AbstractContextManager[None]:
    """Submits a shop's small jobs, a few each second."""
    chance = random.Random(6)

    def submit(client: slotd.Client, over: threading.Event) -> None:
        while not over.wait(_EVERY_SECONDS * chance.uniform(0.3, 1.7)):
            client.submit(_job(chance))

    return meanwhile(address, submit)


@contextmanager
def meanwhile(address: str, submit: Callable[[slotd.Client, threading.Event], None]) -> Iterator[None]:
    """Runs `submit` beside, with a client of its own, and tells it in the end that it is over."""
    over = threading.Event()

    def run() -> None:
        with slotd.Client(address) as client:
            submit(client, over)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _job(chance: random.Random) -> v1.JobSpec:
    user = chance.choice(_PEOPLE)
    labels = {"user": user}
    kind = chance.choices(("send-mail", "resize-photo", "charge-card"), (6, 2, 3))[0]
    if kind == "send-mail":
        return slotd.spec(kind, {"to": f"{user}@example.com"}, queue="mail", labels=labels)
    if kind == "resize-photo":
        return slotd.spec(kind, {"photo": f"{user}/{chance.randrange(9999):04}.jpg"}, queue="media", labels=labels)
    return slotd.spec(
        kind, {"cents": chance.randrange(500, 20_000)}, queue="payments", labels=labels, concurrency_key=user
    )
