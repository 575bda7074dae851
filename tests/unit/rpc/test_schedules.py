"""ScheduleService's methods on the real core, without the wire."""

from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask

from slotd import v1
from slotd_server.domain.errors import (
    InvalidArgument,
    NotFound,
    RequestIdReused,
    RevisionMismatch,
    ScheduleExists,
    ScheduleOverlap,
)
from slotd_server.rpc import cursors
from tests.unit.rpc.core import NO_CONTEXT, Core

SPEC = v1.JobSpec(kind="noop", labels={"a": "1"})
YEARLY = "0 3 1 1 *"


async def create(core: Core, name: str = "yearly", *, validate_only: bool = False, **fields: Any) -> v1.Schedule:
    schedule = v1.Schedule(name=name, spec=SPEC, **(fields or {"cron": YEARLY}))
    request = v1.ScheduleServiceCreateRequest(schedule=schedule, validate_only=validate_only)
    return (await core.schedules.Create(request, NO_CONTEXT)).schedule


async def get(core: Core, name: str = "yearly") -> v1.Schedule:
    return (await core.schedules.Get(v1.ScheduleServiceGetRequest(name=name), NO_CONTEXT)).schedule


async def update(core: Core, *paths: str, **fields: Any) -> v1.Schedule:
    schedule = v1.Schedule(name="yearly", **fields)
    request = v1.ScheduleServiceUpdateRequest(schedule=schedule, update_mask=FieldMask(paths=paths))
    return (await core.schedules.Update(request, NO_CONTEXT)).schedule


async def trigger(core: Core, request_id: str = "", name: str = "yearly") -> v1.ScheduleServiceTriggerResponse:
    request = v1.ScheduleServiceTriggerRequest(name=name, request_id=request_id)
    return await core.schedules.Trigger(request, NO_CONTEXT)


async def test_a_schedule_is_made_with_what_was_left_out(core: Core) -> None:
    schedule = await create(core)
    assert schedule == await get(core)
    assert (schedule.cron, schedule.time_zone, schedule.overlap) == (YEARLY, "UTC", v1.OVERLAP_POLICY_SKIP)
    assert schedule.spec == SPEC
    assert schedule.catch_up_window == Duration(seconds=3600)
    assert [time.ToDatetime().strftime("%m-%d %H:%M") for time in schedule.next_fire_times] == ["01-01 03:00"] * 5
    assert schedule.create_time == schedule.update_time
    assert schedule.HasField("create_time")
    assert (schedule.fire_count, schedule.skip_count, schedule.paused) == (0, 0, False)
    with pytest.raises(ScheduleExists):
        await create(core)


async def test_a_schedule_that_is_only_checked_is_not_made(core: Core) -> None:
    assert len((await create(core, validate_only=True)).next_fire_times) == 5
    with pytest.raises(NotFound):
        await get(core)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"cron": "* * *"}, "schedule.cron"),
        ({"cron": "0 0 30 2 *"}, "schedule.cron"),
        ({"cron": YEARLY, "time_zone": "Europe/Nowhere"}, "schedule.time_zone"),
    ],
)
async def test_a_schedule_that_can_never_fire_is_refused(core: Core, fields: dict[str, Any], field: str) -> None:
    for validate_only in (True, False):
        with pytest.raises(InvalidArgument) as refused:
            await create(core, validate_only=validate_only, **fields)
        assert [path for path, _ in refused.value.violations] == [field]
    await create(core)
    with pytest.raises(InvalidArgument) as refused:
        await update(core, **fields)
    assert [path for path, _ in refused.value.violations] == [field]


async def test_schedules_are_listed_by_name_in_pages(core: Core) -> None:
    async def names(page_size: int) -> list[list[str]]:
        pages: list[list[str]] = []
        token = ""
        while not pages or token:
            request = v1.ScheduleServiceListRequest(page_size=page_size, page_token=token)
            answer = await core.schedules.List(request, NO_CONTEXT)
            pages.append([schedule.name for schedule in answer.schedules])
            token = answer.next_page_token
        return pages

    assert await names(0) == [[]]
    for name in ("c", "a", "d", "b"):
        await create(core, name)
    assert await names(0) == [["a", "b", "c", "d"]]
    assert await names(2) == [["a", "b"], ["c", "d"]]
    assert await names(3) == [["a", "b", "c"], ["d"]]
    token = cursors.encode_name(cursors.question("ListQueues"), "a")
    with pytest.raises(InvalidArgument):
        await core.schedules.List(v1.ScheduleServiceListRequest(page_token=token), NO_CONTEXT)


async def test_a_page_of_large_schedules_ends_before_the_message_is_too_large(core: Core) -> None:
    names = [f"s{number}" for number in range(5)]
    for name in names:
        payload = v1.Payload(content_type="text/plain", data=bytes(900_000))
        schedule = v1.Schedule(name=name, spec=v1.JobSpec(kind="noop", payload=payload), cron=YEARLY)
        await core.schedules.Create(v1.ScheduleServiceCreateRequest(schedule=schedule), NO_CONTEXT)
    listed: list[str] = []
    token = ""
    while not listed or token:
        answer = await core.schedules.List(v1.ScheduleServiceListRequest(page_token=token), NO_CONTEXT)
        # What a client takes that has left gRPC's limit as it is.
        assert answer.ByteSize() < 4 << 20
        listed += [schedule.name for schedule in answer.schedules]
        token = answer.next_page_token
    assert listed == names


async def test_update_changes_what_is_set(core: Core) -> None:
    before = await create(core)
    after = await update(core, jitter=Duration(seconds=5), overlap=v1.OVERLAP_POLICY_ALLOW)
    assert (after.cron, after.jitter.seconds, after.overlap) == (YEARLY, 5, v1.OVERLAP_POLICY_ALLOW)
    assert after.revision > before.revision
    assert after == await get(core)


async def test_update_by_mask_changes_what_it_names(core: Core) -> None:
    await create(core, cron=YEARLY, jitter=Duration(seconds=5), catch_up_window=Duration(seconds=7))
    after = await update(core, "jitter", "paused", paused=True, catch_up_window=Duration(seconds=9))
    assert not after.HasField("jitter")
    assert after.paused
    assert after.catch_up_window == Duration(seconds=7)
    after = await update(core, "*", spec=v1.JobSpec(kind="other"), interval=Duration(seconds=60))
    assert (after.spec.kind, after.cron, after.interval.seconds, after.paused) == ("other", "", 60, False)
    assert after.catch_up_window == Duration(seconds=3600)


async def test_of_cron_and_interval_the_newer_one_stays(core: Core) -> None:
    await create(core)
    after = await update(core, interval=Duration(seconds=60))
    assert (after.cron, after.interval) == ("", Duration(seconds=60))
    after = await update(core, "cron", cron=YEARLY, interval=Duration(seconds=5))
    assert after.cron == YEARLY
    assert not after.HasField("interval")


async def test_update_is_guarded_by_the_revision(core: Core) -> None:
    before = await create(core)
    after = await update(core, revision=before.revision, paused=True)
    assert after.paused
    with pytest.raises(RevisionMismatch):
        await update(core, revision=before.revision, jitter=Duration(seconds=5))
    # What an answer holds may be sent back.
    changed = v1.Schedule()
    changed.CopyFrom(after)
    changed.overlap = v1.OVERLAP_POLICY_ALLOW
    request = v1.ScheduleServiceUpdateRequest(schedule=changed)
    assert (await core.schedules.Update(request, NO_CONTEXT)).schedule.overlap == v1.OVERLAP_POLICY_ALLOW


async def test_pause_and_resume(core: Core) -> None:
    async def pause() -> v1.Schedule:
        return (await core.schedules.Pause(v1.ScheduleServicePauseRequest(name="yearly"), NO_CONTEXT)).schedule

    async def resume() -> v1.Schedule:
        return (await core.schedules.Resume(v1.ScheduleServiceResumeRequest(name="yearly"), NO_CONTEXT)).schedule

    await create(core)
    paused = await pause()
    assert paused.paused
    assert not paused.next_fire_times
    assert await pause() == paused == await get(core)
    resumed = await resume()
    assert not resumed.paused
    assert len(resumed.next_fire_times) == 5
    assert await resume() == resumed == await get(core)


async def test_trigger_makes_a_job(core: Core) -> None:
    await create(core)
    answer = await trigger(core, "once")
    job = answer.job
    assert (job.schedule, job.spec.kind, job.spec.labels["a"]) == ("yearly", "noop", "1")
    assert job.HasField("fire_time")
    assert cursors.decode(answer.cursor, core.store.id).revision == job.revision
    schedule = await get(core)
    assert (list(schedule.recent_job_ids), schedule.fire_count) == ([job.id], 1)
    found = await core.jobs.List(v1.ListRequest(filter=v1.JobFilter(schedules=["yearly"])), NO_CONTEXT)
    assert [one.id for one in found.jobs] == [job.id]
    # Once more the same request: the same job. Another one: the policy holds.
    assert (await trigger(core, "once")).job == job
    with pytest.raises(ScheduleOverlap):
        await trigger(core, "twice")


async def test_a_request_id_is_of_one_schedule(core: Core) -> None:
    await create(core)
    await create(core, "other")
    first = (await trigger(core, "once")).job
    with pytest.raises(RequestIdReused) as refused:
        await trigger(core, "once", "other")
    assert refused.value.job_id == first.id


async def test_a_deleted_schedule_leaves_its_jobs(core: Core) -> None:
    await create(core)
    job = (await trigger(core)).job
    await core.schedules.Delete(v1.ScheduleServiceDeleteRequest(name="yearly"), NO_CONTEXT)
    assert (await core.jobs.Get(v1.GetRequest(id=job.id), NO_CONTEXT)).job == job
    for call in (
        core.schedules.Delete(v1.ScheduleServiceDeleteRequest(name="yearly"), NO_CONTEXT),
        core.schedules.Pause(v1.ScheduleServicePauseRequest(name="yearly"), NO_CONTEXT),
        core.schedules.Resume(v1.ScheduleServiceResumeRequest(name="yearly"), NO_CONTEXT),
        update(core, paused=True),
        trigger(core),
        get(core),
    ):
        with pytest.raises(NotFound):
            await call
