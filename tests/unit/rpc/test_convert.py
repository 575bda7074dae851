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
from slotd_server.domain.queue import BUILT_IN, NOTHING, Counters, Defaults, Draft, Queue, Rate
from slotd_server.domain.schedule import Overlap, Schedule, Settings
from slotd_server.domain.server import Member, Status
from slotd_server.domain.states import State
from slotd_server.domain.ties import Changed, Claim, Conflict, Dependency, Ties, Unique
from slotd_server.domain.worker import Worker
from slotd_server.rpc import convert, encode
from slotd_server.slots import Holder, LedgerView, Pool, PoolSlots, QueueSlots
from tests.unit.rpc.samples import FAILURE, FULL, JOB_ID, NOW, TIES, TRACEPARENT, WAITING

TEXT = st.text(max_size=20)
TIMES = st.integers(min_value=-(10**15), max_value=10**17)
LENGTHS = st.integers(min_value=0, max_value=10**16)
NUMBERS = st.integers(min_value=0, max_value=2**31 - 1)
BIG = st.integers(min_value=-(2**63), max_value=2**63 - 1)
FLOATS = st.floats(min_value=0, max_value=1e6)
PAYLOADS = st.builds(Payload, TEXT, st.binary(max_size=300))
FAILURES = st.builds(Failure, st.sampled_from([*encode.CODES, "OF_A_LATER_VERSION"]), TEXT)
CLAIMS = st.lists(st.builds(Claim, TEXT, st.booleans()), max_size=3).map(tuple)
UNIQUES = st.none() | st.builds(Unique, TEXT.filter(bool), st.none() | LENGTHS, st.sampled_from(Conflict))
DEPENDENCIES = st.builds(
    Dependency, st.sampled_from(["", JOB_ID]), ref=TEXT, group=TEXT, success=st.booleans(), patient=st.booleans()
)
TIED = st.builds(
    Ties,
    resources=CLAIMS,
    depends_on=st.lists(DEPENDENCIES, max_size=3).map(tuple),
    group=TEXT,
    key=TEXT,
    unique=UNIQUES,
    schedule=TEXT,
    fire_time=st.none() | TIMES,
)
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
    ties=st.none() | TIED,
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
        st.builds(Attempt, NUMBERS, TIMES, st.none() | TIMES, st.none() | FAILURES, TEXT, TEXT), max_size=3
    ).map(tuple),
    blocked_by=st.lists(TEXT, max_size=2).map(tuple),
    output_size=st.integers(min_value=0, max_value=2**63 - 1),
    output_truncated=st.booleans(),
    traceparent=st.sampled_from(["", TRACEPARENT]),
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


MODES = {True: v1.RESOURCE_MODE_EXCLUSIVE, False: v1.RESOURCE_MODE_SHARED}
CONDITIONS = {True: v1.DEPENDENCY_CONDITION_SUCCEEDED, False: v1.DEPENDENCY_CONDITION_ENDED}


def tied(ties: Ties) -> dict[str, Any]:
    """The fields of a spec that say what it is tied to, as one would write them down."""
    unique = ties.unique
    return {
        "resources": [v1.ResourceClaim(name=claim.name, mode=MODES[claim.exclusive]) for claim in ties.resources],
        "depends_on": [
            v1.Dependency(
                job_id=one.job_id,
                ref=one.ref,
                group=one.group,
                condition=CONDITIONS[one.success],
                wait_for_retry=one.patient,
            )
            for one in ties.depends_on
        ],
        "group": ties.group,
        "concurrency_key": ties.key,
        "unique_key": "" if unique is None else unique.key,
        "unique_period": None if unique is None else length(unique.period),
        "unique_conflict": 0 if unique is None else int(unique.conflict),
    }


def plain(job: Job, whole: bool) -> v1.Job:
    """The message as one would write it down."""
    spec = job.spec
    ties = spec.ties or Ties()
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
            **tied(ties),
        ),
        "schedule": ties.schedule,
        # A job that no schedule made was made for no time.
        "fire_time": time(ties.fire_time) if ties.schedule else None,
        "traceparent": job.traceparent,
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
                worker=attempt.worker,
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


def test_a_draft_has_its_ties() -> None:
    spec = v1.JobSpec(
        kind="noop",
        resources=[
            v1.ResourceClaim(name="repo/*"),
            v1.ResourceClaim(name="disk", mode=v1.RESOURCE_MODE_SHARED),
            v1.ResourceClaim(name="gpu", mode=v1.RESOURCE_MODE_EXCLUSIVE),
        ],
        depends_on=[
            v1.Dependency(job_id=JOB_ID),
            v1.Dependency(ref="fetch", condition=v1.DEPENDENCY_CONDITION_ENDED),
            v1.Dependency(group="nightly", condition=v1.DEPENDENCY_CONDITION_SUCCEEDED, wait_for_retry=True),
        ],
        group="reports",
        concurrency_key="k",
        unique_key="u",
        unique_period=Duration(seconds=60),
        unique_conflict=v1.UNIQUE_CONFLICT_REFUSE,
    )
    draft = convert.draft_from(v1.SubmitRequest(spec=spec, ref="make"))
    assert draft == Draft(
        kind="noop",
        ref="make",
        ties=Ties(
            resources=(Claim("repo/*"), Claim("disk", exclusive=False), Claim("gpu")),
            depends_on=(
                Dependency(job_id=JOB_ID),
                Dependency(ref="fetch", success=False),
                Dependency(group="nightly", patient=True),
            ),
            group="reports",
            key="k",
            unique=Unique("u", 60_000_000, Conflict.REFUSE),
        ),
    )


@pytest.mark.parametrize(
    ("fields", "ties"),
    [
        ({"group": "g"}, Ties(group="g")),
        ({"concurrency_key": "k"}, Ties(key="k")),
        ({"unique_key": "u"}, Ties(unique=Unique("u", None, Conflict.RETURN_EXISTING))),
        ({"resources": [v1.ResourceClaim(name="a")]}, Ties(resources=(Claim("a"),))),
        ({"depends_on": [v1.Dependency(group="a")]}, Ties(depends_on=(Dependency(group="a"),))),
    ],
)
def test_each_tie_alone_is_one(fields: dict[str, Any], ties: Ties) -> None:
    assert convert.draft_from(v1.SubmitRequest(spec=v1.JobSpec(kind="noop", **fields))).ties == ties


@given(TIED)
def test_ties_come_back_as_they_went(ties: Ties) -> None:
    # Which schedule made a job is not for a spec to say.
    asked = ties._replace(schedule="", fire_time=None)
    message = v1.JobSpec.FromString(encode.ties(ties))
    assert (convert.draft_from(v1.SubmitRequest(spec=message)).ties or Ties()) == asked


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


def test_a_fingerprint_is_of_the_ref_too() -> None:
    def fingerprint(ref: str) -> bytes:
        request = v1.SubmitRequest(spec=v1.JobSpec(kind="a"), request_id="r", ref=ref)
        return convert.draft_from(request).fingerprint

    assert len({fingerprint(""), fingerprint("a"), fingerprint("b")}) == 3
    # Of a job without one as it was in stores of earlier versions.
    assert fingerprint("").hex() == "e6e0af4e3d5a19205e2b73d9f4a673d0"


def test_a_request_to_fire_is_none_to_submit() -> None:
    submitted = convert.draft_from(v1.SubmitRequest(spec=v1.JobSpec(kind="a"), request_id="r"))
    assert convert.trigger_fingerprint("a") not in (submitted.fingerprint, convert.trigger_fingerprint("b"))


def test_changes_are_as_in_a_draft() -> None:
    spec = v1.JobSpec(queue="mail", priority=-3, labels={"b": "2", "a": "1"}, schedule_time=Timestamp(seconds=5))
    assert convert.changed_from(spec) == Changed("mail", -3, (("a", "1"), ("b", "2")), 5_000_000)
    assert convert.changed_from(v1.JobSpec()) == Changed("", 0, (), None)


def test_a_filter_of_nothing_is_everything() -> None:
    assert convert.filter_from(v1.JobFilter()) is EVERYTHING


def test_a_filter_has_all_its_fields() -> None:
    message = v1.JobFilter(
        job_ids=[JOB_ID],
        queues=["a", "b"],
        kinds=["noop"],
        states=[v1.JOB_STATE_QUEUED, v1.JOB_STATE_RUNNING],
        labels={"k": "v"},
        groups=["g"],
        schedules=["nightly", "weekly"],
        depends_on=[JOB_ID],
    )
    assert convert.filter_from(message) == JobFilter(
        job_ids=frozenset({JOB_ID}),
        queues=frozenset({"a", "b"}),
        kinds=frozenset({"noop"}),
        states=frozenset({State.QUEUED, State.RUNNING}),
        labels=frozenset({("k", "v")}),
        groups=frozenset({"g"}),
        schedules=frozenset({"nightly", "weekly"}),
        depends_on=frozenset({JOB_ID}),
    )


def test_the_unspecified_state_matches_nothing() -> None:
    job_filter = convert.filter_from(v1.JobFilter(states=[v1.JOB_STATE_UNSPECIFIED]))
    assert not any(job_filter.matches(WAITING.evolve(state=state)) for state in State)
    none = JobFilter(states=convert.NO_STATES)
    assert job_filter == none
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
    slots_per_key=st.none() | NUMBERS,
    rate=st.none() | st.builds(Rate, st.floats(1e-9, 1e6), st.integers(1, 10**6)),
    retain_count=st.none() | st.integers(0, 2**63 - 1),
)


@given(QUEUES)
def test_a_queue_comes_back_as_it_went(queue: Queue) -> None:
    assert convert.queue_from(convert.queue_message(queue, Counters())) == queue


def test_a_burst_of_nothing_is_one() -> None:
    message = v1.Queue(name="mail", rate_limit=v1.RateLimit(starts_per_second=0.1))
    assert convert.queue_from(message).rate == Rate(0.1, 1)


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
        holders=(Holder(JOB_ID, 1, "noop", "mail", NOW, True, "w1"),),
        queues=(QueueSlots("mail", 0, 1, 1), QueueSlots("other", None, 0, 0)),
        pools=(
            PoolSlots(Pool(None, {}, 1), 1, 0, 1, 0),
            PoolSlots(Pool(Worker("w1", "far"), {}, 3, connected=False), 1, 0, 0, 1),
        ),
    )
    assert convert.slots_message(view) == v1.ListSlotsResponse(
        slots=2,
        running=1,
        zombie=1,
        holders=[
            v1.SlotHolder(
                job_id=JOB_ID, attempt=1, kind="noop", queue="mail", start_time=time(NOW), zombie=True, worker="w1"
            )
        ],
        queues=[v1.QueueSlots(queue="mail", slots=0, running=1, zombie=1), v1.QueueSlots(queue="other")],
        revision=9,
        limit=1,
        pools=[
            v1.PoolSlots(slots=1, running=1, limit=1),
            v1.PoolSlots(worker="w1", name="far", slots=1, zombie=1, limit=3),
        ],
    )
    assert not convert.slots_message(view).queues[1].HasField("slots")


def test_a_server_is_told_with_its_lease_where_it_has_one() -> None:
    status = Status("one", "127.0.0.1:7433", "1.2.3", 8, 3, 2, True, {"noop": NOTHING, "other": NOTHING})
    message = convert.server_message(Member("a1", NOW, NOW + 2_500_000, 7, 15_000_000, status), "a1")
    assert message == v1.Server(
        id="a1",
        name="one",
        address="127.0.0.1:7433",
        version="1.2.3",
        start_time=time(NOW),
        slots=8,
        running=3,
        zombie=2,
        draining=True,
        kinds=["noop", "other"],
        renew_time=time(NOW + 2_500_000),
        lease=Duration(seconds=15),
        local=True,
    )
    alone = convert.server_message(Member("a1", NOW, None, 0, None, status), "b2")
    assert not alone.HasField("renew_time")
    assert not alone.HasField("lease")
    assert not alone.local


def test_a_group_is_told_with_its_progress() -> None:
    counters = Counters(*range(1, 8))
    assert convert.group_message("nightly", counters) == v1.Group(
        name="nightly",
        jobs=28,
        scheduled=1,
        blocked=2,
        queued=3,
        running=4,
        succeeded=5,
        failed=6,
        cancelled=7,
        progress=v1.Progress(done=18, total=28),
    )


# Texts and payloads that are not set come back as what stands for them.
ASKED = st.builds(
    Draft,
    kind=TEXT,
    payload=st.none() | st.builds(Payload, TEXT.filter(bool), st.binary(max_size=300)),
    labels=st.dictionaries(TEXT, TEXT, max_size=3).map(lambda labels: tuple(sorted(labels.items()))),
    asked=st.builds(
        Defaults,
        queue=st.none() | TEXT.filter(bool),
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
    ties=st.none()
    | st.builds(lambda *ties: Ties(ties[0], (), *ties[1:]), CLAIMS, TEXT, TEXT, UNIQUES).filter(
        lambda ties: ties != Ties()
    ),
    schedule_time=st.none(),
    request_id=st.just(""),
    fingerprint=st.just(b""),
    ref=st.just(""),
    traceparent=st.just(""),
)
SETTINGS = st.builds(
    Settings,
    draft=ASKED,
    cron=TEXT,
    interval=st.none() | LENGTHS,
    time_zone=st.sampled_from(["UTC", "Europe/Berlin"]),
    overlap=st.sampled_from(Overlap),
    catch_up_window=LENGTHS,
    jitter=LENGTHS,
    start_time=st.none() | TIMES,
    end_time=st.none() | TIMES,
    paused=st.booleans(),
)


@given(SETTINGS)
def test_settings_of_a_schedule_come_back_as_they_went(settings: Settings) -> None:
    schedule = Schedule("nightly", settings, create_time=NOW, update_time=NOW)
    assert convert.settings_from(convert.schedule_message(schedule)) == settings


def test_settings_that_are_not_set_are_the_usual_ones() -> None:
    message = v1.Schedule(name="nightly", spec=v1.JobSpec(kind="noop"), cron="0 3 * * *")
    assert convert.settings_from(message) == Settings(Draft("noop"), cron="0 3 * * *")


def test_a_schedule_is_told_whole() -> None:
    settings = Settings(Draft("noop", asked=Defaults(priority=0)), interval=60_000_000, time_zone="", paused=False)
    schedule = Schedule(
        "each-minute",
        settings,
        create_time=NOW,
        update_time=NOW + 1,
        next_time=NOW + 60_000_000,
        last_time=NOW,
        recent=(JOB_ID, "earlier"),
        fired=2,
        skipped=3,
        revision=4,
    )
    assert convert.schedule_message(schedule) == v1.Schedule(
        name="each-minute",
        spec=v1.JobSpec(kind="noop", priority=0),
        interval=Duration(seconds=60),
        overlap=v1.OVERLAP_POLICY_SKIP,
        catch_up_window=Duration(seconds=3600),
        create_time=time(NOW),
        update_time=time(NOW + 1),
        last_fire_time=time(NOW),
        next_fire_times=[moment for number in range(1, 6) if (moment := time(NOW + number * 60_000_000))],
        recent_job_ids=[JOB_ID, "earlier"],
        fire_count=2,
        skip_count=3,
        revision=4,
    )


def test_a_schedule_names_its_ties_as_a_job_does() -> None:
    ties = TIES._replace(depends_on=(), unique=None, schedule="", fire_time=None)
    settings = Settings(Draft("noop", ties=ties), cron="0 3 * * *")
    spec = convert.schedule_message(Schedule("nightly", settings, NOW, NOW)).spec
    assert spec == v1.JobSpec(kind="noop", **tied(ties))
