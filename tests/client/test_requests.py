"""Python's own values as the services' requests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

import slotd
from slotd import requests
from slotd.ties import job_id
from slotd.v1 import job_pb2, job_service_pb2, queue_service_pb2


def test_a_bare_spec_sets_nothing_but_its_kind() -> None:
    assert slotd.spec("echo") == job_pb2.JobSpec(kind="echo")


def test_a_whole_spec() -> None:
    made = slotd.spec(
        "echo",
        {"a": 1},
        queue="night",
        priority=0,
        labels={"team": "x"},
        schedule_time=datetime(2030, 1, 1, 1, tzinfo=timezone(timedelta(hours=1))),
        timeout=1.5,
        retry=slotd.RetryPolicy(
            max_attempts=3, initial_backoff=0.25, max_backoff=timedelta(minutes=1), multiplier=2, jitter=0
        ),
        queue_timeout=timedelta(hours=1),
        retention=60,
    )
    assert made == job_pb2.JobSpec(
        kind="echo",
        payload=job_pb2.Payload(content_type="application/json", data=b'{"a":1}'),
        queue="night",
        priority=0,
        labels={"team": "x"},
        schedule_time=Timestamp(seconds=int(datetime(2030, 1, 1, tzinfo=UTC).timestamp())),
        timeout=Duration(seconds=1, nanos=500_000_000),
        retry=job_pb2.RetryPolicy(
            max_attempts=3,
            initial_backoff=Duration(nanos=250_000_000),
            max_backoff=Duration(seconds=60),
            multiplier=2,
            jitter=0,
        ),
        queue_timeout=Duration(seconds=3600),
        retention=Duration(seconds=60),
    )
    assert made.HasField("priority")
    assert made.retry.HasField("jitter")


def test_a_partial_retry_policy_leaves_the_rest_to_the_service() -> None:
    assert slotd.RetryPolicy(max_attempts=2).to_message() == job_pb2.RetryPolicy(max_attempts=2)
    assert not slotd.RetryPolicy().to_message().HasField("jitter")


def test_max_attempts_is_stronger_than_the_policy_and_does_not_change_it() -> None:
    policy = job_pb2.RetryPolicy(max_attempts=9, multiplier=3)
    assert slotd.spec("echo", retry=policy, max_attempts=2).retry == job_pb2.RetryPolicy(max_attempts=2, multiplier=3)
    assert policy.max_attempts == 9
    assert slotd.spec("echo", max_attempts=1).retry == job_pb2.RetryPolicy(max_attempts=1)


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a time zone"):
        slotd.spec("echo", schedule_time=datetime(2030, 1, 1))  # noqa: DTZ001 - that is the case


@pytest.mark.parametrize("span", [float("nan"), float("inf"), 1e300])
def test_a_length_of_time_is_a_number(span: float) -> None:
    with pytest.raises(ValueError, match="a length of time"):
        slotd.spec("echo", timeout=span)


def test_submit_makes_an_id_for_each_request() -> None:
    first, second = (requests.submit("echo", None, None, False, {}) for _ in range(2))
    assert first.request_id
    assert first.request_id != second.request_id
    assert requests.submit("echo", None, "mine", True, {"queue": "q"}) == job_service_pb2.SubmitRequest(
        spec=job_pb2.JobSpec(kind="echo", queue="q"), request_id="mine", validate_only=True
    )


def test_submit_takes_a_whole_spec_but_nothing_beside_it() -> None:
    whole = slotd.spec("echo", [1])
    assert requests.submit(whole, None, "mine", False, {}).spec == whole
    with pytest.raises(TypeError, match="says everything"):
        requests.submit(whole, [1], None, False, {})
    with pytest.raises(TypeError, match="says everything"):
        requests.submit(whole, None, None, False, {"queue": "q"})
    with pytest.raises(TypeError, match="colour"):
        requests.submit("echo", None, None, False, {"colour": "red"})  # type: ignore[typeddict-unknown-key]


def test_a_batch_keeps_ids_and_order() -> None:
    own = job_service_pb2.SubmitRequest(spec=slotd.spec("b"), request_id="mine")
    made = requests.submit_batch([slotd.spec("a"), own, job_service_pb2.SubmitRequest(spec=slotd.spec("c"))], False)
    assert [one.spec.kind for one in made.requests] == ["a", "b", "c"]
    assert made.requests[1].request_id == "mine"
    assert len({one.request_id for one in made.requests}) == 3
    assert all(one.request_id for one in made.requests)


def test_the_keys_of_a_mapping_are_the_refs_of_a_batch() -> None:
    own = job_service_pb2.SubmitRequest(spec=slotd.spec("b"), request_id="mine", ref="another")
    jobs: dict[str, requests.ToSubmit] = {"cut": slotd.spec("a"), "sew": own}
    made = requests.submit_batch(jobs, False)
    assert [(one.ref, one.spec.kind) for one in made.requests] == [("cut", "a"), ("sew", "b")]
    assert made.requests[1].request_id == "mine"
    assert own.ref == "another"
    listed = requests.submit_batch([slotd.spec("a"), own], True)
    assert [one.ref for one in listed.requests] == ["", "another"]


def test_a_filter_of_ones_and_manys() -> None:
    made = requests.job_filter(
        job_pb2.JobFilter(queues=["base"]),
        {
            "job_ids": ["a", job_pb2.Job(id="b")],
            "queues": "night",
            "kinds": ("x", "y"),
            "states": ["running", "JOB_STATE_QUEUED", job_pb2.JOB_STATE_FAILED],
            "labels": {"team": "x"},
            "groups": "g",
            "schedules": ["s", "t"],
        },
    )
    assert made == job_pb2.JobFilter(
        job_ids=["a", "b"],
        queues=["base", "night"],
        kinds=["x", "y"],
        states=[job_pb2.JOB_STATE_RUNNING, job_pb2.JOB_STATE_QUEUED, job_pb2.JOB_STATE_FAILED],
        labels={"team": "x"},
        groups=["g"],
        schedules=["s", "t"],
    )
    assert requests.job_filter(None, {"job_ids": "abc", "states": "failed"}) == job_pb2.JobFilter(
        job_ids=["abc"], states=[job_pb2.JOB_STATE_FAILED]
    )
    assert requests.job_filter(None, {}) == job_pb2.JobFilter()


@pytest.mark.parametrize("field", ["job_ids", "queues", "kinds", "states", "groups", "schedules"])
def test_an_empty_field_would_match_everything_and_is_refused(field: str) -> None:
    with pytest.raises(ValueError, match=f"{field} is empty"):
        requests.job_filter(None, {field: []})  # type: ignore[misc]


def test_a_filter_field_or_state_that_there_is_not() -> None:
    with pytest.raises(TypeError, match=r"no such field of a filter: state$"):
        requests.job_filter(None, {"state": "running"})  # type: ignore[typeddict-unknown-key]
    with pytest.raises(ValueError, match="no such state: 'done'; there are SCHEDULED, BLOCKED, QUEUED"):
        requests.job_state("done")


def test_an_empty_job_id_is_refused_before_it_is_sent() -> None:
    with pytest.raises(ValueError, match="id is empty"):
        job_id(job_pb2.Job())


def test_update_queue_tells_keep_from_back_to_default() -> None:
    nothing = requests.update_queue("q")
    assert nothing == queue_service_pb2.UpdateQueueRequest(
        queue=queue_service_pb2.Queue(name="q"), update_mask=nothing.update_mask
    )
    assert list(nothing.update_mask.paths) == []
    made = requests.update_queue(
        "q", slots=0, paused=False, max_queued=None, defaults=slotd.queue_defaults(priority=0, timeout=3)
    )
    assert list(made.update_mask.paths) == ["slots", "paused", "max_queued", "defaults"]
    assert made.queue.HasField("slots")
    assert made.queue.HasField("paused")
    assert not made.queue.HasField("max_queued")
    assert made.queue.defaults == queue_service_pb2.QueueDefaults(priority=0, timeout=Duration(seconds=3))
    back = requests.update_queue("q", slots=None, defaults=None, rate_limit=None)
    assert list(back.update_mask.paths) == ["slots", "defaults", "rate_limit"]
    assert back.queue == queue_service_pb2.Queue(name="q")


def test_limits_of_a_queue() -> None:
    made = requests.update_queue("q", slots_per_key=3, rate_limit=0.5, retain_count=0)
    assert made.queue == queue_service_pb2.Queue(
        name="q", slots_per_key=3, rate_limit=queue_service_pb2.RateLimit(starts_per_second=0.5), retain_count=0
    )
    assert list(made.update_mask.paths) == ["slots_per_key", "rate_limit", "retain_count"]
    burst = queue_service_pb2.RateLimit(starts_per_second=10, burst=20)
    assert requests.update_queue("q", rate_limit=burst).queue.rate_limit == burst


def test_update_names_what_it_changes() -> None:
    made = requests.update("a", priority=0, labels={}, revision=7)
    assert made.id == "a"
    assert made.revision == 7
    assert list(made.update_mask.paths) == ["priority", "labels"]
    assert made.spec.HasField("priority")
    time = datetime(2030, 1, 1, tzinfo=UTC)
    moved = requests.update(job_pb2.Job(id="a"), schedule_time=time, queue="night")
    assert moved.spec == job_pb2.JobSpec(schedule_time=Timestamp(seconds=int(time.timestamp())), queue="night")
    assert list(moved.update_mask.paths) == ["schedule_time", "queue"]
    now = requests.update("a", schedule_time=None)
    assert list(now.update_mask.paths) == ["schedule_time"]
    assert not now.spec.HasField("schedule_time")


def test_queue_defaults() -> None:
    assert slotd.queue_defaults() == queue_service_pb2.QueueDefaults()
    assert slotd.queue_defaults(retry=slotd.RetryPolicy(max_attempts=2), queue_timeout=1, retention=2) == (
        queue_service_pb2.QueueDefaults(
            retry=job_pb2.RetryPolicy(max_attempts=2),
            queue_timeout=Duration(seconds=1),
            retention=Duration(seconds=2),
        )
    )


def test_the_next_page_asks_for_the_same_but_further() -> None:
    request = job_service_pb2.ListRequest(page_size=2, order_by="create_time")
    following = requests.next_list(request, job_service_pb2.ListResponse(next_page_token="t"))
    assert following == job_service_pb2.ListRequest(page_size=2, order_by="create_time", page_token="t")
    assert request.page_token == ""
    assert requests.next_list(request, job_service_pb2.ListResponse()) is None
