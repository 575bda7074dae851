"""`slotd queues`, `queue`, `slots`, `stats` and `servers`."""

import json
import re

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

import slotd
from slotd import v1
from tests.cli.conftest import Service, Slotd


def test_queues(slotd: Slotd, service: Service) -> None:
    service.shelf.queues["default"] = v1.Queue(name="default", counters=v1.Counters(queued=3, failed=1))
    service.shelf.queues["video"] = v1.Queue(name="video", slots=0, paused=True, max_queued=10)
    _, first, second = slotd("queues").stdout.splitlines()
    assert first.split() == ["default", "-", "-", "0", "3", "0", "0", "0", "1", "0"]
    assert second.split() == ["video", "0", "paused", "10", "0", "0", "0", "0", "0", "0", "0"]
    shown = json.loads(slotd("queues", "-o", "json").stdout)
    assert [queue["name"] for queue in shown] == ["default", "video"]
    assert shown[0]["counters"]["queued"] == 3
    assert (shown[1]["slots"], shown[1]["max_queued"]) == (0, 10)
    assert "slots" not in shown[0]


def test_queue_get(slotd: Slotd, service: Service) -> None:
    service.shelf.queues["video"] = v1.Queue(name="video", slots=2)
    assert slotd("queue", "get", "video").stdout.splitlines()[1].split()[:2] == ["video", "2"]
    assert json.loads(slotd("queue", "get", "video", "-o", "json").stdout)["slots"] == 2
    missing = slotd("queue", "get", "audio")
    assert (missing.exit_code, missing.stderr) == (3, "Error: no queue 'audio' (QUEUE_NOT_FOUND)\n")


@pytest.mark.parametrize(
    ("words", "queue", "mask"),
    [
        ("--slots 3", v1.Queue(name="video", slots=3), ["slots"]),
        ("--slots none", v1.Queue(name="video"), ["slots"]),
        ("--slots 0 --max-queued 0", v1.Queue(name="video", slots=0, max_queued=0), ["slots", "max_queued"]),
        ("--max-queued none", v1.Queue(name="video"), ["max_queued"]),
        ("--pause", v1.Queue(name="video", paused=True), ["paused"]),
        ("--resume", v1.Queue(name="video", paused=False), ["paused"]),
        ("--slots-per-key 3", v1.Queue(name="video", slots_per_key=3), ["slots_per_key"]),
        ("--rate 10", v1.Queue(name="video", rate_limit=v1.RateLimit(starts_per_second=10)), ["rate_limit"]),
        (
            "--rate 30/m --burst 5",
            v1.Queue(name="video", rate_limit=v1.RateLimit(starts_per_second=0.5, burst=5)),
            ["rate_limit"],
        ),
        ("--rate none --retain-count 0", v1.Queue(name="video", retain_count=0), ["rate_limit", "retain_count"]),
        ("--retain-count none", v1.Queue(name="video"), ["retain_count"]),
        (
            "--default-priority -1 --default-timeout 1h --default-max-attempts 3 --default-jitter 0",
            v1.Queue(
                name="video",
                defaults=slotd.queue_defaults(
                    priority=-1, timeout=3600, retry=slotd.RetryPolicy(max_attempts=3, jitter=0)
                ),
            ),
            ["defaults"],
        ),
    ],
)
def test_queue_update_names_what_it_changes(
    slotd: Slotd, service: Service, words: str, queue: v1.Queue, mask: list[str]
) -> None:
    result = slotd("queue", "update", "video", *words.split())
    assert result.exit_code == 0
    assert "video" in result.stdout
    assert service.shelf.queue_updates[0].queue == queue
    assert service.shelf.queue_updates[0].update_mask.paths == mask


def test_defaults_that_are_not_named_stay(slotd: Slotd, service: Service) -> None:
    before = v1.QueueDefaults(
        priority=3, timeout=Duration(seconds=5), retry=v1.RetryPolicy(max_attempts=2), retention=Duration(seconds=60)
    )
    service.shelf.queues["video"] = v1.Queue(name="video", defaults=before)
    words = "--default-priority none --default-max-attempts none --default-queue-timeout 1m --default-retention 90"
    assert slotd("queue", "update", "video", *words.split()).exit_code == 0
    assert service.shelf.queue_updates[0].queue.defaults == v1.QueueDefaults(
        timeout=Duration(seconds=5), queue_timeout=Duration(seconds=60), retention=Duration(seconds=90)
    )


def test_settings_that_are_set_are_shown(slotd: Slotd, service: Service) -> None:
    service.shelf.queues["video"] = v1.Queue(
        name="video",
        slots_per_key=3,
        rate_limit=v1.RateLimit(starts_per_second=0.5),
        retain_count=100,
        defaults=v1.QueueDefaults(
            priority=0,
            timeout=Duration(seconds=90),
            retry=v1.RetryPolicy(max_attempts=2, initial_backoff=Duration(seconds=1), multiplier=2.5, jitter=0),
        ),
    )
    _, settings = slotd("queue", "get", "video").stdout.split("\n\n")
    assert [re.split(r"  +", line) for line in settings.splitlines()] == [
        ["slots per key", "3"],
        ["rate", "0.5/s, burst 1"],
        ["retain count", "100"],
        ["default priority", "0"],
        ["default timeout", "1m30s"],
        ["default max attempts", "2"],
        ["default initial backoff", "1.0s"],
        ["default multiplier", "2.5"],
        ["default jitter", "0"],
    ]


def test_queue_update_in_json(slotd: Slotd) -> None:
    assert json.loads(slotd("queue", "update", "video", "--slots", "3", "-o", "json").stdout)["slots"] == 3


@pytest.mark.parametrize(
    "words",
    [
        "",
        "--slots many",
        "--slots -1",
        "--slots 4294967296",
        "--max-queued 1e3",
        "--rate 0",
        "--rate 5/y",
        "--rate fast",
        "--burst 5",
        "--rate none --burst 5",
        "--default-priority 1001",
        "--default-jitter 2",
        "--default-timeout soon",
    ],
)
def test_queue_update_refuses(slotd: Slotd, service: Service, words: str) -> None:
    assert slotd("queue", "update", "video", *words.split()).exit_code == 2
    assert not service.shelf.queue_updates


def test_slots(slotd: Slotd, service: Service) -> None:
    assert slotd("slots").stdout == "4 slots: 4 free, 0 running, 0 zombie\n"
    job = service.shelf.add(state=v1.JOB_STATE_RUNNING, attempt=1, start_time=Timestamp(seconds=1_900_000_000))
    lines = slotd("slots").stdout.splitlines()
    assert lines[0] == "4 slots: 3 free, 1 running, 0 zombie"
    assert lines[3].split()[:4] == [job.id, "1", "count", "default"]
    assert lines[6].split() == ["default", "-", "1", "0"]
    shown = json.loads(slotd("slots", "-o", "json").stdout)
    assert (shown["slots"], shown["free"], shown["limit"]) == (4, 3, 4)
    assert shown["holders"][0]["job_id"] == job.id


def test_slots_of_workers(slotd: Slotd, service: Service) -> None:
    service.shelf.pools = [
        v1.PoolSlots(slots=4, free=4, limit=4),
        v1.PoolSlots(worker="00ff", name="far", slots=2, free=1, zombie=1, limit=2),
    ]
    lines = slotd("slots").stdout.splitlines()
    assert [re.split(r"  +", line) for line in lines[3:5]] == [
        ["the server itself", "4", "4", "0", "0"],
        ["far", "2", "1", "0", "1", "00ff"],
    ]


def test_slots_resize(slotd: Slotd, service: Service) -> None:
    service.shelf.add(state=v1.JOB_STATE_RUNNING)
    result = slotd("slots", "--resize", "0")
    assert result.stdout.splitlines()[0] == "1 slots: 0 free, 1 running, 0 zombie (shrinking to 0)"
    assert json.loads(slotd("slots", "--resize", "7", "-o", "json").stdout)["limit"] == 7
    assert slotd("slots", "--resize", "-1").exit_code == 2
    assert service.shelf.slots == 7


def test_stats(slotd: Slotd, service: Service) -> None:
    service.shelf.add("count")
    service.shelf.add("thumbnail")
    now, ever = slotd("stats").stdout.split("\n\n")
    assert now.splitlines()[1].split() == ["all", "0", "0", "2", "0", "0", "0", "0"]
    assert [line.split()[:2] for line in ever.splitlines()[2:]] == [
        ["queue", "default"],
        ["kind", "count"],
        ["kind", "thumbnail"],
    ]
    shown = json.loads(slotd("stats", "-o", "json").stdout)
    assert shown["counters"]["submitted"] == 2
    assert sorted(shown["kinds"]) == ["count", "thumbnail"]


def test_servers(slotd: Slotd, service: Service) -> None:
    service.shelf.servers = [
        v1.Server(
            id="00ff",
            name="one\x1b[2J",
            address="10.0.0.1:7433",
            version="1.2.3",
            start_time=Timestamp(seconds=1),
            slots=8,
            running=3,
            zombie=2,
            draining=True,
            kinds=["count"],
            renew_time=Timestamp(seconds=2),
            lease=Duration(seconds=15),
        ),
        v1.Server(
            id="01ff", name="two", address="unix:s", version="1.2.4", start_time=Timestamp(seconds=3), local=True
        ),
    ]
    titles, first, second = [re.split(r"  +", line) for line in slotd("servers").stdout.splitlines()]
    assert titles[:5] == ["NAME", "ADDRESS", "SLOTS", "RUNNING", "ZOMBIE"]
    assert first[:5] == [r"one\x1b[2J", "10.0.0.1:7433", "8", "3", "2"]
    assert first[6].endswith(" ago")
    assert first[7:] == ["15s", "draining", "1.2.3", "00ff"]
    assert second[:5] == ["two", "unix:s", "0", "0", "0"]
    assert second[6:] == ["-", "-", "1.2.4", "01ff", "local"]
    shown = json.loads(slotd("servers", "-o", "json").stdout)
    assert [(server["id"], server["local"]) for server in shown] == [("00ff", False), ("01ff", True)]
    assert (shown[0]["lease"], shown[0]["kinds"], shown[0]["zombie"]) == ("15s", ["count"], 2)
    assert "lease" not in shown[1]
    assert "renew_time" not in shown[1]
