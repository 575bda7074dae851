"""The service's time is the test's: nothing comes before its time, and all that is due has been done when the clock
comes back."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

import slotd
from slotd.testing import RecordedEvents, Service
from slotd.v1 import Job

NOON = datetime(2030, 6, 1, 12, tzinfo=UTC)


def state(service: Service, job: Job) -> str:
    return slotd.v1.JobState.Name(service.client.get(job).state).removeprefix("JOB_STATE_")


@pytest.mark.slotd(now=NOON)
def test_it_stands_still_and_goes_where_it_is_moved(slotd_service: Service) -> None:
    clock = slotd_service.clock
    assert clock.now == NOON
    clock.advance(1.5)
    clock.advance(timedelta(hours=1))
    assert clock.now == NOON + timedelta(hours=1, seconds=1.5)
    clock.move_to(NOON + timedelta(days=1))
    job = slotd_service.client.submit("echo")
    assert job.create_time.ToDatetime(UTC) == NOON + timedelta(days=1)


def test_it_does_not_run_back(slotd_service: Service) -> None:
    with pytest.raises(ValueError, match="does not run back"):
        slotd_service.clock.advance(-1)
    with pytest.raises(ValueError, match="no time zone"):
        slotd_service.clock.move_to(datetime(2090, 1, 1))  # noqa: DTZ001


def test_a_job_runs_at_its_time_and_not_before(slotd_service: Service) -> None:
    job = slotd_service.client.submit("echo", schedule_time=slotd_service.clock.now + timedelta(days=30))
    slotd_service.clock.advance(timedelta(days=30) - timedelta(microseconds=1))
    assert state(slotd_service, job) == "SCHEDULED"
    slotd_service.clock.advance(timedelta(microseconds=1))
    slotd_service.run_until_idle()
    assert state(slotd_service, job) == "SUCCEEDED"


@pytest.mark.parametrize("spans", [(1, 2, 4), (7,)])
def test_retries_come_after_exactly_their_backoff(
    slotd_service: Service, slotd_events: RecordedEvents, spans: tuple[float, ...]
) -> None:
    policy = slotd.RetryPolicy(max_attempts=4, initial_backoff=1, multiplier=2, max_backoff=60, jitter=0.5)
    job = slotd_service.client.submit("fail", retry=policy)
    slotd_service.run_until_idle()
    begin = slotd_service.clock.now
    for span in spans:
        slotd_service.clock.advance(span)
        slotd_service.run_until_idle()
    assert state(slotd_service, job) == "FAILED"
    attempts = [one.start_time.ToDatetime(UTC) - begin for one in slotd_service.client.get(job).attempts]
    assert [one.total_seconds() for one in attempts] == [0, 1, 3, 7]
    assert slotd_events.states(job).count("SCHEDULED") == 3


def test_a_timeout_comes_for_what_ran_before_and_not_for_what_begins_on_the_way(slotd_service: Service) -> None:
    client, clock = slotd_service.client, slotd_service.clock
    running = client.submit("patient", timeout=30, max_attempts=1)
    later = client.submit("echo", 1, timeout=30, schedule_time=clock.now + timedelta(seconds=10))
    clock.advance(29)
    assert state(slotd_service, running) == "RUNNING"
    clock.advance(31)
    assert state(slotd_service, later) == "SUCCEEDED"
    failed = client.get(running)
    assert (state(slotd_service, running), "timeout" in failed.error.message) == ("FAILED", True)
    assert failed.end_time.ToDatetime(UTC) - failed.start_time.ToDatetime(UTC) == timedelta(seconds=30)


def test_a_cancelled_job_has_its_grace(slotd_service: Service) -> None:
    free = threading.Event()
    handlers = {"deaf": lambda ctx, payload: free.wait()}
    try:
        with Service(handlers, cancel_grace=10) as service:
            job = service.client.submit("deaf")
            service.client.cancel(job)
            service.clock.advance(9)
            assert state(service, job) == "RUNNING"
            service.clock.advance(1)
            assert state(service, job) == "CANCELLED"
            assert service.client.list_slots().zombie == 1
            free.set()
            service.run_until_idle()
            assert service.client.list_slots().zombie == 0
    finally:
        free.set()


@pytest.mark.slotd(slots=0)
def test_a_job_that_waits_too_long_fails(slotd_service: Service) -> None:
    job = slotd_service.client.submit("echo", queue_timeout=60)
    slotd_service.clock.advance(59)
    assert state(slotd_service, job) == "QUEUED"
    slotd_service.clock.advance(1)
    assert state(slotd_service, job) == "FAILED"


@pytest.mark.slotd(retention=3600)
def test_what_has_been_kept_long_enough_goes(slotd_service: Service, slotd_events: RecordedEvents) -> None:
    job = slotd_service.client.submit_and_wait("echo")
    slotd_service.clock.advance(3599)
    assert state(slotd_service, job) == "SUCCEEDED"
    slotd_service.clock.advance(1)
    with pytest.raises(slotd.NotFound):
        slotd_service.client.get(job)
    assert slotd_events.states(job) == ["QUEUED", "RUNNING", "SUCCEEDED", "DELETED"]


@pytest.mark.slotd(now=NOON)
def test_a_schedule_fires_at_each_of_its_times(slotd_service: Service) -> None:
    client = slotd_service.client
    client.create_schedule("hourly", slotd.spec("echo"), cron="30 * * * *")
    slotd_service.clock.move_to(NOON + timedelta(days=1))
    slotd_service.run_until_idle()
    made = [job.create_time.ToDatetime(UTC) - NOON for job in client.list(order_by="create_time")]
    assert made == [timedelta(hours=hours, minutes=30) for hours in range(24)]
    assert {job.state for job in client.list()} == {slotd.v1.JOB_STATE_SUCCEEDED}


def test_a_rate_holds_by_the_same_clock(slotd_service: Service) -> None:
    client = slotd_service.client
    client.update_queue("slow", rate_limit=1)
    jobs = [client.submit("echo", queue="slow") for _ in range(5)]
    slotd_service.run_until_idle()
    done = [state(slotd_service, job) for job in jobs].count("SUCCEEDED")
    slotd_service.clock.advance(2)
    slotd_service.run_until_idle()
    assert [state(slotd_service, job) for job in jobs].count("SUCCEEDED") == done + 2 < len(jobs)


@pytest.mark.slotd(slots=0)
def test_all_that_is_due_has_been_done_however_much_it_is(slotd_service: Service) -> None:
    client, later = slotd_service.client, slotd_service.clock.now + timedelta(minutes=1)
    # More than the service takes up in one transaction.
    client.submit_batch([slotd.spec("echo", schedule_time=later)] * 1000)
    client.submit_batch([slotd.spec("echo", schedule_time=later)] * 1000)
    slotd_service.clock.advance(60)
    counters = client.get_stats().counters
    assert (counters.scheduled, counters.queued) == (0, 2000)


@pytest.mark.slotd(patience=1)
def test_a_job_that_begins_on_the_way_and_does_not_end_stops_the_clock(slotd_service: Service) -> None:
    job = slotd_service.client.submit("patient", {"n": 1}, schedule_time=slotd_service.clock.now + timedelta(seconds=1))
    with pytest.raises(AssertionError, match=r"still run:\n  patient\(\{'n': 1\}\) in default, RUNNING"):
        slotd_service.clock.advance(2)
    slotd_service.client.cancel(job)
