"""A job from its submission to its deletion."""

from datetime import UTC, datetime, timedelta

import pytest

import slotd
from slotd import Client, decode
from slotd.v1 import (
    EVENT_TYPE_DELETED,
    JOB_STATE_QUEUED,
    JOB_STATE_RUNNING,
    JOB_STATE_SCHEDULED,
    JOB_STATE_SUCCEEDED,
    JOB_VIEW_BASIC,
)
from tests.fundamentals.handlers import gate
from tests.service import Start, reach

pytestmark = pytest.mark.every_store


def test_a_job_is_submitted_waited_for_and_has_a_result(client: Client) -> None:
    job = client.submit("add", [1, 2, 3])
    ended = client.wait(job)
    assert ended.state == JOB_STATE_SUCCEEDED
    assert decode(ended.result) == 6


def test_get_tells_how_a_job_is(client: Client) -> None:
    job = client.submit_and_wait("add", [1, 2], labels={"team": "blue"})
    seen = client.get(job.id)
    assert seen == job
    assert seen.spec.labels["team"] == "blue"
    assert seen.attempt == len(seen.attempts) == 1
    assert seen.create_time.ToDatetime() <= seen.start_time.ToDatetime() <= seen.end_time.ToDatetime()


def test_the_basic_view_leaves_the_data_out(client: Client) -> None:
    job = client.submit_and_wait("add", [1, 2])
    seen = client.get(job, view=JOB_VIEW_BASIC)
    assert (seen.spec.payload.content_type, seen.spec.payload.data) == ("application/json", b"")
    assert (seen.result.content_type, seen.result.data) == ("application/json", b"")


def test_what_a_spec_leaves_out_comes_from_the_handler_then_the_queue_then_the_service(client: Client) -> None:
    client.update_queue("slow", defaults=slotd.queue_defaults(priority=7, retry=slotd.RetryPolicy(max_attempts=9)))
    filled = client.submit("stumble", 1, queue="slow").spec
    # The handler declares three attempts, the queue a priority, and the service has a multiplier.
    assert (filled.retry.max_attempts, filled.priority, filled.retry.multiplier) == (3, 7, 2.0)
    assert client.submit("stumble", 1, queue="slow", max_attempts=5).spec.retry.max_attempts == 5


def test_a_job_can_be_tried_without_being_submitted(client: Client) -> None:
    job = client.submit("add", [1], queue="elsewhere", validate_only=True)
    assert (job.id, job.spec.queue) == ("", "elsewhere")
    assert client.get_stats().counters.submitted == 0


def test_the_same_request_id_is_the_same_job(client: Client) -> None:
    first = client.submit("add", [1, 2], request_id="order-17")
    again = client.submit("add", [1, 2], request_id="order-17")
    assert again.id == first.id
    with pytest.raises(slotd.AlreadyExists) as other:
        client.submit("add", [3, 4], request_id="order-17")
    assert other.value.job_id == first.id


def test_a_batch_is_taken_in_order(client: Client) -> None:
    jobs = client.submit_batch([slotd.spec("add", [number]) for number in range(20)])
    assert [decode(client.wait(job).result) for job in jobs] == list(range(20))


def test_a_batch_is_taken_as_a_whole_or_not_at_all(client: Client) -> None:
    with pytest.raises(slotd.InvalidArgument) as refused:
        client.submit_batch([slotd.spec("add", [1]), slotd.spec("no-such-kind")])
    assert list(refused.value.field_violations) == ["requests[1].spec.kind"]
    assert client.get_stats().counters.submitted == 0


def test_a_job_waits_for_its_time(client: Client) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    assert client.submit("idle", schedule_time=tomorrow).state == JOB_STATE_SCHEDULED
    soon = client.submit("idle", schedule_time=datetime.now(UTC) + timedelta(milliseconds=50))
    ended = client.wait(soon)
    assert ended.start_time.ToDatetime() >= soon.schedule_time.ToDatetime()


def test_a_time_that_has_passed_means_now(client: Client) -> None:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    assert client.submit("idle", schedule_time=yesterday).state == JOB_STATE_QUEUED


def test_wait_answers_with_the_present_state_at_its_timeout(client: Client) -> None:
    job = client.submit("patient")
    assert client.wait(job, 0.05).state in (JOB_STATE_QUEUED, JOB_STATE_RUNNING)


def test_list_is_newest_first_and_takes_filters(client: Client) -> None:
    red = [client.submit("idle", labels={"colour": "red"}) for _ in range(3)]
    other = client.submit("idle", queue="other", labels={"colour": "red", "size": "l"})
    client.submit("add", [1])
    assert [job.id for job in client.list(labels={"colour": "red"})] == [other.id, *(job.id for job in reversed(red))]
    assert [job.id for job in client.list(queues="other", kinds=["idle", "add"])] == [other.id]
    assert [job.id for job in client.list(job_ids=[red[0], red[2]], order_by="create_time")] == [red[0].id, red[2].id]
    assert not list(client.list(states="cancelled"))
    assert not list(client.list(labels={"colour": "red", "size": "xl"}))


def test_list_comes_in_pages_that_stay_as_they_are_while_jobs_are_added(client: Client) -> None:
    jobs = client.submit_batch([slotd.spec("idle") for _ in range(10)])
    pages = client.list(page_size=4).pages()
    first = next(pages)
    client.submit("idle")
    second, third = pages
    assert [len(page.jobs) for page in (first, second, third)] == [4, 4, 2]
    told = [job.id for page in (first, second, third) for job in page.jobs]
    assert told == [job.id for job in reversed(jobs)]


def test_a_terminal_job_is_deleted(client: Client) -> None:
    job = client.submit_and_wait("idle")
    client.delete(job)
    with pytest.raises(slotd.NotFound):
        client.get(job)


def test_a_job_that_runs_is_deleted_by_force_alone(client: Client) -> None:
    job = client.submit("patient")
    with pytest.raises(slotd.FailedPrecondition):
        client.delete(job)
    client.delete(job, force=True)
    with pytest.raises(slotd.NotFound):
        client.get(job)


def test_purge_deletes_what_has_ended_and_matches(client: Client) -> None:
    ended = [client.submit_and_wait("idle", queue="a") for _ in range(3)]
    other = client.submit_and_wait("idle", queue="b")
    running = client.submit("patient", queue="a")
    assert client.purge(queues="a", validate_only=True) == 3
    assert client.purge(queues="a") == 3
    assert {job.id for job in client.list()} == {other.id, running.id}
    assert client.get_stats().counters.deleted == len(ended)


def test_a_job_goes_by_itself_when_its_retention_is_over(client: Client) -> None:
    with client.stream(cursor=client.list_page().cursor, queues="brief") as events:
        job = client.submit("idle", queue="brief", retention=0.05)
        ended = next(event.job for event in events if event.job.state == JOB_STATE_SUCCEEDED)
        gone = next(events)
    assert ended.expire_time.ToDatetime() - ended.end_time.ToDatetime() == timedelta(milliseconds=50)
    assert (gone.type, gone.job.id) == (EVENT_TYPE_DELETED, job.id)


def test_jobs_outlive_the_service(start: Start, durable_url: str) -> None:
    service = start(store=durable_url, slots=1)
    ended = service.at.client.submit_and_wait("add", [1, 2])
    running = service.at.client.submit("gated", "restart", max_attempts=2)
    reach(service.at.client, running, JOB_STATE_RUNNING)
    waiting = service.at.client.submit("idle")
    service.stop()
    service.start()
    client = service.at.client
    assert client.get(ended) == ended
    gate("restart").set()
    assert decode(client.wait(running).result) == 1
    assert client.wait(waiting).state == JOB_STATE_SUCCEEDED
