"""`slotd watch` where no terminal is: lines and JSON lines."""

import json

from slotd import v1
from tests.cli.conftest import Service, Slotd

STEPS = [
    v1.Job(state=v1.JOB_STATE_RUNNING, attempt=1),
    v1.Job(state=v1.JOB_STATE_CANCELLED),
]


def test_a_line_for_each_event(slotd: Slotd, service: Service) -> None:
    service.shelf.scripts["count"] = STEPS
    job = service.shelf.add()
    result = slotd("watch", job.id)
    assert result.exit_code == 0
    assert [line.split()[1:] for line in result.stdout.splitlines()] == [
        [job.id, "QUEUED", "count"],
        [job.id, "RUNNING", "count"],
        [job.id, "CANCELLED", "count"],
    ]
    assert result.stdout.splitlines()[1].startswith("2030-03-17T17:48:21.000Z  ")


def test_a_line_of_a_blocked_job_says_what_it_waits_for(slotd: Slotd, service: Service) -> None:
    blocked = v1.Job(state=v1.JOB_STATE_BLOCKED, blocked_by=["resources/machine"])
    service.shelf.scripts["count"] = [blocked, v1.Job(state=v1.JOB_STATE_CANCELLED)]
    job = service.shelf.add(group="orders", schedule="nightly")
    lines = slotd("watch", job.id).stdout.splitlines()
    assert lines[1].endswith("BLOCKED      count  group orders  schedule nightly  waits for resources/machine")
    assert lines[2].endswith("CANCELLED    count  group orders  schedule nightly")


def test_json_lines_carry_the_event_and_the_cursor_after_it(slotd: Slotd, service: Service) -> None:
    service.shelf.scripts["count"] = STEPS
    job = service.shelf.add()
    events = [json.loads(line) for line in slotd("watch", job.id, "-o", "json").stdout.splitlines()]
    assert [event["type"] for event in events] == [
        "EVENT_TYPE_SNAPSHOT",
        "EVENT_TYPE_CHANGED",
        "EVENT_TYPE_CHANGED",
    ]
    assert [event.get("cursor") for event in events] == [None, "step-1", "step-2"]
    assert events[1]["previous_state"] == "JOB_STATE_QUEUED"
    assert events[1]["revision"] == 101


def test_options_reach_the_service(slotd: Slotd, service: Service) -> None:
    job = service.shelf.add(state=v1.JOB_STATE_FAILED)
    slotd("watch", job.id, "--id", job.id, "--since", "synced", "--latest", "--progress", "-k", "count")
    assert service.shelf.streamed[-1] == v1.StreamRequest(
        filter=v1.JobFilter(job_ids=[job.id, job.id], kinds=["count"]),
        cursor="synced",
        delivery=v1.DELIVERY_LATEST,
        include_progress=True,
    )
    slotd("watch", job.id)
    assert not service.shelf.streamed[-1].include_progress


def test_an_expired_cursor_is_refused_with_a_way_out(slotd: Slotd) -> None:
    result = slotd("watch", "--since", "expired")
    assert result.exit_code == 3
    assert result.stderr.splitlines() == [
        "Error: the cursor is too old (CURSOR_EXPIRED)",
        "  watch without --since begins with the jobs as they are",
    ]
