"""The aio client: the same surface as `slotd.Client`, for asyncio."""

from __future__ import annotations

import asyncio
import random
import time
import weakref
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar, Unpack, cast, overload

import grpc
import grpc.aio
from google.protobuf.timestamp_pb2 import Timestamp

from slotd import requests
from slotd.aio_queues import QueueMethods
from slotd.aio_schedules import ScheduleMethods
from slotd.aio_streams import EventStream, JobPages, OutputStream, Sleep, task_is_cancelled
from slotd.aio_workers import WorkerMethods
from slotd.channel import DEFAULT_ADDRESS, check_address, open_aio_channel
from slotd.errors import Cancelled
from slotd.jobspec import Span, SpecFields, seconds
from slotd.outage import Backoff
from slotd.peer import BULK_TIMEOUT, DEFAULT_TIMEOUT, Peer
from slotd.progress import WaitProgress
from slotd.requests import KEEP, Delivery, FilterFields, Keep, ToSubmit, View
from slotd.ties import JobRef, job_id
from slotd.v1 import (
    job_pb2,
    job_service_pb2,
    job_service_pb2_grpc,
    queue_service_pb2_grpc,
    schedule_service_pb2_grpc,
    worker_service_pb2_grpc,
)

if TYPE_CHECKING:
    from grpc.aio import UnaryUnaryMultiCallable

    from slotd.v1.job_service_pb2_grpc import JobServiceAsyncStub
    from slotd.v1.queue_service_pb2_grpc import QueueServiceAsyncStub
    from slotd.v1.schedule_service_pb2_grpc import ScheduleServiceAsyncStub
    from slotd.v1.worker_service_pb2_grpc import WorkerServiceAsyncStub

__all__ = ["Client", "EventStream", "JobPages", "OutputStream"]

Q = TypeVar("Q")
A = TypeVar("A")

# `list` is a method below.
Jobs = list[job_pb2.Job]


class Client(QueueMethods, ScheduleMethods, WorkerMethods):
    """A connection to one slotd service, for one event loop. Close it, or use it in an `async with`.

    What holds for `slotd.Client` holds here: arguments, errors, what is repeated and what is not. The unary methods are
    coroutines; `stream`, `read_output` and `list` are called in a running loop and return what `async for` takes.
    The channel is opened with the first call, so that a client may be made before the loop runs.

    `sleep` waits for so many seconds, for tests; the other arguments are those of `slotd.Client`.
    """

    def __init__(
        self,
        address: str = DEFAULT_ADDRESS,
        *,
        timeout: Span | None = DEFAULT_TIMEOUT,
        metadata: Iterable[tuple[str, str | bytes]] | None = None,
        credentials: grpc.ChannelCredentials | None = None,
        channel: grpc.aio.Channel | None = None,
        options: Iterable[tuple[str, Any]] = (),
        reconnect: Backoff | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Sleep = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        check_address(address)
        self._peer = Peer(
            address,
            timeout=timeout,
            metadata=metadata,
            reconnect=reconnect or Backoff(),
            clock=clock,
            chance=chance,
        )
        self._credentials = credentials
        self._options = tuple(options)
        self._channel = channel
        self._owns_channel = channel is None
        self._job_stub: JobServiceAsyncStub | None = None
        self._queue_stub: QueueServiceAsyncStub | None = None
        self._schedule_stub: ScheduleServiceAsyncStub | None = None
        self._worker_stub: WorkerServiceAsyncStub | None = None
        self._sleep = sleep
        self._closed = False
        self._streams: weakref.WeakSet[EventStream | OutputStream] = weakref.WeakSet()

    @property
    def address(self) -> str:
        """The address that the client was made with."""
        return self._peer.address

    async def close(self) -> None:
        """Ends open streams, and the connection if it is the client's own; a call under way then raises Cancelled."""
        self._closed = True
        for stream in list(self._streams):
            stream.close()
        if self._owns_channel and self._channel is not None:
            await self._channel.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def submit(
        self,
        kind: str | job_pb2.JobSpec,
        payload: object = None,
        *,
        request_id: str | None = None,
        validate_only: bool = False,
        traceparent: str = "",
        rpc_timeout: Span | None = None,
        **fields: Unpack[SpecFields],
    ) -> job_pb2.Job:
        """Submits a job, durably once this returns. The fields are those of `slotd.spec`; `timeout` is the attempt's.

        Args:
            kind: which handler runs it; or a whole JobSpec, with neither payload nor fields beside it.
            payload: the handler's argument, JSON unless bytes or a protobuf message.
            request_id: makes the same submit by another call, or after a crash, the same job; a new one by default.
            validate_only: only ask whether it would be taken; the job that comes back has no id.
            traceparent: the trace that the job is to belong to, as W3C Trace Context has it; where OpenTelemetry is in
                use, the current span by default.
        """
        request = requests.submit(kind, payload, request_id, validate_only, fields)
        return (await self._call(self._jobs().Submit, request, rpc_timeout, traceparent=traceparent)).job

    @overload
    async def submit_batch(
        self,
        jobs: Mapping[str, ToSubmit],
        *,
        validate_only: bool = False,
        traceparent: str = "",
        rpc_timeout: Span | None = None,
    ) -> dict[str, job_pb2.Job]: ...

    @overload
    async def submit_batch(
        self,
        jobs: Iterable[ToSubmit],
        *,
        validate_only: bool = False,
        traceparent: str = "",
        rpc_timeout: Span | None = None,
    ) -> Jobs: ...

    async def submit_batch(
        self,
        jobs: Iterable[ToSubmit] | Mapping[str, ToSubmit],
        *,
        validate_only: bool = False,
        traceparent: str = "",
        rpc_timeout: Span | None = None,
    ) -> Jobs | dict[str, job_pb2.Job]:
        """Submits jobs built by `slotd.spec`, in order, all or none, in one call.

        A mapping gives each job a name, its ref, by which others of the batch depend on it, in any order:

            {"cut": slotd.spec("cut"), "sew": slotd.spec("sew", depends_on="cut")}

        The jobs come back in a list or, from a mapping, in a dict with the same keys; without their payloads where
        these are more than 2 MiB. 1,000 jobs and 16 MiB at most. `traceparent` is as for `submit`.
        """
        request = requests.submit_batch(jobs, validate_only)
        made = (await self._call(self._jobs().SubmitBatch, request, rpc_timeout, traceparent=traceparent)).jobs
        return dict(zip(jobs, made, strict=True)) if isinstance(jobs, Mapping) else list(made)

    async def submit_and_wait(
        self,
        kind: str | job_pb2.JobSpec,
        payload: object = None,
        *,
        wait_timeout: Span | None = None,
        request_id: str | None = None,
        traceparent: str = "",
        rpc_timeout: Span | None = None,
        **fields: Unpack[SpecFields],
    ) -> job_pb2.Job:
        """Submits a job and waits for its end: `submit`, then `wait`. Its result: `slotd.decode(job.result)`."""
        job = await self.submit(
            kind, payload, request_id=request_id, traceparent=traceparent, rpc_timeout=rpc_timeout, **fields
        )
        return await self.wait(job, wait_timeout)

    async def send_submit(
        self, request: job_service_pb2.SubmitRequest, *, traceparent: str = "", rpc_timeout: Span | None = None
    ) -> job_service_pb2.SubmitResponse:
        """Submit as a message, for the cursor in its answer; a request_id is added where there is none."""
        identified = requests.with_request_id(request)
        return await self._call(self._jobs().Submit, identified, rpc_timeout, traceparent=traceparent)

    async def send_submit_batch(
        self, request: job_service_pb2.SubmitBatchRequest, *, traceparent: str = "", rpc_timeout: Span | None = None
    ) -> job_service_pb2.SubmitBatchResponse:
        """SubmitBatch as a message, for the cursor in its answer; request_ids are added where there are none."""
        identified = job_service_pb2.SubmitBatchRequest(
            requests=[requests.with_request_id(one) for one in request.requests]
        )
        return await self._call(self._jobs().SubmitBatch, identified, rpc_timeout, traceparent=traceparent)

    async def get(self, job: JobRef, *, view: View = None, rpc_timeout: Span | None = None) -> job_pb2.Job:
        """Tells how a job is, in full by default."""
        request = requests.get(job, view)
        return (await self._call(self._jobs().Get, request, rpc_timeout)).job

    async def list_page(
        self,
        *,
        page_size: int = 0,
        page_token: str = "",
        view: View = None,
        order_by: str = "",
        filter: job_pb2.JobFilter | None = None,
        rpc_timeout: Span | None = None,
        **fields: Unpack[FilterFields],
    ) -> job_service_pb2.ListResponse:
        """One page of `list`, with the token of the next one, and the cursor to stream from."""
        request = requests.list_jobs(filter, fields, page_size, page_token, view, order_by)
        return await self._call(self._jobs().List, request, rpc_timeout)

    async def wait(
        self,
        job: JobRef,
        timeout: Span | None = None,  # noqa: ASYNC109 - the same surface as the sync client's
        *,
        view: View = None,
    ) -> job_pb2.Job:
        """Waits until a job is terminal; returns it, or as it is after `timeout`: look at its state.

        It goes on over reconnects and restarts of the service. Raises NotFound also when the job is deleted meanwhile.
        """
        progress = WaitProgress(job_id(job), view, None if timeout is None else seconds(timeout), self._peer.outage())
        while True:
            request, call_timeout = progress.request()
            try:
                answer = await self._jobs().Wait(request, timeout=call_timeout, metadata=self._peer.metadata())
            except asyncio.CancelledError as error:
                if self._cancelled_by_close():
                    raise Cancelled("the client was closed") from error
                raise
            except grpc.RpcError as error:
                refused = self._peer.refused(error)
                delay = progress.failed(refused)
                if delay is None:
                    raise refused from error
                await self._sleep(delay)
                if self._closed:
                    raise refused from error
                continue
            self._peer.answered()
            if progress.answered(answer.job):
                return answer.job

    def stream(
        self,
        *,
        cursor: str = "",
        delivery: Delivery = None,
        view: View = None,
        include_progress: bool = False,
        resume: bool = True,
        filter: job_pb2.JobFilter | None = None,
        **fields: Unpack[FilterFields],
    ) -> EventStream:
        """Streams what happens to the jobs that match, from this moment on or from a cursor.

        Args:
            cursor: where to start; without one the matching jobs come first, as they are.
            delivery: DELIVERY_EVERY, the default, or DELIVERY_LATEST, which may skip steps of a job in between.
            view: BASIC by default: without payloads and results.
            include_progress: tell of progress and output too.
            resume: go on by cursor when the connection or the service goes away; else raise Unavailable or Cancelled.
            filter: a ready filter, to which the fields are added.

        The iterator raises CursorExpired when what comes after the cursor is no longer kept: list the jobs, then
        stream from that list's cursor.
        """
        request = requests.stream(filter, fields, cursor, delivery, view, include_progress)
        stream = EventStream(self._jobs().Stream, request, self._peer, self._sleep, resume)
        self._streams.add(stream)
        return stream

    def read_output(self, job: JobRef, *, offset: int = 0, follow: bool = False) -> OutputStream:
        """Reads what a job wrote, from a byte offset; with `follow` until the job is terminal."""
        request = job_service_pb2.ReadOutputRequest(id=job_id(job), offset=offset, follow=follow)
        stream = OutputStream(self._jobs().ReadOutput, request, self._peer, self._sleep)
        self._streams.add(stream)
        return stream

    async def cancel(self, job: JobRef, *, rpc_timeout: Span | None = None) -> job_pb2.Job:
        """Cancels a job: a waiting one is CANCELLED at once, a running one has `cancel_requested` until it stops."""
        request = job_service_pb2.CancelRequest(id=job_id(job))
        return (await self._call(self._jobs().Cancel, request, rpc_timeout)).job

    async def retry(self, job: JobRef, *, dependents: bool = False, rpc_timeout: Span | None = None) -> job_pb2.Job:
        """Puts a FAILED or CANCELLED job back, with fresh attempts; with `dependents` those too that failed for it."""
        request = job_service_pb2.RetryRequest(id=job_id(job), dependents=dependents)
        return (await self._call(self._jobs().Retry, request, rpc_timeout)).job

    async def update(
        self,
        job: JobRef,
        *,
        priority: int | Literal[Keep.KEEP] = KEEP,
        schedule_time: datetime | Timestamp | Literal[Keep.KEEP] | None = KEEP,
        labels: Mapping[str, str] | Literal[Keep.KEEP] = KEEP,
        queue: str | Literal[Keep.KEEP] = KEEP,
        revision: int = 0,
        rpc_timeout: Span | None = None,
    ) -> job_pb2.Job:
        """Changes what is given of a job that waits.

        Args:
            job: which one.
            priority: higher ones go first.
            schedule_time: not before this time; None for now.
            labels: all of them, in place of those that it has.
            queue: the queue in which it waits from now on.
            revision: the one at which the caller saw the job; 0 for whatever it is.

        Raises RevisionMismatch where the job is no longer at that revision, FailedPrecondition where it does not wait.
        """
        request = requests.update(
            job, priority=priority, schedule_time=schedule_time, labels=labels, queue=queue, revision=revision
        )
        return (await self._call(self._jobs().Update, request, rpc_timeout)).job

    async def delete(self, job: JobRef, *, force: bool = False, rpc_timeout: Span | None = None) -> None:
        """Deletes a terminal job; with `force` any, which is cancelled first."""
        request = job_service_pb2.DeleteRequest(id=job_id(job), force=force)
        await self._call(self._jobs().Delete, request, rpc_timeout)

    async def purge(
        self,
        *,
        validate_only: bool = False,
        filter: job_pb2.JobFilter | None = None,
        rpc_timeout: Span | None = None,
        **fields: Unpack[FilterFields],
    ) -> int:
        """Deletes all terminal jobs that match, without a filter all there are; returns how many. 10 minutes at least.

        `validate_only` only counts them.
        """
        request = job_service_pb2.PurgeRequest(filter=requests.job_filter(filter, fields), validate_only=validate_only)
        return (await self._call(self._jobs().Purge, request, rpc_timeout, BULK_TIMEOUT)).purge_count

    async def bulk_cancel(
        self,
        *,
        validate_only: bool = False,
        filter: job_pb2.JobFilter | None = None,
        rpc_timeout: Span | None = None,
        **fields: Unpack[FilterFields],
    ) -> int:
        """Cancels all jobs that match and have not ended, without a filter all there are; returns how many.

        10 minutes at least, as `purge`; `validate_only` only counts them.
        """
        wanted = requests.job_filter(filter, fields)
        request = job_service_pb2.BulkCancelRequest(filter=wanted, validate_only=validate_only)
        return (await self._call(self._jobs().BulkCancel, request, rpc_timeout, BULK_TIMEOUT)).cancel_count

    async def bulk_retry(
        self,
        *,
        validate_only: bool = False,
        filter: job_pb2.JobFilter | None = None,
        rpc_timeout: Span | None = None,
        **fields: Unpack[FilterFields],
    ) -> int:
        """Puts all FAILED and CANCELLED jobs that match back; otherwise as `bulk_cancel`."""
        wanted = requests.job_filter(filter, fields)
        request = job_service_pb2.BulkRetryRequest(filter=wanted, validate_only=validate_only)
        return (await self._call(self._jobs().BulkRetry, request, rpc_timeout, BULK_TIMEOUT)).retry_count

    async def bulk_delete(
        self,
        *,
        force: bool = False,
        validate_only: bool = False,
        filter: job_pb2.JobFilter | None = None,
        rpc_timeout: Span | None = None,
        **fields: Unpack[FilterFields],
    ) -> int:
        """Deletes all terminal jobs that match, with `force` all, as `delete` does; otherwise as `bulk_cancel`."""
        wanted = requests.job_filter(filter, fields)
        request = job_service_pb2.BulkDeleteRequest(filter=wanted, validate_only=validate_only, force=force)
        return (await self._call(self._jobs().BulkDelete, request, rpc_timeout, BULK_TIMEOUT)).delete_count

    async def get_group(self, name: str, *, rpc_timeout: Span | None = None) -> job_service_pb2.GetGroupResponse:
        """How many jobs of a group are in which state, and how far it has come; with a cursor to stream from."""
        return await self._call(self._jobs().GetGroup, job_service_pb2.GetGroupRequest(name=name), rpc_timeout)

    async def cancel_group(self, name: str, *, validate_only: bool = False, rpc_timeout: Span | None = None) -> int:
        """Cancels all jobs of a group that have not ended; returns how many. Otherwise as `bulk_cancel`."""
        request = job_service_pb2.CancelGroupRequest(name=name, validate_only=validate_only)
        return (await self._call(self._jobs().CancelGroup, request, rpc_timeout, BULK_TIMEOUT)).cancel_count

    def list(
        self,
        *,
        page_size: int = 0,
        view: View = None,
        order_by: str = "",
        filter: job_pb2.JobFilter | None = None,
        rpc_timeout: Span | None = None,
        **fields: Unpack[FilterFields],
    ) -> JobPages:
        """The jobs that match, newest first, over all pages; `list(…).pages()` for the pages.

        Args:
            page_size: jobs in a page; 50 by default, 1,000 at most.
            view: BASIC by default: without payloads and results.
            order_by: `create_time desc`, the default, or `create_time`.
            filter: a ready filter, to which the fields are added.
            rpc_timeout: for each page.
        """
        request = requests.list_jobs(filter, fields, page_size, "", view, order_by)
        return JobPages(lambda page: self._call(self._jobs().List, page, rpc_timeout), request)

    async def _call(
        self,
        method: UnaryUnaryMultiCallable[Q, A],
        request: Q,
        rpc_timeout: Span | None,
        default: float = 0.0,
        *,
        traceparent: str = "",
    ) -> A:
        timeout, metadata = self._peer.timeout(rpc_timeout, default), self._peer.metadata(traceparent)
        try:
            answer = await method(request, timeout=timeout, metadata=metadata)
        except asyncio.CancelledError as error:
            if self._cancelled_by_close():
                raise Cancelled("the client was closed") from error
            raise
        except grpc.RpcError as error:
            raise self._peer.refused(error) from error
        self._peer.answered()
        return answer

    def _cancelled_by_close(self) -> bool:
        # gRPC cancels the calls of a channel that is closed, as if their tasks had been cancelled.
        return self._closed and not task_is_cancelled()

    def _jobs(self) -> JobServiceAsyncStub:
        if self._job_stub is None:
            # One class of stub serves both kinds of channel; only the type checker tells them apart.
            stub = job_service_pb2_grpc.JobServiceStub(self._connected())
            self._job_stub = cast("JobServiceAsyncStub", stub)
        return self._job_stub

    def _queues(self) -> QueueServiceAsyncStub:
        if self._queue_stub is None:
            stub = queue_service_pb2_grpc.QueueServiceStub(self._connected())
            self._queue_stub = cast("QueueServiceAsyncStub", stub)
        return self._queue_stub

    def _schedules(self) -> ScheduleServiceAsyncStub:
        if self._schedule_stub is None:
            stub = schedule_service_pb2_grpc.ScheduleServiceStub(self._connected())
            self._schedule_stub = cast("ScheduleServiceAsyncStub", stub)
        return self._schedule_stub

    def _workers(self) -> WorkerServiceAsyncStub:
        if self._worker_stub is None:
            stub = worker_service_pb2_grpc.WorkerServiceStub(self._connected())
            self._worker_stub = cast("WorkerServiceAsyncStub", stub)
        return self._worker_stub

    def _connected(self) -> grpc.aio.Channel:
        if self._channel is None:
            self._channel = open_aio_channel(self._peer.address, self._credentials, self._options)
        return self._channel
