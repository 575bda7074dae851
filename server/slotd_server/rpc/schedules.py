"""ScheduleService: when jobs are made by themselves."""

from collections.abc import Callable

from slotd import v1
from slotd_server.dispatch import Dispatcher
from slotd_server.domain import commands as ask
from slotd_server.domain.job import Job
from slotd_server.domain.queue import Draft
from slotd_server.domain.schedule import Schedule, Settings
from slotd_server.events import EventLog
from slotd_server.rpc import convert, cursors, validate
from slotd_server.rpc.calls import Call
from slotd_server.rpc.submissions import Submissions

_PAGE_SCHEDULES = 50
_MOST_PAGE_SCHEDULES = 1000

_ANSWER_BYTES = 2 << 20
"""About how much one answer holds at most, below the 4 MiB that clients take by default: each has a job's payload."""


class Schedules:
    """The servicer. `store_id` and the `boot` id of the server that started last are in every cursor; the limit is
    bytes."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        log: EventLog,
        store_id: str,
        boot: Callable[[], str],
        *,
        max_payload: int = 1 << 20,
    ) -> None:
        self._call = dispatcher.call
        self._log = log
        self._store_id = store_id
        self._boot = boot
        self._submissions = Submissions(dispatcher.kinds, max_payload=max_payload)

    async def Create(self, request: v1.ScheduleServiceCreateRequest, _: Call) -> v1.ScheduleServiceCreateResponse:
        self._submissions.check_schedule(request)
        settings = convert.settings_from(request.schedule)
        # When it is made, and when it fires, is for the lifecycle to say.
        wanted = Schedule(request.schedule.name, settings, create_time=0, update_time=0)
        schedule: Schedule = await self._call(ask.CreateSchedule(wanted, request.validate_only))
        return v1.ScheduleServiceCreateResponse(schedule=convert.schedule_message(schedule))

    async def Get(self, request: v1.ScheduleServiceGetRequest, _: Call) -> v1.ScheduleServiceGetResponse:
        validate.check(request)
        schedule: Schedule = await self._call(ask.GetSchedule(request.name))
        return v1.ScheduleServiceGetResponse(schedule=convert.schedule_message(schedule))

    async def List(self, request: v1.ScheduleServiceListRequest, _: Call) -> v1.ScheduleServiceListResponse:
        validate.check(request)
        asked = cursors.question("ScheduleService.List")
        last = cursors.decode_name(request.page_token, asked) if request.page_token else ""
        limit = min(request.page_size or _PAGE_SCHEDULES, _MOST_PAGE_SCHEDULES)
        # One more than asked for, to know whether there is another page.
        schedules: list[Schedule] = await self._call(ask.ListSchedules(last, limit + 1))
        page: list[v1.Schedule] = []
        size = 0
        for schedule in schedules[:limit]:
            message = convert.schedule_message(schedule)
            size += message.ByteSize()
            if page and size > _ANSWER_BYTES:
                break
            page.append(message)
        return v1.ScheduleServiceListResponse(
            schedules=page,
            next_page_token=cursors.encode_name(asked, page[-1].name) if len(page) < len(schedules) else "",
        )

    async def Update(self, request: v1.ScheduleServiceUpdateRequest, _: Call) -> v1.ScheduleServiceUpdateResponse:
        self._submissions.check_schedule(request)
        wanted = request.schedule
        named = validate.named(request.update_mask, wanted, validate.SCHEDULE_SETTINGS)
        fields = frozenset("draft" if name == "spec" else name for name in named)
        schedule: Schedule = await self._call(
            ask.UpdateSchedule(wanted.name, convert.settings_from(wanted), fields, wanted.revision)
        )
        return v1.ScheduleServiceUpdateResponse(schedule=convert.schedule_message(schedule))

    async def Delete(self, request: v1.ScheduleServiceDeleteRequest, _: Call) -> v1.ScheduleServiceDeleteResponse:
        validate.check(request)
        await self._call(ask.DeleteSchedule(request.name))
        return v1.ScheduleServiceDeleteResponse()

    async def Pause(self, request: v1.ScheduleServicePauseRequest, _: Call) -> v1.ScheduleServicePauseResponse:
        validate.check(request)
        return v1.ScheduleServicePauseResponse(schedule=await self._set_paused(request.name, True))

    async def Resume(self, request: v1.ScheduleServiceResumeRequest, _: Call) -> v1.ScheduleServiceResumeResponse:
        validate.check(request)
        return v1.ScheduleServiceResumeResponse(schedule=await self._set_paused(request.name, False))

    async def Trigger(self, request: v1.ScheduleServiceTriggerRequest, _: Call) -> v1.ScheduleServiceTriggerResponse:
        validate.check(request)
        known = self._log.revision
        fingerprint = convert.trigger_fingerprint(request.name) if request.request_id else b""
        job: Job = await self._call(ask.TriggerSchedule(request.name, request.request_id, fingerprint))
        # As of a job that was submitted: an earlier request may have made it.
        cursor = cursors.encode(self._store_id, self._boot(), max(known, job.revision))
        return v1.ScheduleServiceTriggerResponse(job=convert.job_message(job), cursor=cursor)

    async def _set_paused(self, name: str, paused: bool) -> v1.Schedule:
        settings = Settings(Draft(""), paused=paused)
        schedule: Schedule = await self._call(ask.UpdateSchedule(name, settings, frozenset({"paused"})))
        return convert.schedule_message(schedule)
