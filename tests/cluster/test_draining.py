"""Rolling restarts: what a server that stops leaves to the others."""

import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle

import slotd
from slotd import v1
from slotd.v1 import JOB_STATE_RUNNING, JOB_STATE_SUCCEEDED
from tests.cluster.log import assert_gapless, cursor_now, server_of, told
from tests.fundamentals.handlers import gate
from tests.service import LocalService, Start, reach


def test_while_one_drains_the_others_take_over(start: Start) -> None:
    leaving, staying = start(slots=1, drain_timeout=60.0, server_name="leaving"), start(slots=0)
    client = staying.at.client
    held = client.submit("gated", "drain")
    reach(client, held, JOB_STATE_RUNNING)
    waiting = client.submit("idle")
    leaving.ask_to_stop()
    client.update_slots(1)
    ended = client.wait(waiting)
    assert (ended.state, server_of(ended)) == (
        JOB_STATE_SUCCEEDED,
        next(one.id for one in client.list_servers() if one.local),
    )
    assert [one.draining for one in client.list_servers() if one.name == "leaving"] == [True]
    assert client.get(held).state == JOB_STATE_RUNNING
    gate("drain").set()
    assert len(client.wait(held).attempts) == 1
    leaving.stop()
    assert [one.local for one in client.list_servers()] == [True]


def test_what_does_not_end_within_the_drain_is_given_back_at_once(start: Start) -> None:
    """Not only when the lease is over, and not counted: the attempt was not at fault."""
    leaving, staying = start(slots=2, lease=600.0), start(slots=0, lease=600.0)
    client = staying.at.client
    jobs = [client.submit("gated", "at-once") for _ in range(2)]
    for job in jobs:
        reach(client, job, JOB_STATE_RUNNING)
    client.update_slots(2)
    leaving.ask_to_stop()
    local = next(one.id for one in client.list_servers() if one.local)
    for job in jobs:
        with client.stream(job_ids=job) as events:
            again = next(event.job for event in events if server_of(event.job) == local)
        assert again.state == JOB_STATE_RUNNING
    gate("at-once").set()
    assert {client.wait(job).state for job in jobs} == {JOB_STATE_SUCCEEDED}


def test_a_rolling_restart_under_load_loses_nothing(three: list[LocalService]) -> None:
    cursor = cursor_now(three[0].at)
    addresses = [service.at.address for service in three]
    stop = threading.Event()
    made: list[str] = []

    def write() -> None:
        """Submits through whichever server takes it, until told to stop."""
        services = cycle(three)
        while not stop.is_set():
            for service in services:
                try:
                    made.append(service.at.client.submit("count", 2, max_attempts=9).id)
                    break
                except (slotd.Unavailable, slotd.Cancelled, ValueError):
                    # It is about to stop, or has; the next one takes it.
                    continue

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        for service in three:
            service.stop()
            service.start()
            service.at.client.submit_and_wait("count", 2, max_attempts=9)
        stop.set()
        writing.result()
    client = three[0].at.client
    assert len(made) > len(addresses)
    assert {client.wait(job_id).state for job_id in made} == {JOB_STATE_SUCCEEDED}
    records = [told(service.at, cursor) for service in three]
    for record in records:
        assert_gapless(record)
    assert records[0] == records[1] == records[2]
    assert {event.job.id for event in records[0] if event.type == v1.EVENT_TYPE_CREATED} >= set(made)
