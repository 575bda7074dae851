"""A service that keeps its jobs in a dict and plays a script for each stream: enough for the command, and no more."""

import threading
import uuid
from collections.abc import Iterator
from typing import NoReturn

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from slotd import v1

TERMINAL = (v1.JOB_STATE_SUCCEEDED, v1.JOB_STATE_FAILED, v1.JOB_STATE_CANCELLED)


class Shelf:
    """What the service holds. `scripts` are the later states of a job, by kind, told when a stream follows it."""

    def __init__(self) -> None:
        self.jobs: dict[str, v1.Job] = {}
        self.scripts: dict[str, list[v1.Job]] = {}
        self.outputs: dict[str, list[bytes]] = {}
        self.queues: dict[str, v1.Queue] = {}
        self.schedules: dict[str, v1.Schedule] = {}
        self.slots = 4
        self.servers: list[v1.Server] = []
        self.workers: list[v1.Worker] = []
        self.pools: list[v1.PoolSlots] = []
        self.submitted: list[v1.SubmitRequest] = []
        self.retried: list[v1.RetryRequest] = []
        self.updated: list[v1.UpdateRequest] = []
        self.bulk: list[v1.BulkCancelRequest | v1.BulkRetryRequest | v1.BulkDeleteRequest | v1.CancelGroupRequest] = []
        self.schedule_updates: list[v1.ScheduleServiceUpdateRequest] = []
        self.triggered: list[v1.ScheduleServiceTriggerRequest] = []
        self.streamed: list[v1.StreamRequest] = []
        self.listed: list[v1.ListRequest] = []
        self.purged: list[v1.PurgeRequest] = []
        self.queue_updates: list[v1.UpdateQueueRequest] = []
        self.forced: list[str] = []
        # A stream that has told all it knows stays open until this is set or its reader goes.
        self.released = threading.Event()
        self.revision = 0

    def add(self, kind: str = "count", state: v1.JobState.ValueType = v1.JOB_STATE_QUEUED, **fields: object) -> v1.Job:
        """Put a job there; the fields are Job's own, and `queue`, `group` and `labels` the spec's."""
        number = len(self.jobs) + 1
        job = v1.Job(id=str(uuid.UUID(int=(0x0198 << 112) | (7 << 76) | (2 << 62) | number)), state=state)
        job.spec.kind = kind
        job.spec.queue = str(fields.pop("queue", "default"))
        job.spec.group = str(fields.pop("group", ""))
        job.spec.labels.update(fields.pop("labels", {}))  # type: ignore[call-overload]
        job.spec.retry.max_attempts = 3
        job.create_time.FromSeconds(1_900_000_000 + number)
        job.MergeFrom(v1.Job(**fields))  # type: ignore[arg-type]
        self.revision += 1
        job.revision = self.revision
        self.jobs[job.id] = job
        return job

    def matching(self, wanted: v1.JobFilter) -> list[v1.Job]:
        """The jobs that a filter lets through."""
        return [
            job
            for job in self.jobs.values()
            if (not wanted.job_ids or job.id in wanted.job_ids)
            and (not wanted.queues or job.spec.queue in wanted.queues)
            and (not wanted.kinds or job.spec.kind in wanted.kinds)
            and (not wanted.states or job.state in wanted.states)
            and (not wanted.groups or job.spec.group in wanted.groups)
            and (not wanted.schedules or job.schedule in wanted.schedules)
            and all(job.spec.labels.get(key) == value for key, value in wanted.labels.items())
        ]


def refuse(
    context: grpc.ServicerContext, code: grpc.StatusCode, message: str, reason: str, *details: Message
) -> NoReturn:
    """End a call with an error as the contract has it."""
    status = status_pb2.Status(code=code.value[0], message=message)
    for detail in (error_details_pb2.ErrorInfo(domain="slotd", reason=reason), *details):
        packed = any_pb2.Any()
        packed.Pack(detail)
        status.details.append(packed)
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(code, message)
    raise AssertionError


class ScriptedJobs(v1.JobServiceServicer):
    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._by_request: dict[str, v1.Job] = {}

    def _find(self, job_id: str, context: grpc.ServicerContext) -> v1.Job:
        job = self._shelf.jobs.get(job_id)
        if job is None:
            refuse(context, grpc.StatusCode.NOT_FOUND, f"no job {job_id!r}", "JOB_NOT_FOUND")
        return job

    def Submit(self, request: v1.SubmitRequest, context: grpc.ServicerContext) -> v1.SubmitResponse:
        self._shelf.submitted.append(request)
        match request.spec.kind:
            case "unknown":
                violations = [
                    error_details_pb2.BadRequest.FieldViolation(field="spec.kind", description="no handler has it"),
                    error_details_pb2.BadRequest.FieldViolation(field="spec.queue", description="is no queue's name"),
                ]
                bad = error_details_pb2.BadRequest(field_violations=violations)
                refuse(context, grpc.StatusCode.INVALID_ARGUMENT, "bad request", "INVALID_ARGUMENT", bad)
            case "full":
                retry = error_details_pb2.RetryInfo(retry_delay=duration_pb2.Duration(seconds=5))
                refuse(context, grpc.StatusCode.RESOURCE_EXHAUSTED, "queue 'default' is full", "QUEUE_FULL", retry)
            case "reused":
                info = error_details_pb2.ResourceInfo(resource_type="job", resource_name="the-first")
                refuse(context, grpc.StatusCode.ALREADY_EXISTS, "request_id came before", "REQUEST_ID_REUSED", info)
            case "taken":
                info = error_details_pb2.ResourceInfo(resource_type="job", resource_name="the-first")
                refuse(context, grpc.StatusCode.ALREADY_EXISTS, "unique_key 'u' is taken", "UNIQUE_KEY_TAKEN", info)
            case "draining":
                refuse(context, grpc.StatusCode.UNAVAILABLE, "the service is draining", "DRAINING")
            case _:
                pass
        known = self._by_request.get(request.request_id)
        if known is not None:
            return v1.SubmitResponse(job=known, cursor="now")
        job = v1.Job(spec=request.spec, state=v1.JOB_STATE_QUEUED)
        if request.validate_only:
            return v1.SubmitResponse(job=job)
        added = self._shelf.add(request.spec.kind)
        added.spec.MergeFrom(request.spec)
        self._by_request[request.request_id] = added
        return v1.SubmitResponse(job=added, cursor="submitted")

    def SubmitBatch(self, request: v1.SubmitBatchRequest, context: grpc.ServicerContext) -> v1.SubmitBatchResponse:
        answers = [self.Submit(one, context) for one in request.requests]
        return v1.SubmitBatchResponse(jobs=[answer.job for answer in answers], cursor="submitted")

    def Get(self, request: v1.GetRequest, context: grpc.ServicerContext) -> v1.GetResponse:
        return v1.GetResponse(job=self._find(request.id, context))

    def List(self, request: v1.ListRequest, context: grpc.ServicerContext) -> v1.ListResponse:
        self._shelf.listed.append(request)
        found = self._shelf.matching(request.filter)[::-1]
        begin = int(request.page_token or 0)
        end = begin + min(request.page_size or 50, 50)
        more = str(end) if end < len(found) else ""
        return v1.ListResponse(jobs=found[begin:end], next_page_token=more, cursor="listed")

    def Wait(self, request: v1.WaitRequest, context: grpc.ServicerContext) -> v1.WaitResponse:
        return v1.WaitResponse(job=self._find(request.id, context))

    def Stream(self, request: v1.StreamRequest, context: grpc.ServicerContext) -> Iterator[v1.StreamResponse]:
        self._shelf.streamed.append(request)
        if request.cursor == "expired":
            refuse(context, grpc.StatusCode.OUT_OF_RANGE, "the cursor is too old", "CURSOR_EXPIRED")
        for job_id in request.filter.job_ids:
            self._find(job_id, context)
        jobs = self._shelf.matching(request.filter)
        if not request.cursor:
            snapshot = [v1.JobEvent(type=v1.EVENT_TYPE_SNAPSHOT, revision=job.revision, job=job) for job in jobs]
            yield v1.StreamResponse(events=snapshot)
        yield v1.StreamResponse(cursor="synced", synced=True)
        for job in jobs:
            if job.state in TERMINAL:
                continue
            for step, later in enumerate(self._shelf.scripts.get(job.spec.kind, ()), 1):
                now = v1.Job()
                now.CopyFrom(job)
                now.MergeFrom(later)
                kind = v1.EVENT_TYPE_CHANGED
                if later.state == v1.JOB_STATE_UNSPECIFIED:
                    kind = v1.EVENT_TYPE_DELETED
                event = v1.JobEvent(type=kind, revision=100 + step, job=now, previous_state=job.state)
                event.time.FromSeconds(1_900_000_100 + step)
                yield v1.StreamResponse(events=[event], cursor=f"step-{step}")
                job = now
        if not request.filter.job_ids or any(job.spec.kind == "endless" for job in jobs):
            context.add_callback(self._shelf.released.set)
            self._shelf.released.wait(30)

    def ReadOutput(
        self, request: v1.ReadOutputRequest, context: grpc.ServicerContext
    ) -> Iterator[v1.ReadOutputResponse]:
        self._find(request.id, context)
        offset = 0
        for piece in self._shelf.outputs.get(request.id, ()):
            if offset + len(piece) > request.offset:
                skip = max(request.offset - offset, 0)
                yield v1.ReadOutputResponse(offset=offset + skip, data=piece[skip:])
            offset += len(piece)
        yield v1.ReadOutputResponse(offset=offset, eof=True, truncated=self._shelf.jobs[request.id].output_truncated)

    def Cancel(self, request: v1.CancelRequest, context: grpc.ServicerContext) -> v1.CancelResponse:
        job = self._find(request.id, context)
        if job.state in (v1.JOB_STATE_SUCCEEDED, v1.JOB_STATE_FAILED):
            refuse(context, grpc.StatusCode.FAILED_PRECONDITION, f"job {job.id} has ended", "WRONG_STATE")
        if job.state == v1.JOB_STATE_RUNNING:
            job.cancel_requested = True
        else:
            job.state = v1.JOB_STATE_CANCELLED
        return v1.CancelResponse(job=job)

    def Retry(self, request: v1.RetryRequest, context: grpc.ServicerContext) -> v1.RetryResponse:
        self._shelf.retried.append(request)
        job = self._find(request.id, context)
        if job.state not in (v1.JOB_STATE_FAILED, v1.JOB_STATE_CANCELLED):
            refuse(context, grpc.StatusCode.FAILED_PRECONDITION, f"job {job.id} has not failed", "WRONG_STATE")
        job.state = v1.JOB_STATE_QUEUED
        return v1.RetryResponse(job=job)

    def Delete(self, request: v1.DeleteRequest, context: grpc.ServicerContext) -> v1.DeleteResponse:
        job = self._find(request.id, context)
        if job.state not in TERMINAL and not request.force:
            refuse(context, grpc.StatusCode.FAILED_PRECONDITION, f"job {job.id} has not ended", "WRONG_STATE")
        if request.force:
            self._shelf.forced.append(job.id)
        del self._shelf.jobs[job.id]
        return v1.DeleteResponse()

    def Purge(self, request: v1.PurgeRequest, context: grpc.ServicerContext) -> v1.PurgeResponse:
        self._shelf.purged.append(request)
        gone = [job.id for job in self._shelf.matching(request.filter) if job.state in TERMINAL]
        if not request.validate_only:
            for job_id in gone:
                del self._shelf.jobs[job_id]
        return v1.PurgeResponse(purge_count=len(gone))

    def Update(self, request: v1.UpdateRequest, context: grpc.ServicerContext) -> v1.UpdateResponse:
        self._shelf.updated.append(request)
        job = self._find(request.id, context)
        if request.revision not in (0, job.revision):
            message = f"job {job.id} is at revision {job.revision}, no longer at {request.revision}"
            refuse(context, grpc.StatusCode.ABORTED, message, "REVISION_MISMATCH")
        request.update_mask.MergeMessage(request.spec, job.spec)
        return v1.UpdateResponse(job=job)

    def BulkCancel(self, request: v1.BulkCancelRequest, context: grpc.ServicerContext) -> v1.BulkCancelResponse:
        self._shelf.bulk.append(request)
        found = [job for job in self._shelf.matching(request.filter) if job.state not in TERMINAL]
        return v1.BulkCancelResponse(cancel_count=self._move(found, v1.JOB_STATE_CANCELLED, request.validate_only))

    def BulkRetry(self, request: v1.BulkRetryRequest, context: grpc.ServicerContext) -> v1.BulkRetryResponse:
        self._shelf.bulk.append(request)
        found = [job for job in self._shelf.matching(request.filter) if job.state in TERMINAL[1:]]
        return v1.BulkRetryResponse(retry_count=self._move(found, v1.JOB_STATE_QUEUED, request.validate_only))

    def BulkDelete(self, request: v1.BulkDeleteRequest, context: grpc.ServicerContext) -> v1.BulkDeleteResponse:
        self._shelf.bulk.append(request)
        found = [job for job in self._shelf.matching(request.filter) if request.force or job.state in TERMINAL]
        if not request.validate_only:
            for job in found:
                del self._shelf.jobs[job.id]
        return v1.BulkDeleteResponse(delete_count=len(found))

    def GetGroup(self, request: v1.GetGroupRequest, context: grpc.ServicerContext) -> v1.GetGroupResponse:
        states = [v1.JobState.Name(job.state) for job in self._members(request.name, context)]
        counts = {state.removeprefix("JOB_STATE_").lower(): states.count(state) for state in set(states)}
        ended = sum(counts.get(state, 0) for state in ("succeeded", "failed", "cancelled"))
        group = v1.Group(
            name=request.name, jobs=len(states), progress=v1.Progress(done=ended, total=len(states)), **counts
        )
        return v1.GetGroupResponse(group=group, revision=self._shelf.revision, cursor="grouped")

    def CancelGroup(self, request: v1.CancelGroupRequest, context: grpc.ServicerContext) -> v1.CancelGroupResponse:
        self._shelf.bulk.append(request)
        found = [job for job in self._members(request.name, context) if job.state not in TERMINAL]
        return v1.CancelGroupResponse(cancel_count=self._move(found, v1.JOB_STATE_CANCELLED, request.validate_only))

    def _members(self, group: str, context: grpc.ServicerContext) -> list[v1.Job]:
        found = self._shelf.matching(v1.JobFilter(groups=[group]))
        if not found:
            refuse(context, grpc.StatusCode.NOT_FOUND, f"no group {group!r}", "GROUP_NOT_FOUND")
        return found

    def _move(self, jobs: list[v1.Job], state: v1.JobState.ValueType, validate_only: bool) -> int:
        if not validate_only:
            for job in jobs:
                job.state = state
        return len(jobs)


class ScriptedSchedules(v1.ScheduleServiceServicer):
    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    def _find(self, name: str, context: grpc.ServicerContext) -> v1.Schedule:
        if name not in self._shelf.schedules:
            refuse(context, grpc.StatusCode.NOT_FOUND, f"no schedule {name!r}", "SCHEDULE_NOT_FOUND")
        return self._shelf.schedules[name]

    def Create(
        self, request: v1.ScheduleServiceCreateRequest, context: grpc.ServicerContext
    ) -> v1.ScheduleServiceCreateResponse:
        name = request.schedule.name
        if name in self._shelf.schedules:
            refuse(context, grpc.StatusCode.ALREADY_EXISTS, f"there is a schedule {name!r}", "SCHEDULE_EXISTS")
        made = v1.Schedule()
        made.CopyFrom(request.schedule)
        for ahead in range(5):
            made.next_fire_times.add(seconds=1_900_000_000 + 60 * ahead)
        made.revision = 1
        if not request.validate_only:
            self._shelf.schedules[name] = made
        return v1.ScheduleServiceCreateResponse(schedule=made)

    def Get(
        self, request: v1.ScheduleServiceGetRequest, context: grpc.ServicerContext
    ) -> v1.ScheduleServiceGetResponse:
        return v1.ScheduleServiceGetResponse(schedule=self._find(request.name, context))

    def List(
        self, request: v1.ScheduleServiceListRequest, context: grpc.ServicerContext
    ) -> v1.ScheduleServiceListResponse:
        found = [self._shelf.schedules[name] for name in sorted(self._shelf.schedules)]
        return v1.ScheduleServiceListResponse(schedules=found)

    def Update(
        self, request: v1.ScheduleServiceUpdateRequest, context: grpc.ServicerContext
    ) -> v1.ScheduleServiceUpdateResponse:
        self._shelf.schedule_updates.append(request)
        found = self._find(request.schedule.name, context)
        request.update_mask.MergeMessage(request.schedule, found, replace_message_field=True)
        return v1.ScheduleServiceUpdateResponse(schedule=found)

    def Delete(
        self, request: v1.ScheduleServiceDeleteRequest, context: grpc.ServicerContext
    ) -> v1.ScheduleServiceDeleteResponse:
        self._find(request.name, context)
        del self._shelf.schedules[request.name]
        return v1.ScheduleServiceDeleteResponse()

    def Pause(
        self, request: v1.ScheduleServicePauseRequest, context: grpc.ServicerContext
    ) -> v1.ScheduleServicePauseResponse:
        found = self._find(request.name, context)
        found.paused = True
        return v1.ScheduleServicePauseResponse(schedule=found)

    def Resume(
        self, request: v1.ScheduleServiceResumeRequest, context: grpc.ServicerContext
    ) -> v1.ScheduleServiceResumeResponse:
        found = self._find(request.name, context)
        found.paused = False
        return v1.ScheduleServiceResumeResponse(schedule=found)

    def Trigger(
        self, request: v1.ScheduleServiceTriggerRequest, context: grpc.ServicerContext
    ) -> v1.ScheduleServiceTriggerResponse:
        self._shelf.triggered.append(request)
        found = self._find(request.name, context)
        if any(job.state not in TERMINAL for job in self._shelf.matching(v1.JobFilter(schedules=[request.name]))):
            refuse(context, grpc.StatusCode.FAILED_PRECONDITION, "an earlier job has not ended", "SCHEDULE_OVERLAP")
        job = self._shelf.add(found.spec.kind, schedule=request.name)
        return v1.ScheduleServiceTriggerResponse(job=job, cursor="triggered")


class ScriptedQueues(v1.QueueServiceServicer):
    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    def GetQueue(self, request: v1.GetQueueRequest, context: grpc.ServicerContext) -> v1.GetQueueResponse:
        if request.name not in self._shelf.queues:
            refuse(context, grpc.StatusCode.NOT_FOUND, f"no queue {request.name!r}", "QUEUE_NOT_FOUND")
        return v1.GetQueueResponse(queue=self._shelf.queues[request.name])

    def ListQueues(self, request: v1.ListQueuesRequest, context: grpc.ServicerContext) -> v1.ListQueuesResponse:
        return v1.ListQueuesResponse(queues=[self._shelf.queues[name] for name in sorted(self._shelf.queues)])

    def UpdateQueue(self, request: v1.UpdateQueueRequest, context: grpc.ServicerContext) -> v1.UpdateQueueResponse:
        self._shelf.queue_updates.append(request)
        queue = self._shelf.queues.setdefault(request.queue.name, v1.Queue(name=request.queue.name))
        request.update_mask.MergeMessage(request.queue, queue, replace_message_field=True)
        return v1.UpdateQueueResponse(queue=queue)

    def ListSlots(self, request: v1.ListSlotsRequest, context: grpc.ServicerContext) -> v1.ListSlotsResponse:
        running = [job for job in self._shelf.jobs.values() if job.state == v1.JOB_STATE_RUNNING]
        holders = [
            v1.SlotHolder(
                job_id=job.id, attempt=job.attempt, kind=job.spec.kind, queue=job.spec.queue, start_time=job.start_time
            )
            for job in running
        ]
        parts = [v1.QueueSlots(queue="default", running=len(running))] if running else []
        return v1.ListSlotsResponse(
            slots=max(self._shelf.slots, len(running)),
            free=max(self._shelf.slots - len(running), 0),
            running=len(running),
            holders=holders,
            queues=parts,
            revision=self._shelf.revision,
            limit=self._shelf.slots,
            pools=self._shelf.pools,
        )

    def UpdateSlots(self, request: v1.UpdateSlotsRequest, context: grpc.ServicerContext) -> v1.UpdateSlotsResponse:
        self._shelf.slots = request.slots
        return v1.UpdateSlotsResponse(slots=request.slots)

    def GetStats(self, request: v1.GetStatsRequest, context: grpc.ServicerContext) -> v1.GetStatsResponse:
        counters = v1.Counters(queued=len(self._shelf.jobs), submitted=len(self._shelf.jobs))
        kinds = {job.spec.kind: counters for job in self._shelf.jobs.values()}
        return v1.GetStatsResponse(
            revision=self._shelf.revision, counters=counters, queues={"default": counters}, kinds=kinds
        )

    def ListServers(self, request: v1.ListServersRequest, context: grpc.ServicerContext) -> v1.ListServersResponse:
        return v1.ListServersResponse(servers=self._shelf.servers)


class ScriptedWorkers(v1.WorkerServiceServicer):
    """WorkerService as the shelf has it."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    def ListWorkers(self, request: v1.ListWorkersRequest, context: grpc.ServicerContext) -> v1.ListWorkersResponse:
        return v1.ListWorkersResponse(workers=self._shelf.workers)

    def DrainWorker(self, request: v1.DrainWorkerRequest, context: grpc.ServicerContext) -> v1.DrainWorkerResponse:
        worker = next((one for one in self._shelf.workers if one.id == request.worker_id), None)
        if worker is None:
            context.abort(grpc.StatusCode.NOT_FOUND, f"no worker {request.worker_id!r}")
        worker.draining = True
        return v1.DrainWorkerResponse(worker=worker)

    def Work(self, request_iterator: Iterator[v1.WorkRequest], context: grpc.ServicerContext) -> NoReturn:
        context.abort(grpc.StatusCode.UNIMPLEMENTED, "nobody works here")

    def ReadResults(self, request: v1.ReadResultsRequest, context: grpc.ServicerContext) -> NoReturn:
        context.abort(grpc.StatusCode.UNIMPLEMENTED, "nobody works here")
