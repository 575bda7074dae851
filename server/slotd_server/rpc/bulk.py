"""What JobService does to many jobs, in steps between which other commands go, and the deletion of one."""

from functools import partial
from typing import Literal, TypeAlias

from slotd import v1
from slotd_server.dispatch import Dispatcher
from slotd_server.domain import commands as ask
from slotd_server.domain.errors import Awaited, NotFound, WrongState
from slotd_server.domain.events import JobFilter
from slotd_server.domain.job import Job
from slotd_server.domain.queue import Counters
from slotd_server.domain.states import TERMINAL, State
from slotd_server.events import EventLog
from slotd_server.reads import Reads
from slotd_server.rpc import convert, validate, waiting
from slotd_server.rpc.calls import Call
from slotd_server.store.base import Snapshot

_STEP_JOBS = 500

Action: TypeAlias = Literal["cancel", "retry", "delete"]

_READ_EVENTS = 1024
_READ_JOBS = 1024

_OPEN = frozenset(State) - TERMINAL
_RUNNING = frozenset({State.RUNNING})
_AGAIN = frozenset({State.FAILED, State.CANCELLED})
"""What may be retried."""


class Bulk:
    """The part of the servicer that these methods are."""

    def __init__(self, dispatcher: Dispatcher, reads: Reads, log: EventLog) -> None:
        self._call = dispatcher.call
        self._reads = reads
        self._log = log

    async def Delete(self, request: v1.DeleteRequest, _: Call) -> v1.DeleteResponse:
        validate.check(request)
        await self._delete(request.id, force=request.force)
        return v1.DeleteResponse()

    async def Purge(self, request: v1.PurgeRequest, _: Call) -> v1.PurgeResponse:
        validate.check(request)
        job_filter = _within(TERMINAL, request.filter)
        if request.validate_only:
            return v1.PurgeResponse(purge_count=await self._count(job_filter))
        total = 0
        while True:
            count: int = await self._call(ask.Purge(job_filter, _STEP_JOBS))
            total += count
            if count < _STEP_JOBS:
                return v1.PurgeResponse(purge_count=total)

    async def BulkCancel(self, request: v1.BulkCancelRequest, _: Call) -> v1.BulkCancelResponse:
        validate.check(request)
        job_filter = _within(_OPEN, request.filter)
        count = self._count(job_filter) if request.validate_only else self._steps("cancel", job_filter)
        return v1.BulkCancelResponse(cancel_count=await count)

    async def BulkRetry(self, request: v1.BulkRetryRequest, _: Call) -> v1.BulkRetryResponse:
        validate.check(request)
        job_filter = _within(_AGAIN, request.filter)
        count = self._count(job_filter) if request.validate_only else self._steps("retry", job_filter)
        return v1.BulkRetryResponse(retry_count=await count)

    async def BulkDelete(self, request: v1.BulkDeleteRequest, _: Call) -> v1.BulkDeleteResponse:
        validate.check(request)
        job_filter = convert.filter_from(request.filter) if request.force else _within(TERMINAL, request.filter)
        if request.validate_only:
            count = self._count(job_filter)
        elif request.force:
            count = self._delete_by_force(job_filter, _within(_RUNNING, request.filter))
        else:
            count = self._steps("delete", job_filter)
        return v1.BulkDeleteResponse(delete_count=await count)

    async def CancelGroup(self, request: v1.CancelGroupRequest, _: Call) -> v1.CancelGroupResponse:
        validate.check(request)
        counters: Counters = await self._call(ask.GetGroup(request.name))
        if request.validate_only:
            return v1.CancelGroupResponse(cancel_count=counters.waiting + counters.running)
        job_filter = JobFilter(states=_OPEN, groups=frozenset({request.name}))
        return v1.CancelGroupResponse(cancel_count=await self._steps("cancel", job_filter))

    async def _count(self, job_filter: JobFilter) -> int:
        return await self._reads(lambda snapshot: snapshot.count(job_filter))

    async def _steps(self, action: Action, job_filter: JobFilter) -> int:
        """Do it to all jobs that match and are there now. To how many it was done."""
        return await self._steps_up_to(self._log.revision, ask.Bulk(action, job_filter, limit=_STEP_JOBS))

    async def _steps_up_to(self, end: int, first: ask.Bulk) -> int:
        # A job's seq is the revision that made it. Without an end, this might never catch up with those who submit.
        total = 0
        after = end + 1 if first.newest_first else 0
        while first.newest_first or after < end:
            step: ask.Step = await self._call(first._replace(after=after))
            total += step.done
            if step.after is None:
                break
            after = step.after
        return total

    async def _delete_by_force(self, job_filter: JobFilter, running: JobFilter) -> int:
        """Those of `running`, which are those of `job_filter` that run, are gone only when each has been waited for."""
        end = self._log.revision
        command = ask.Bulk("delete", job_filter, limit=_STEP_JOBS, force=True)
        total = 0
        while True:
            known, found = await self._reads(partial(_found, running, end))
            gone = await self._steps_up_to(end, command)
            # The steps have asked those to stop that ran when this began, and those that were started since.
            for job_id in found | await self._asked_to_stop(running, known, end):
                gone += await self._delete_if_possible(job_id)
            total += gone
            # Others may have stayed only because those that are gone now depended on them. But where the filter has
            # states, another round would take those that came into one of them because of this round.
            if not gone or job_filter.states:
                return total

    async def _asked_to_stop(self, running: JobFilter, after: int, end: int) -> set[str]:
        """The ids of those of `running` with a seq up to `end` that were asked to stop since revision `after`."""
        now = self._log.revision
        found: set[str] = set()
        while after < now:
            batch = await self._log.read(after, _READ_EVENTS, running.job_ids, whole=False)
            jobs = [event.job for event in batch.events if event.job.seq <= end]
            found.update(job.id for job in jobs if job.cancel_requested and running.matches(job))
            after = batch.upto
        return found

    async def _delete_if_possible(self, job_id: str) -> bool:
        try:
            return await self._delete(job_id, force=True)
        except (NotFound, Awaited, WrongState):
            # A step has deleted it, or it has to stay.
            return False

    async def _delete(self, job_id: str, *, force: bool) -> bool:
        """Delete the job; one that runs when it has stopped. Whether it was there until then."""
        job: Job = await self._call(ask.Delete(job_id, force))
        while not job.state.terminal:
            # It has been asked to stop. Somebody may delete it first, or retry it before we can.
            try:
                await waiting.until_terminal(self._reads, self._log, job_id)
                job = await self._call(ask.Delete(job_id, force))
            except NotFound:
                return False
        return True


def _within(states: frozenset[State], message: v1.JobFilter) -> JobFilter:
    """The filter, for jobs in one of `states` alone."""
    job_filter = convert.filter_from(message)
    wanted = states & job_filter.states if job_filter.states else states
    return job_filter._replace(states=wanted or convert.NO_STATES)


def _found(job_filter: JobFilter, end: int, snapshot: Snapshot) -> tuple[int, set[str]]:
    """The revision at which the snapshot was taken, and the ids of those that match, up to seq `end`."""
    found: set[str] = set()
    after = 0
    while True:
        jobs = snapshot.jobs(job_filter, _READ_JOBS, after=after, whole=False)
        found.update(job.id for job in jobs if job.seq <= end)
        if len(jobs) < _READ_JOBS:
            return snapshot.revision, found
        after = jobs[-1].seq
