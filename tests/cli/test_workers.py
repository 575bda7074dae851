"""`slotd workers`."""

import json
import re

from google.protobuf.timestamp_pb2 import Timestamp

from slotd import v1
from tests.cli.conftest import Service, Slotd


def put_workers(service: Service) -> None:
    service.shelf.workers = [
        v1.Worker(
            id="00ff",
            name="one\x1b[2J",
            client="slotd-go/0.1.0",
            server="aa",
            start_time=Timestamp(seconds=1),
            kinds=["count", "thumbnail"],
            slots=8,
            running=3,
            zombie=2,
            connected=True,
        ),
        v1.Worker(id="01ff", name="two", server="aa", kinds=["count"]),
    ]


def test_workers_are_listed(slotd: Slotd, service: Service) -> None:
    put_workers(service)
    titles, first, second = [re.split(r"  +", line) for line in slotd("workers").stdout.splitlines()]
    assert titles[:4] == ["NAME", "KINDS", "SLOTS", "RUNNING"]
    assert first[:5] == [r"one\x1b[2J", "count, thumbnail", "8", "3", "2"]
    assert first[-1] == "00ff"
    assert (second[:4], "away" in second) == (["two", "count", "0", "0"], True)
    shown = json.loads(slotd("workers", "-o", "json").stdout)
    assert [(worker["id"], worker["connected"]) for worker in shown] == [("00ff", True), ("01ff", False)]


def test_one_can_be_asked_to_leave(slotd: Slotd, service: Service) -> None:
    put_workers(service)
    assert "draining" in slotd("workers", "--drain", "00ff").stdout
    assert [worker.draining for worker in service.shelf.workers] == [True, False]


def test_one_that_is_not_there(slotd: Slotd, service: Service) -> None:
    result = slotd("workers", "--drain", "nobody")
    assert (result.exit_code, "no worker 'nobody'" in result.stderr) == (3, True)
