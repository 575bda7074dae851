"""The methods of ScheduleService, as `slotd.aio.Client` has them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, TypeVar, Unpack

from slotd import schedule_requests
from slotd.jobspec import Span
from slotd.schedule_requests import ScheduleFields
from slotd.v1 import job_pb2, schedule_service_pb2

if TYPE_CHECKING:
    from grpc.aio import UnaryUnaryMultiCallable

    from slotd.v1.schedule_service_pb2_grpc import ScheduleServiceAsyncStub

Q = TypeVar("Q")
A = TypeVar("A")


class ScheduleMethods(ABC):
    """What a client can do about schedules; `Client` is one."""

    async def create_schedule(
        self,
        name: str,
        spec: job_pb2.JobSpec,
        *,
        validate_only: bool = False,
        rpc_timeout: Span | None = None,
        **fields: Unpack[ScheduleFields],
    ) -> schedule_service_pb2.Schedule:
        """Makes a schedule: each firing makes one job. Exactly one of `cron` and `interval` is given.

        Args:
            name: what it is called.
            spec: the job, built by `slotd.spec`.
            validate_only: only check it; what comes back has `next_fire_times`.
            cron: minute, hour, day of month, month, day of week; seconds before them where there are six fields.
            interval: the time between two firings, counted from `start_time`, else from now.
            time_zone: the IANA zone that `cron` is in; UTC by default.
            overlap: what a firing does while an earlier job has not ended: `skip` (the default), `queue_one`, `allow`
                or `cancel_old`.
            catch_up_window: after a downtime, firings missed by no more than this are made up for; an hour by default.
            jitter: each firing is put off by up to this.
            start_time: nothing fires before; a datetime with a time zone.
            end_time: nothing fires after.
            paused: fire only when triggered.

        Raises ScheduleExists where there is one of that name.
        """
        request = schedule_requests.create(name, spec, validate_only, fields)
        return (await self._call(self._schedules().Create, request, rpc_timeout)).schedule

    async def get_schedule(self, name: str, *, rpc_timeout: Span | None = None) -> schedule_service_pb2.Schedule:
        """Tells of a schedule: its settings, its next firings, its newest jobs."""
        request = schedule_service_pb2.ScheduleServiceGetRequest(name=name)
        return (await self._call(self._schedules().Get, request, rpc_timeout)).schedule

    async def list_schedules(self, *, rpc_timeout: Span | None = None) -> list[schedule_service_pb2.Schedule]:
        """All schedules by name."""
        schedules: list[schedule_service_pb2.Schedule] = []
        request = schedule_service_pb2.ScheduleServiceListRequest()
        while True:
            page = await self._call(self._schedules().List, request, rpc_timeout)
            schedules.extend(page.schedules)
            if not page.next_page_token:
                return schedules
            request = schedule_service_pb2.ScheduleServiceListRequest(page_token=page.next_page_token)

    async def update_schedule(
        self,
        name: str,
        *,
        spec: job_pb2.JobSpec | None = None,
        revision: int = 0,
        rpc_timeout: Span | None = None,
        **fields: Unpack[ScheduleFields],
    ) -> schedule_service_pb2.Schedule:
        """Changes the fields that are given, which are those of `create_schedule`; None puts one back to its default.

        Args:
            name: which schedule.
            spec: another job, in place of the whole one that it has.
            revision: the one at which the caller saw it; 0 for whatever it is. Firings count as changes too.

        Raises RevisionMismatch where it is no longer at that revision.
        """
        request = schedule_requests.update(name, spec, revision, fields)
        return (await self._call(self._schedules().Update, request, rpc_timeout)).schedule

    async def delete_schedule(self, name: str, *, rpc_timeout: Span | None = None) -> None:
        """Deletes a schedule; the jobs that it made stay."""
        request = schedule_service_pb2.ScheduleServiceDeleteRequest(name=name)
        await self._call(self._schedules().Delete, request, rpc_timeout)

    async def pause_schedule(self, name: str, *, rpc_timeout: Span | None = None) -> schedule_service_pb2.Schedule:
        """Stops firing; nothing new where it is paused already."""
        request = schedule_service_pb2.ScheduleServicePauseRequest(name=name)
        return (await self._call(self._schedules().Pause, request, rpc_timeout)).schedule

    async def resume_schedule(self, name: str, *, rpc_timeout: Span | None = None) -> schedule_service_pb2.Schedule:
        """Fires again, from now on: what would have fired meanwhile is not made up for."""
        request = schedule_service_pb2.ScheduleServiceResumeRequest(name=name)
        return (await self._call(self._schedules().Resume, request, rpc_timeout)).schedule

    async def trigger_schedule(
        self, name: str, *, request_id: str | None = None, rpc_timeout: Span | None = None
    ) -> job_pb2.Job:
        """Fires now, also while paused; returns the job. `request_id` as in `submit`.

        Raises ScheduleOverlap where the overlap policy lets it make no job.
        """
        request = schedule_requests.trigger(name, request_id)
        return (await self._call(self._schedules().Trigger, request, rpc_timeout)).job

    @abstractmethod
    async def _call(
        self, method: UnaryUnaryMultiCallable[Q, A], request: Q, rpc_timeout: Span | None, default: float = 0.0
    ) -> A: ...

    @abstractmethod
    def _schedules(self) -> ScheduleServiceAsyncStub: ...
