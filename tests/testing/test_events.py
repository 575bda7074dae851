"""What happened is recorded in the order of the commits, and a look at it sees all that came before the look."""

import threading

import pytest

from slotd.testing import RecordedEvents, Service
from slotd.v1 import EVENT_TYPE_CREATED, JOB_STATE_RUNNING


def test_all_that_was_committed_is_there(slotd_service: Service, slotd_events: RecordedEvents) -> None:
    client = slotd_service.client
    jobs = [client.submit("echo", number) for number in range(20)]
    slotd_service.run_until_idle()
    for job in jobs:
        assert slotd_events.states(job) == ["QUEUED", "RUNNING", "SUCCEEDED"]
    revisions = [event.revision for event in slotd_events]
    assert revisions == sorted(revisions)
    assert len(slotd_events) == len(revisions) == 60
    created = [event.job.id for event in slotd_events if event.type == EVENT_TYPE_CREATED]
    assert created == [job.id for job in jobs]
    assert slotd_events[-1].job.result.data


def test_it_begins_where_it_was_made(slotd_service: Service) -> None:
    client = slotd_service.client
    client.submit_and_wait("echo")
    cursor = client.list_page().cursor
    later = client.submit_and_wait("echo")
    assert list(slotd_service.events()) == []
    assert {event.job.id for event in RecordedEvents(client, cursor)} == {later.id}


def test_each_attempt_has_its_states(slotd_service: Service, slotd_events: RecordedEvents) -> None:
    job = slotd_service.client.submit("fail", max_attempts=2)
    slotd_service.run_until_idle()
    slotd_service.clock.advance(3600)
    slotd_service.run_until_idle()
    assert slotd_events.states(job) == ["QUEUED", "RUNNING", "SCHEDULED", "QUEUED", "RUNNING", "FAILED"]
    assert slotd_events.wait_for(job, "running", attempt=2).job.attempt == 2
    assert slotd_events.wait_for(job, JOB_STATE_RUNNING).job.attempt == 1


def test_progress_is_no_state_but_may_be_recorded() -> None:
    def tell(ctx, payload):  # type: ignore[no-untyped-def]
        ctx.progress(1, 2)
        release.wait()

    release = threading.Event()
    with Service({"tell": tell}) as service:
        quiet, chatty = service.events(), RecordedEvents(service.client, include_progress=True)
        job = service.client.submit("tell")
        release.set()
        service.run_until_idle()
        assert quiet.states(job) == chatty.states(job) == ["QUEUED", "RUNNING", "SUCCEEDED"]
        assert any(event.job.progress.done for event in chatty.of(job))


def test_one_can_wait_for_what_has_yet_to_come(slotd_service: Service, slotd_events: RecordedEvents) -> None:
    job = slotd_service.client.submit("patient")
    slotd_events.wait_for(job, "RUNNING")
    cancel = threading.Timer(0, slotd_service.client.cancel, [job])
    cancel.start()
    event = slotd_events.wait_for(job, "CANCELLED")
    cancel.join()
    assert event.job.id == job.id
    assert slotd_events.states(job) == ["QUEUED", "RUNNING", "CANCELLED"]


@pytest.mark.slotd(slots=0)
def test_what_does_not_come_is_told_with_what_came(slotd_service: Service, slotd_events: RecordedEvents) -> None:
    job = slotd_service.client.submit("echo")
    with pytest.raises(AssertionError, match=f"job {job.id} was not RUNNING within 0.05 s: QUEUED"):
        slotd_events.wait_for(job, "RUNNING", timeout=0.05)
