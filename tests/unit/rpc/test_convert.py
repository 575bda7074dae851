"""Domain values as messages, compared with what protobuf's own constructors make; and back."""

from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc import code_pb2, error_details_pb2, status_pb2
from hypothesis import given
from hypothesis import strategies as st

from slotd import v1
from slotd_server.domain.events import EVERYTHING, Event, EventType, JobFilter
from slotd_server.domain.job import Attempt, Failure, Job, Payload, Progress, RetryPolicy, Spec
from slotd_server.domain.queue import BUILT_IN, NOTHING, Counters, Defaults, Draft, Queue
from slotd_server.domain.states import State
from slotd_server.rpc import convert, encode
from slotd_server.slots import Holder, LedgerView, QueueSlots
from tests.unit.rpc.samples import FAILURE, FULL, JOB_ID, NOW, WAITING

TEXT = st.text(max_size=20)
TIMES = st.integers(min_value=-(10**15), max_value=10**17)
LENGTHS = st.integers(min_value=0, max_value=10**16)
NUMBERS = st.integers(min_value=0, max_value=2**31 - 1)
BIG = st.integers(min_value=-(2**63), max_value=2**63 - 1)
FLOATS = st.floats(min_value=0, max_value=1e6)
PAYLOADS = st.builds(Payload, TEXT, st.binary(max_size=300))
FAILURES = st.builds(Failure, st.sampled_from([*encode.CODES, "OF_A_LATER_VERSION"]), TEXT)
SPECS = st.builds(
    Spec,
    kind=TEXT,
    queue=TEXT,
    priority=st.integers(-1000, 1000),
    labels=st.dictionaries(TEXT, TEXT, max_size=3).map(lambda labels: tuple(sorted(labels.items()))),
    schedule_time=st.none() | TIMES,
    timeout=st.none() | LENGTHS,
    retry=st.builds(RetryPolicy, NUMBERS, LENGTHS, LENGTHS, FLOATS, FLOATS),
    queue_timeout=st.none() | LENGTHS,
    retention=st.none() | LENGTHS,
    payload=st.none() | PAYLOADS,
)
JOBS = st.builds(
    Job,
    seq=NUMBERS,
    id=st.sampled_from(["", JOB_ID]),
    spec=SPECS,
    state=st.sampled_from(State),
    revision=st.integers(min_value=0, max_value=2**63 - 1),
    create_time=TIMES,
    attempt=NUMBERS,
    cancel_requested=st.booleans(),
    schedule_time=st.none() | TIMES,
    start_time=st.none() | TIMES,
    end_time=st.none() | TIMES,
    expire_time=st.none() | TIMES,
    progress=st.none() | st.builds(Progress, BIG, BIG, TEXT),
    failure=st.none() | FAILURES,
    attempts=st.lists(
        st.builds(Attempt, NUMBERS, TIMES, st.none() | TIMES, st.none() | FAILURES, TEXT), max_size=3
    ).map(tuple),
    blocked_by=st.lists(TEXT, max_size=2).map(tuple),
    output_size=st.integers(min_value=0, max_value=2**63 - 1),
    output_truncated=st.booleans(),
    result=st.none() | PAYLOADS,
)


def time(value: int | None) -> Timestamp | None:
    return None if value is None else Timestamp(seconds=value // 10**6, nanos=value % 10**6 * 1000)


def length(value: int | None) -> Duration | None:
    return None if value is None else Duration(seconds=value // 10**6, nanos=value % 10**6 * 1000)


def error(failure: Failure | None) -> status_pb2.Status | None:
    if failure is None:
        return None
    status = status_pb2.Status(code=encode.CODES.get(failure.reason, 2), message=failure.message)
    status.details.add().Pack(error_details_pb2.ErrorInfo(reason=failure.reason, domain="slotd"))
    return status


def payload(value: Payload | None, whole: bool) -> v1.Payload | None:
    return None if value is None else v1.Payload(content_type=value.content_type, data=value.data if whole else b"")


def plain(job: Job, whole: bool) -> v1.Job:
    """The message as one would write it down."""
    spec = job.spec
    fields: dict[str, Any] = {
        "spec": v1.JobSpec(
            kind=spec.kind,
            payload=payload(spec.payload, whole),
            queue=spec.queue,
            priority=spec.priority,
            labels=dict(spec.labels),
            schedule_time=time(spec.schedule_time),
            timeout=length(spec.timeout),
            retry=v1.RetryPolicy(
                max_attempts=spec.retry.max_attempts,
                initial_backoff=length(spec.retry.initial_backoff),
                max_backoff=length(spec.retry.max_backoff),
                multiplier=spec.retry.multiplier,
                jitter=spec.retry.jitter,
            ),
            queue_timeout=length(spec.queue_timeout),
            retention=length(spec.retention),
        ),
        "progress": None if job.progress is None else v1.Progress(**job.progress._asdict()),
        "result": payload(job.result, whole),
        "error": error(job.failure),
        "attempts": [
            v1.Attempt(
                number=attempt.number,
                start_time=time(attempt.start_time),
                end_time=time(attempt.end_time),
                error=error(attempt.failure),
                server=attempt.server,
            )
            for attempt in job.attempts
        ],
        "state": int(job.state),
    }
    for name in ("create_time", "schedule_time", "start_time", "end_time", "expire_time"):
        fields[name] = time(getattr(job, name))
    for name in ("id", "attempt", "cancel_requested", "blocked_by", "output_size", "output_truncated", "revision"):
        fields[name] = getattr(job, name)
    return v1.Job(**fields)


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("job", [WAITING, FULL], ids=["waiting", "full"])
def test_a_job_is_what_one_would_write_down(job: Job, whole: bool) -> None:
    view = v1.JOB_VIEW_FULL if whole else v1.JOB_VIEW_BASIC
    assert convert.job_message(job, view) == plain(job, whole)


@given(JOBS, st.booleans())
def test_any_job_is_what_one_would_write_down(job: Job, whole: bool) -> None:
    view = v1.JOB_VIEW_FULL if whole else v1.JOB_VIEW_BASIC
    assert convert.job_message(job, view) == plain(job, whole)


@given(JOBS, st.sampled_from(EventType), st.none() | st.sampled_from(State), TIMES, st.booleans())
def test_any_event_is_what_one_would_write_down(
    job: Job, kind: EventType, previous: State | None, at: int, whole: bool
) -> None:
    view = v1.JOB_VIEW_FULL if whole else v1.JOB_VIEW_BASIC
    message = convert.event_message(Event(job.revision, kind, job, previous, at), view)
    fields: dict[str, Any] = {"type": int(kind), "previous_state": int(previous or 0)}
    assert message == v1.JobEvent(revision=job.revision, job=plain(job, whole), time=time(at or None), **fields)


@given(st.lists(JOBS, min_size=1, max_size=3), st.text(max_size=40), st.booleans())
def test_answers_to_submissions_are_what_one_would_write_down(jobs: list[Job], cursor: str, whole: bool) -> None:
    plainly = [plain(job, whole) for job in jobs]
    batch = encode.submitted(jobs, cursor, whole=whole)
    assert v1.SubmitBatchResponse.FromString(batch) == v1.SubmitBatchResponse(jobs=plainly, cursor=cursor)
    one = encode.submitted(jobs[:1], cursor, whole=whole)
    assert v1.SubmitResponse.FromString(one) == v1.SubmitResponse(job=plainly[0], cursor=cursor)


def test_numbers_of_states_and_events_are_those_of_the_protos() -> None:
    assert {f"JOB_STATE_{state.name}": int(state) for state in State} | {"JOB_STATE_UNSPECIFIED": 0} == dict(
        v1.JobState.items()
    )
    assert {f"EVENT_TYPE_{kind.name}": int(kind) for kind in EventType} | {"EVENT_TYPE_UNSPECIFIED": 0} == dict(
        v1.EventType.items()
    )


def test_a_failure_is_a_status_with_its_reason() -> None:
    status = encode.failure_message(FAILURE)
    assert (status.code, status.message) == (code_pb2.DEADLINE_EXCEEDED, FAILURE.message)
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    assert (info.domain, info.reason) == ("slotd", "TIMEOUT")
    assert encode.failure_message(Failure("OF_A_LATER_VERSION", "")).code == code_pb2.UNKNOWN
    assert code_pb2.OK not in encode.CODES.values()


def test_a_draft_of_little_asks_for_nothing() -> None:
    draft = convert.draft_from(v1.SubmitRequest(spec=v1.JobSpec(kind="noop")))
    assert draft == Draft("noop")
    assert draft.asked is NOTHING


def test_a_draft_of_everything_has_everything() -> None:
    spec = v1.JobSpec(
        kind="noop",
        payload=v1.Payload(data=b"x"),
        queue="mail",
        priority=0,
        labels={"b": "2", "a": "1"},
        schedule_time=Timestamp(seconds=5, nanos=1_999),
        timeout=Duration(seconds=1, nanos=1_000),
        retry=v1.RetryPolicy(
            max_attempts=5,
            initial_backoff=Duration(seconds=2),
            max_backoff=Duration(seconds=3),
            multiplier=1.5,
            jitter=0.0,
        ),
        queue_timeout=Duration(seconds=4),
        retention=Duration(seconds=5),
    )
    assert convert.draft_from(v1.SubmitRequest(spec=spec)) == Draft(
        kind="noop",
        payload=Payload("application/octet-stream", b"x"),
        labels=(("a", "1"), ("b", "2")),
        schedule_time=5_000_001,
        asked=Defaults(
            queue="mail",
            priority=0,
            timeout=1_000_001,
            queue_timeout=4_000_000,
            retention=5_000_000,
            max_attempts=5,
            initial_backoff=2_000_000,
            max_backoff=3_000_000,
            multiplier=1.5,
            jitter=0.0,
        ),
    )


def test_an_empty_retry_policy_asks_for_nothing() -> None:
    draft = convert.draft_from(v1.SubmitRequest(spec=v1.JobSpec(kind="noop", retry=v1.RetryPolicy())))
    assert draft.resolve(BUILT_IN) == Draft("noop").resolve(BUILT_IN)


def test_a_fingerprint_tells_content_apart() -> None:
    def fingerprint(request_id: str = "r", **spec: Any) -> bytes:
        return convert.draft_from(v1.SubmitRequest(spec=v1.JobSpec(**spec), request_id=request_id)).fingerprint

    many = {str(number): "x" for number in range(50)}
    assert fingerprint(kind="a", labels=many) == fingerprint("s", kind="a", labels=dict(reversed(many.items())))
    assert fingerprint(kind="a") != fingerprint(kind="a", priority=0)
    assert len(fingerprint(kind="a")) == 16
    assert fingerprint("", kind="a") == b""


def test_a_filter_of_nothing_is_everything() -> None:
    assert convert.filter_from(v1.JobFilter()) is EVERYTHING


def test_a_filter_has_all_its_fields() -> None:
    message = v1.JobFilter(
        job_ids=[JOB_ID],
        queues=["a", "b"],
        kinds=["noop"],
        states=[v1.JOB_STATE_QUEUED, v1.JOB_STATE_RUNNING],
        labels={"k": "v"},
    )
    assert convert.filter_from(message) == JobFilter(
        job_ids=frozenset({JOB_ID}),
        queues=frozenset({"a", "b"}),
        kinds=frozenset({"noop"}),
        states=frozenset({State.QUEUED, State.RUNNING}),
        labels=frozenset({("k", "v")}),
    )


def test_the_unspecified_state_matches_nothing() -> None:
    job_filter = convert.filter_from(v1.JobFilter(states=[v1.JOB_STATE_UNSPECIFIED]))
    assert not any(job_filter.matches(WAITING.evolve(state=state)) for state in State)
    both = convert.filter_from(v1.JobFilter(states=[v1.JOB_STATE_UNSPECIFIED, v1.JOB_STATE_QUEUED]))
    assert both.matches(WAITING)


QUEUES = st.builds(
    Queue,
    name=st.just("mail"),
    slots=st.none() | NUMBERS,
    paused=st.booleans(),
    max_queued=st.none() | st.integers(0, 2**63 - 1),
    defaults=st.builds(
        Defaults,
        queue=st.none(),
        priority=st.none() | st.integers(-1000, 1000),
        timeout=st.none() | LENGTHS,
        queue_timeout=st.none() | LENGTHS,
        retention=st.none() | LENGTHS,
        max_attempts=st.none() | st.integers(1, 10_000),
        initial_backoff=st.none() | LENGTHS,
        max_backoff=st.none() | LENGTHS,
        multiplier=st.none() | st.floats(1, 100),
        jitter=st.none() | st.floats(0, 1),
    ),
)


@given(QUEUES)
def test_a_queue_comes_back_as_it_went(queue: Queue) -> None:
    assert convert.queue_from(convert.queue_message(queue, Counters())) == queue


def test_counters_have_their_sum() -> None:
    counters = Counters(*range(1, 15))
    message = convert.counters_message(counters)
    assert message.completed == counters.total_succeeded + counters.total_failed + counters.total_cancelled
    assert all(getattr(message, name) == value for name, value in counters._asdict().items())
    assert len(message.ListFields()) == len(v1.Counters.DESCRIPTOR.fields)


def test_counters_add_up_by_name() -> None:
    parts = [("b", Counters(queued=1)), ("a", Counters(running=2)), ("b", Counters(queued=3, failed=1))]
    assert list(convert.sums(parts).items()) == [("a", Counters(running=2)), ("b", Counters(queued=4, failed=1))]


def test_the_ledger_is_told_whole() -> None:
    view = LedgerView(
        revision=9,
        limit=1,
        size=2,
        free=0,
        running=1,
        zombie=1,
        holders=(Holder(JOB_ID, 1, "noop", "mail", NOW, True),),
        queues=(QueueSlots("mail", 0, 1, 1), QueueSlots("other", None, 0, 0)),
    )
    assert convert.slots_message(view) == v1.ListSlotsResponse(
        slots=2,
        running=1,
        zombie=1,
        holders=[v1.SlotHolder(job_id=JOB_ID, attempt=1, kind="noop", queue="mail", start_time=time(NOW), zombie=True)],
        queues=[v1.QueueSlots(queue="mail", slots=0, running=1, zombie=1), v1.QueueSlots(queue="other")],
        revision=9,
        limit=1,
    )
    assert not convert.slots_message(view).queues[1].HasField("slots")
