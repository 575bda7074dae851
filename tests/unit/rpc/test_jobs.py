"""JobService's methods on the real core, without the wire."""

import asyncio
from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc import code_pb2

from slotd import v1
from slotd_server.domain.commands import Lease
from slotd_server.domain.errors import (
    InvalidArgument,
    NotFound,
    QueueFull,
    RequestIdReused,
    RevisionMismatch,
    UniqueKeyTaken,
    WrongState,
)
from slotd_server.domain.job import Payload
from slotd_server.domain.outcome import Succeeded
from slotd_server.rpc import cursors
from tests.unit.rpc.core import FAILED, NO_CONTEXT, Called, Core
from tests.unit.rpc.samples import JOB_ID, TRACEPARENT


def request(request_id: str = "", *, validate_only: bool = False, **fields: Any) -> v1.SubmitRequest:
    spec = v1.JobSpec(**({"kind": "noop"} | fields))
    return v1.SubmitRequest(spec=spec, request_id=request_id, validate_only=validate_only)


async def get(core: Core, job_id: str, view: v1.JobView.ValueType = v1.JOB_VIEW_UNSPECIFIED) -> v1.Job:
    return (await core.jobs.Get(v1.GetRequest(id=job_id, view=view), NO_CONTEXT)).job


async def listed(core: Core, **fields: Any) -> v1.ListResponse:
    return await core.jobs.List(v1.ListRequest(**fields), NO_CONTEXT)


def at(core: Core, cursor: str) -> int:
    return cursors.decode(cursor, core.store.id).revision


async def test_submit_answers_the_job_and_where_its_events_begin(core: Core) -> None:
    payload = v1.Payload(content_type="text/plain", data=b"x")
    answer = await core.submit_request(request(payload=payload, labels={"a": "b"}))
    job = answer.job
    assert job.state == v1.JOB_STATE_QUEUED
    assert job.spec.payload == payload
    assert job.spec.queue == "default"
    assert job.spec.retry.max_attempts == 3
    assert at(core, answer.cursor) == job.revision
    assert await get(core, job.id) == job


async def test_a_job_keeps_the_trace_that_it_was_submitted_in(core: Core) -> None:
    call = Called((("user-agent", "x"), ("traceparent", TRACEPARENT)))
    plain = (await core.submit_request(request(), call)).job
    named = (await core.submit_request(request("r"), call)).job
    batch = await core.submit_batch(v1.SubmitBatchRequest(requests=[request(), request("s")]), call)
    for job in (plain, named, *batch.jobs):
        assert job.traceparent == TRACEPARENT
        assert await get(core, job.id) == job
    # The same request from another span is the same request.
    again = (await core.submit_request(request("r"), Called((("traceparent", TRACEPARENT[:-1] + "0"),)))).job
    assert again == named


@pytest.mark.parametrize(
    "value",
    [
        "",
        b"\xff",
        TRACEPARENT.upper(),
        f"{TRACEPARENT}-more",
        TRACEPARENT[:-1],
        f"ff{TRACEPARENT[2:]}",
        f"00-{'0' * 32}-b7ad6b7169203331-01",
        f"00-0af7651916cd43dd8448eb211c80319c-{'0' * 16}-01",
    ],
)
async def test_a_trace_that_is_said_wrongly_is_none(core: Core, value: str | bytes) -> None:
    assert (await core.submit_request(request(), Called((("traceparent", value),)))).job.traceparent == ""


async def test_submit_for_the_second_time_answers_the_first_job_as_it_is(core: Core) -> None:
    first = (await core.submit_request(request("r"))).job
    await core.submit()
    await core.jobs.Cancel(v1.CancelRequest(id=first.id), NO_CONTEXT)
    latest = await core.submit()
    again = await core.submit_request(request("r"))
    assert again.job == await get(core, first.id)
    # The log may no longer have the job's own revision; nothing happened to it since.
    assert again.job.revision < at(core, again.cursor) == latest.revision


async def test_submit_of_other_content_under_the_same_id_is_refused(core: Core) -> None:
    first = (await core.submit_request(request("r"))).job
    with pytest.raises(RequestIdReused) as refused:
        await core.submit_request(request("r", priority=1))
    assert refused.value.job_id == first.id


async def test_submit_only_to_see_stores_nothing(core: Core) -> None:
    answer = await core.submit_request(request("r", validate_only=True, priority=3))
    assert (answer.job.id, answer.cursor, answer.job.spec.priority) == ("", "", 3)
    assert list((await listed(core)).jobs) == []


async def test_a_batch_is_taken_in_order_or_not_at_all(core: Core) -> None:
    await core.queues.UpdateQueue(v1.UpdateQueueRequest(queue=v1.Queue(name="small", max_queued=2)), NO_CONTEXT)
    batch = v1.SubmitBatchRequest(requests=[request(priority=number, queue="small") for number in range(2)])
    answer = await core.submit_batch(batch)
    assert [job.spec.priority for job in answer.jobs] == [0, 1]
    assert at(core, answer.cursor) == answer.jobs[0].revision
    with pytest.raises(QueueFull):
        await core.submit_batch(v1.SubmitBatchRequest(requests=[request(), request(queue="small")]))
    assert len((await listed(core)).jobs) == 2


async def test_a_batch_starts_its_stream_before_any_of_its_jobs_can_change(core: Core) -> None:
    old = (await core.submit_request(request("r"))).job
    newest = await core.submit()
    answer = await core.submit_batch(v1.SubmitBatchRequest(requests=[request("s"), request("r")]))
    assert answer.jobs[1] == old
    assert at(core, answer.cursor) == newest.revision < answer.jobs[0].revision


@pytest.mark.parametrize(("size", "whole"), [(1 << 20, True), ((1 << 20) + 1, False)])
async def test_a_batch_answers_in_full_unless_that_is_too_much(core: Core, size: int, whole: bool) -> None:
    requests = [request(payload=v1.Payload(data=bytes(part))) for part in (1 << 20, size - 1, 1)]
    answer = await core.submit_batch(v1.SubmitBatchRequest(requests=requests))
    assert [bool(job.spec.payload.data) for job in answer.jobs] == [whole] * 3
    assert all(job.spec.payload.content_type for job in answer.jobs)


@pytest.mark.parametrize(("size", "whole"), [(1 << 20, True), ((1 << 20) + 1, False)])
async def test_results_of_jobs_that_are_there_already_count_too(core: Core, size: int, whole: bool) -> None:
    batch = v1.SubmitBatchRequest(requests=[request("r"), request("s")])
    await core.submit_batch(batch)
    await core.start(2)
    for job, part in zip(core.runner.started, (1 << 20, size), strict=True):
        await core.finish(job, Succeeded(Payload("text/plain", bytes(part))))
    answer = await core.submit_batch(batch)
    assert [bool(job.result.data) for job in answer.jobs] == [whole] * 2
    assert all(job.result.content_type for job in answer.jobs)


async def test_a_batch_only_to_see_stores_nothing(core: Core) -> None:
    answer = await core.submit_batch(v1.SubmitBatchRequest(requests=[request(validate_only=True)] * 3))
    assert len(answer.jobs) == 3
    assert answer.cursor == ""
    assert list((await listed(core)).jobs) == []


async def test_a_batch_may_be_a_whole_graph(core: Core) -> None:
    requests = [
        request(depends_on=[v1.Dependency(ref="b", condition=v1.DEPENDENCY_CONDITION_ENDED), v1.Dependency(group="g")]),
        request(depends_on=[v1.Dependency(ref="a")], group="g"),
        request(),
    ]
    requests[1].ref, requests[2].ref = "b", "a"
    callback, second, first = (await core.submit_batch(v1.SubmitBatchRequest(requests=requests))).jobs
    assert (first.state, second.state, callback.state) == (v1.JOB_STATE_QUEUED, *[v1.JOB_STATE_BLOCKED] * 2)
    assert list(callback.blocked_by) == [f"jobs/{second.id}", "groups/g"]
    (edge,) = second.spec.depends_on
    assert (edge.job_id, edge.ref, edge.condition) == (first.id, "a", v1.DEPENDENCY_CONDITION_SUCCEEDED)
    for job in (first, second):
        await core.finish(await core.start())
        assert (await get(core, job.id)).state == v1.JOB_STATE_SUCCEEDED
    assert (await get(core, callback.id)).state == v1.JOB_STATE_RUNNING


async def test_what_is_not_there_is_named(core: Core) -> None:
    nowhere = [v1.Dependency(job_id=JOB_ID), v1.Dependency(group="g")]
    with pytest.raises(InvalidArgument) as refused:
        await core.submit_request(request(depends_on=nowhere))
    fields = ["spec.depends_on[0].job_id", "spec.depends_on[1].group"]
    assert [field for field, _ in refused.value.violations] == fields
    # Also where the batch is of one.
    with pytest.raises(InvalidArgument) as refused:
        await core.submit_batch(v1.SubmitBatchRequest(requests=[request(depends_on=nowhere)]))
    assert [field for field, _ in refused.value.violations] == [f"requests[0].{field}" for field in fields]


async def test_a_unique_job_is_answered_with_the_one_that_is_there(core: Core) -> None:
    first = await core.submit(unique_key="u")
    await core.submit()
    again = await core.submit_request(request(unique_key="u"))
    assert again.job == first
    assert at(core, again.cursor) > first.revision
    with pytest.raises(UniqueKeyTaken):
        await core.submit(unique_key="u", unique_conflict=v1.UNIQUE_CONFLICT_REFUSE)


async def test_get_shows_as_much_as_is_asked_for(core: Core) -> None:
    job = await core.run(payload=v1.Payload(data=b"x"))
    assert (job.spec.payload.data, job.result.data) == (b"x", b"fine")
    basic = await get(core, job.id, v1.JOB_VIEW_BASIC)
    assert (basic.spec.payload.data, basic.result.data, basic.result.content_type) == (b"", b"", "text/plain")
    with pytest.raises(NotFound):
        await get(core, JOB_ID)


async def test_list_goes_through_all_in_either_order(core: Core) -> None:
    ids = [(await core.submit(payload=v1.Payload(data=b"x"))).id for _ in range(7)]
    for order, expected in (("", ids[::-1]), ("create_time desc", ids[::-1]), ("create_time", ids)):
        seen: list[str] = []
        token, pages = "", 0
        while pages == 0 or token:
            page = await listed(core, page_size=3, page_token=token, order_by=order)
            seen += [job.id for job in page.jobs]
            token, pages = page.next_page_token, pages + 1
            assert not any(job.spec.payload.data for job in page.jobs)
        assert seen == expected
        assert pages == 3


async def test_a_full_page_that_is_the_last_has_no_token(core: Core) -> None:
    for _ in range(3):
        await core.submit()
    assert (await listed(core, page_size=3)).next_page_token == ""
    assert (await listed(core, page_size=2)).next_page_token != ""


async def test_list_has_the_cursor_of_its_first_page(core: Core) -> None:
    last = [await core.submit() for _ in range(3)][-1]
    first = await listed(core, page_size=2)
    await core.submit()
    second = await listed(core, page_size=2, page_token=first.next_page_token)
    assert at(core, first.cursor) == at(core, second.cursor) == last.revision
    assert len(second.jobs) == 1


async def test_list_refuses_a_token_of_another_list(core: Core) -> None:
    for _ in range(3):
        await core.submit()
    token = (await listed(core, page_size=1)).next_page_token
    assert (await listed(core, page_size=2, page_token=token, view=v1.JOB_VIEW_BASIC)).jobs
    for other in (
        {"order_by": "create_time"},
        {"view": v1.JOB_VIEW_FULL},
        {"filter": v1.JobFilter(kinds=["noop"])},
        {"page_token": token[:-1]},
    ):
        with pytest.raises(InvalidArgument):
            await listed(core, **({"page_token": token} | other))


async def test_list_filters(core: Core) -> None:
    ended = await core.run(labels={"a": "1"})
    waiting = await core.submit("other", queue="mail")
    for job, job_filter in (
        (ended, v1.JobFilter(states=[v1.JOB_STATE_SUCCEEDED])),
        (ended, v1.JobFilter(labels={"a": "1"})),
        (waiting, v1.JobFilter(kinds=["other"])),
        (waiting, v1.JobFilter(queues=["mail", "else"])),
        (waiting, v1.JobFilter(job_ids=[waiting.id, JOB_ID])),
    ):
        assert [found.id for found in (await listed(core, filter=job_filter)).jobs] == [job.id]
    assert not (await listed(core, filter=v1.JobFilter(states=[v1.JOB_STATE_UNSPECIFIED]))).jobs


async def test_a_page_in_full_is_bounded_by_its_bytes(core: Core) -> None:
    large = v1.Payload(data=bytes(900_000))
    ids = [(await core.submit(payload=large)).id for _ in range(5)]
    seen: list[str] = []
    token = ""
    sizes = []
    while len(seen) < 5:
        page = await listed(core, view=v1.JOB_VIEW_FULL, page_token=token)
        assert all(len(job.spec.payload.data) == 900_000 for job in page.jobs)
        seen += [job.id for job in page.jobs]
        token = page.next_page_token
        sizes.append(len(page.jobs))
    assert (seen, sizes, token) == (ids[::-1], [2, 2, 1], "")


async def wait(core: Core, job_id: str, seconds: float | None = None) -> v1.Job:
    timeout = None if seconds is None else Duration(nanos=round(seconds * 1e9))
    return (await core.jobs.Wait(v1.WaitRequest(id=job_id, timeout=timeout), NO_CONTEXT)).job


async def test_wait_answers_when_the_job_is_terminal(core: Core) -> None:
    job = await core.submit()
    waiting = asyncio.ensure_future(wait(core, job.id))
    running = await core.start()
    await core.write(running, b"a minor event")
    assert not waiting.done()
    await core.finish(running)
    assert (await waiting).state == v1.JOB_STATE_SUCCEEDED
    assert (await waiting).result.data == b"fine"
    assert (await wait(core, job.id)).state == v1.JOB_STATE_SUCCEEDED


async def test_wait_answers_with_the_present_state_in_the_end(core: Core) -> None:
    job = await core.submit()
    assert await wait(core, job.id, 0) == job
    assert await wait(core, job.id, 0.01) == job


async def test_wait_ends_when_the_job_is_deleted(core: Core) -> None:
    job = await core.submit()
    waiting = asyncio.ensure_future(wait(core, job.id))
    await wait(core, job.id, 0)
    await core.jobs.Delete(v1.DeleteRequest(id=job.id, force=True), NO_CONTEXT)
    with pytest.raises(NotFound):
        await waiting
    with pytest.raises(NotFound):
        await wait(core, job.id)


async def test_wait_does_not_spin_on_a_job_that_the_log_has_forgotten(core: Core) -> None:
    job = await core.submit()
    await core.submit()
    reads = 0
    query = core.reads.__call__

    async def counted(*arguments: Any) -> Any:
        nonlocal reads
        reads += 1
        return await query(*arguments)

    # A log that remembers nothing, as after a restart.
    core.log._events.clear()
    core.log._by_job.clear()
    core.log._indexed = 0
    core.jobs._reads = counted  # type: ignore[assignment]
    assert (await wait(core, job.id, 0.05)) == job
    assert reads == 1


async def test_cancel(core: Core) -> None:
    job = await core.submit()
    cancelled = (await core.jobs.Cancel(v1.CancelRequest(id=job.id), NO_CONTEXT)).job
    assert cancelled.state == v1.JOB_STATE_CANCELLED
    assert (await core.jobs.Cancel(v1.CancelRequest(id=job.id), NO_CONTEXT)).job == cancelled
    ended = await core.run()
    with pytest.raises(WrongState):
        await core.jobs.Cancel(v1.CancelRequest(id=ended.id), NO_CONTEXT)
    with pytest.raises(NotFound):
        await core.jobs.Cancel(v1.CancelRequest(id=JOB_ID), NO_CONTEXT)


async def test_retry(core: Core) -> None:
    job = await core.submit()
    with pytest.raises(WrongState):
        await core.jobs.Retry(v1.RetryRequest(id=job.id), NO_CONTEXT)
    await core.finish(await core.start(), FAILED)
    assert (await get(core, job.id)).state == v1.JOB_STATE_FAILED
    await core.queues.UpdateSlots(v1.UpdateSlotsRequest(slots=0), NO_CONTEXT)
    again = (await core.jobs.Retry(v1.RetryRequest(id=job.id), NO_CONTEXT)).job
    assert (again.state, again.attempt, len(again.attempts)) == (v1.JOB_STATE_QUEUED, 0, 1)


async def test_retry_takes_dependents_along_where_asked_to(core: Core) -> None:
    first = await core.submit()
    second = await core.submit(depends_on=[v1.Dependency(job_id=first.id)])
    await core.finish(await core.start(), FAILED)
    await core.queues.UpdateSlots(v1.UpdateSlotsRequest(slots=0), NO_CONTEXT)
    failed = await get(core, second.id)
    assert (failed.state, failed.error.code) == (v1.JOB_STATE_FAILED, code_pb2.FAILED_PRECONDITION)
    await core.jobs.Retry(v1.RetryRequest(id=first.id), NO_CONTEXT)
    assert (await get(core, second.id)).state == v1.JOB_STATE_FAILED
    await core.jobs.Cancel(v1.CancelRequest(id=first.id), NO_CONTEXT)
    await core.jobs.Retry(v1.RetryRequest(id=first.id, dependents=True), NO_CONTEXT)
    assert (await get(core, second.id)).state == v1.JOB_STATE_BLOCKED


async def update(core: Core, job_id: str, *paths: str, revision: int = 0, **fields: Any) -> v1.Job:
    update = v1.UpdateRequest(
        id=job_id, spec=v1.JobSpec(**fields), update_mask=FieldMask(paths=paths), revision=revision
    )
    return (await core.jobs.Update(update, NO_CONTEXT)).job


async def test_update_changes_what_it_names(core: Core) -> None:
    job = await core.submit(labels={"a": "1"}, priority=1)
    later = Timestamp(seconds=4_000_000_000)
    after = await update(
        core, job.id, "priority", "labels", "schedule_time", priority=7, queue="x", schedule_time=later
    )
    assert (after.spec.priority, dict(after.spec.labels), after.spec.queue) == (7, {}, "default")
    assert (after.state, after.schedule_time) == (v1.JOB_STATE_SCHEDULED, later)
    assert after == await get(core, job.id)
    after = await update(core, job.id, "schedule_time", "queue", queue="mail", revision=after.revision)
    assert (after.state, after.spec.queue, after.spec.priority) == (v1.JOB_STATE_QUEUED, "mail", 7)
    with pytest.raises(RevisionMismatch):
        await update(core, job.id, "labels", revision=job.revision)
    await core.start()
    with pytest.raises(WrongState):
        await update(core, job.id, "labels")
    with pytest.raises(NotFound):
        await update(core, JOB_ID, "labels")


async def test_a_group_is_told_with_where_its_events_begin(core: Core) -> None:
    with pytest.raises(NotFound):
        await core.jobs.GetGroup(v1.GetGroupRequest(name="g"), NO_CONTEXT)
    await core.run(group="g")
    last = await core.submit(group="g")
    answer = await core.jobs.GetGroup(v1.GetGroupRequest(name="g"), NO_CONTEXT)
    progress = v1.Progress(done=1, total=2)
    assert answer.group == v1.Group(name="g", jobs=2, queued=1, succeeded=1, progress=progress)
    assert answer.revision == at(core, answer.cursor) == last.revision


async def test_delete_takes_terminal_jobs_alone_unless_forced(core: Core) -> None:
    ended, waiting = await core.run(), await core.submit()
    await core.jobs.Delete(v1.DeleteRequest(id=ended.id), NO_CONTEXT)
    with pytest.raises(WrongState):
        await core.jobs.Delete(v1.DeleteRequest(id=waiting.id), NO_CONTEXT)
    await core.jobs.Delete(v1.DeleteRequest(id=waiting.id, force=True), NO_CONTEXT)
    assert list((await listed(core)).jobs) == []
    with pytest.raises(NotFound):
        await core.jobs.Delete(v1.DeleteRequest(id=ended.id), NO_CONTEXT)


async def test_delete_by_force_waits_for_a_running_job_to_stop(core: Core) -> None:
    job = await core.submit()
    running = await core.start()
    deletes = [
        asyncio.ensure_future(core.jobs.Delete(v1.DeleteRequest(id=job.id, force=True), NO_CONTEXT)) for _ in range(2)
    ]
    await core.log.wait_for(job.id, running.revision)
    assert (await get(core, job.id)).cancel_requested
    assert core.runner.stopped == [Lease(running.seq, running.fence)]
    assert not any(delete.done() for delete in deletes)
    await core.finish(running)
    # The second one finds the job gone, which is what it wanted.
    assert await asyncio.gather(*deletes) == [v1.DeleteResponse()] * 2
    with pytest.raises(NotFound):
        await get(core, job.id)


async def test_purge_takes_all_that_match_in_steps(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("slotd_server.rpc.bulk._STEP_JOBS", 2)
    kept = await core.submit()
    other = await core.submit("other")
    jobs = [await core.submit() for _ in range(5)]
    for job in (other, *jobs):
        await core.jobs.Cancel(v1.CancelRequest(id=job.id), NO_CONTEXT)
    only = v1.JobFilter(kinds=["noop"])
    assert await purged(core, only, validate_only=True) == 5
    assert await purged(core, v1.JobFilter(), validate_only=True) == 6
    assert await purged(core, v1.JobFilter(states=[v1.JOB_STATE_QUEUED]), validate_only=True) == 0
    assert await purged(core, v1.JobFilter(states=[v1.JOB_STATE_QUEUED])) == 0
    assert await purged(core, only) == 5
    assert [job.id for job in (await listed(core)).jobs] == [other.id, kept.id]
    assert await purged(core, v1.JobFilter()) == 1


async def purged(core: Core, job_filter: v1.JobFilter, *, validate_only: bool = False) -> int:
    purge = v1.PurgeRequest(filter=job_filter, validate_only=validate_only)
    return (await core.jobs.Purge(purge, NO_CONTEXT)).purge_count
