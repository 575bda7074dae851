"""What JobService does to many jobs, on the real core, without the wire."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import pytest

from slotd import v1
from slotd_server.domain.errors import NotFound
from slotd_server.rpc.bulk import Bulk
from slotd_server.store.base import Snapshot
from tests.unit.rpc.core import FAILED, NO_CONTEXT, Core

NOOP = v1.JobFilter(kinds=["noop"])
STATES = v1.JobState


@pytest.fixture(autouse=True)
def steps_of_two(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that there are several with a few jobs."""
    monkeypatch.setattr("slotd_server.rpc.bulk._STEP_JOBS", 2)
    monkeypatch.setattr("slotd_server.rpc.bulk._READ_JOBS", 2)
    monkeypatch.setattr("slotd_server.rpc.bulk._READ_EVENTS", 2)


async def cancel(core: Core, job_filter: v1.JobFilter, *, validate_only: bool = False) -> int:
    request = v1.BulkCancelRequest(filter=job_filter, validate_only=validate_only)
    return (await core.jobs.BulkCancel(request, NO_CONTEXT)).cancel_count


async def retry(core: Core, job_filter: v1.JobFilter, *, validate_only: bool = False) -> int:
    request = v1.BulkRetryRequest(filter=job_filter, validate_only=validate_only)
    return (await core.jobs.BulkRetry(request, NO_CONTEXT)).retry_count


async def delete(core: Core, job_filter: v1.JobFilter, *, force: bool = False, validate_only: bool = False) -> int:
    request = v1.BulkDeleteRequest(filter=job_filter, validate_only=validate_only, force=force)
    return (await core.jobs.BulkDelete(request, NO_CONTEXT)).delete_count


async def states(core: Core) -> dict[str, str]:
    """Of all jobs, by id."""
    jobs = (await core.jobs.List(v1.ListRequest(page_size=1000), NO_CONTEXT)).jobs
    return {job.id: STATES.Name(job.state).removeprefix("JOB_STATE_") for job in jobs}


async def submit(core: Core, number: int, kind: str = "noop") -> list[str]:
    return [(await core.submit(kind)).id for _ in range(number)]


async def chain(core: Core, length: int) -> list[str]:
    """Jobs of which each but the first waits for the one before."""
    ids = await submit(core, 1)
    for _ in range(length - 1):
        ids.append((await core.submit(depends_on=[v1.Dependency(job_id=ids[-1])])).id)
    return ids


def alike(ids: Iterable[str], state: str) -> dict[str, str]:
    return dict.fromkeys(ids, state)


async def test_cancel_takes_all_that_match_and_have_not_ended(core: Core) -> None:
    (running,) = await submit(core, 1)
    await core.start()
    waiting = await submit(core, 4)
    (other,) = await submit(core, 1, "other")
    assert await cancel(core, NOOP, validate_only=True) == 5
    assert await cancel(core, NOOP) == 5
    after = {running: "RUNNING", other: "QUEUED"} | alike(waiting, "CANCELLED")
    assert await states(core) == after
    assert len(core.runner.stopped) == 1
    assert await cancel(core, v1.JobFilter(states=[v1.JOB_STATE_CANCELLED])) == 0
    # The running one is asked to stop already.
    assert await cancel(core, NOOP) == 0
    assert await states(core) == after


async def test_retry_takes_all_that_match_and_may_be_retried(core: Core) -> None:
    ids = await submit(core, 5)
    (other,) = await submit(core, 1, "other")
    assert await cancel(core, v1.JobFilter(job_ids=[*ids[1:], other])) == 5
    assert await retry(core, NOOP, validate_only=True) == 4
    assert await retry(core, v1.JobFilter(states=[v1.JOB_STATE_QUEUED])) == 0
    assert await retry(core, NOOP) == 4
    assert await states(core) == alike(ids, "QUEUED") | {other: "CANCELLED"}


async def test_retry_leaves_those_that_there_is_no_room_for(core: Core) -> None:
    ids = await submit(core, 3)
    assert await cancel(core, NOOP) == 3
    await core.queues.UpdateQueue(v1.UpdateQueueRequest(queue=v1.Queue(name="default", max_queued=2)), NO_CONTEXT)
    assert await retry(core, NOOP) == 2
    assert sorted((await states(core)).values()) == ["CANCELLED", "QUEUED", "QUEUED"]
    assert len(ids) == 3


async def test_delete_takes_all_that_match_and_have_ended(core: Core) -> None:
    ended = await submit(core, 5)
    await cancel(core, NOOP)
    (waiting,) = await submit(core, 1)
    (other,) = await submit(core, 1, "other")
    assert await delete(core, NOOP, validate_only=True) == 5
    assert await delete(core, v1.JobFilter(states=[v1.JOB_STATE_QUEUED])) == 0
    assert await delete(core, NOOP) == 5
    assert await states(core) == alike([waiting, other], "QUEUED")
    assert not set(ended) & set(await states(core))


async def test_delete_leaves_what_others_wait_for(core: Core) -> None:
    ended = (await core.run()).id
    (first,) = await submit(core, 1)
    dependent = (await core.submit("other", depends_on=[v1.Dependency(job_id=one) for one in (ended, first)])).id
    assert await delete(core, NOOP, force=True) == 0
    assert await states(core) == {ended: "SUCCEEDED", first: "QUEUED", dependent: "BLOCKED"}


async def test_delete_by_force_takes_waiting_ones_too(core: Core) -> None:
    await core.run()
    await submit(core, 4)
    assert await delete(core, NOOP, force=True, validate_only=True) == 5
    assert await delete(core, NOOP, force=True) == 5
    assert await states(core) == {}


async def test_delete_by_force_takes_jobs_with_what_depends_on_them(core: Core) -> None:
    await chain(core, 5)
    assert await delete(core, NOOP, force=True) == 5
    assert await states(core) == {}


@pytest.mark.parametrize("job_filter", [NOOP, v1.JobFilter(states=[v1.JOB_STATE_RUNNING])], ids=["all", "running"])
async def test_delete_by_force_waits_for_those_that_run(core: Core, job_filter: v1.JobFilter) -> None:
    await submit(core, 5)
    await core.start(5)
    (other,) = await submit(core, 1, "other")
    deleting = asyncio.ensure_future(delete(core, job_filter, force=True))
    running = list(core.runner.started)
    for job in running:
        await core.log.wait_for(job.id, job.revision)
    for job in running:
        assert not deleting.done()
        await core.finish(job)
    assert await deleting == 5
    # Which has a slot by now, and would match; but it did not when all began.
    assert await states(core) == {other: "RUNNING"}


RUNNING = v1.BulkDeleteRequest(filter=v1.JobFilter(states=[v1.JOB_STATE_RUNNING]), force=True)


def bulk_between(core: Core, happens: Callable[[], Awaitable[object]], monkeypatch: pytest.MonkeyPatch) -> Bulk:
    """The methods, with something that happens once it has been looked for what runs."""
    reads = core.reads.__call__
    left = [happens]

    async def read(query: Callable[[Snapshot], Any]) -> Any:
        found = await reads(query)
        if left:
            await left.pop()()
        return found

    bulk = Bulk(core.dispatcher, core.reads, core.log)
    monkeypatch.setattr(bulk, "_reads", read)
    return bulk


async def test_delete_by_force_misses_none_that_starts_meanwhile(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    job = await core.submit()
    bulk = bulk_between(core, core.start, monkeypatch)
    deleting = asyncio.ensure_future(bulk.BulkDelete(RUNNING, NO_CONTEXT))
    await core.log.wait_for(job.id, job.revision)
    (running,) = core.runner.started
    await core.log.wait_for(job.id, running.revision)
    await core.finish(running)
    assert (await deleting).delete_count == 1
    assert await states(core) == {}


async def test_delete_by_force_misses_none_that_stops_meanwhile(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    job = await core.submit()
    running = await core.start()
    await core.jobs.Cancel(v1.CancelRequest(id=job.id), NO_CONTEXT)
    bulk = bulk_between(core, lambda: core.finish(running), monkeypatch)
    assert (await bulk.BulkDelete(RUNNING, NO_CONTEXT)).delete_count == 1
    assert await states(core) == {}


async def test_what_is_submitted_meanwhile_is_not_meant(core: Core) -> None:
    await submit(core, 5)
    cancelling = asyncio.ensure_future(cancel(core, NOOP))
    late: list[str] = []
    while not cancelling.done():
        late += await submit(core, 1)
    # A step may still take one that came while it was on its way; but it ends.
    assert 5 <= await cancelling <= 6
    assert len(late) >= 1


async def test_a_group_is_cancelled(core: Core) -> None:
    ids = [(await core.submit(group="nightly")).id for _ in range(5)]
    (other,) = await submit(core, 1)
    request = v1.CancelGroupRequest(name="nightly", validate_only=True)
    assert (await core.jobs.CancelGroup(request, NO_CONTEXT)).cancel_count == 5
    request = v1.CancelGroupRequest(name="nightly")
    assert (await core.jobs.CancelGroup(request, NO_CONTEXT)).cancel_count == 5
    assert await states(core) == alike(ids, "CANCELLED") | {other: "QUEUED"}
    assert (await core.jobs.CancelGroup(request, NO_CONTEXT)).cancel_count == 0
    with pytest.raises(NotFound):
        await core.jobs.CancelGroup(v1.CancelGroupRequest(name="nobody"), NO_CONTEXT)


async def test_a_filter_may_name_groups(core: Core) -> None:
    job = await core.submit(group="nightly")
    await core.finish(await core.start(), FAILED)
    await core.submit(group="weekly")
    assert await retry(core, v1.JobFilter(groups=["nightly", "weekly"])) == 1
    assert (await core.jobs.Get(v1.GetRequest(id=job.id), NO_CONTEXT)).job.attempt <= 1
