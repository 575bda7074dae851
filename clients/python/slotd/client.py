"""The sync client: every method of every service; Python's own values in, protobuf messages out."""

from __future__ import annotations

import random
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar, Unpack, overload

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from slotd import requests
from slotd.channel import DEFAULT_ADDRESS, open_channel
from slotd.jobspec import Span, SpecFields, seconds
from slotd.outage import Backoff
from slotd.peer import BULK_TIMEOUT, DEFAULT_TIMEOUT, Peer
from slotd.progress import WaitProgress
from slotd.queues import QueueMethods
from slotd.requests import KEEP, Delivery, FilterFields, Keep, ToSubmit, View
from slotd.schedules import ScheduleMethods
from slotd.streams import EventStream, JobPages, OutputStream, Pause
from slotd.ties import JobRef, job_id
from slotd.v1 import (
    job_pb2,
    job_service_pb2,
    job_service_pb2_grpc,
    queue_service_pb2_grpc,
    schedule_service_pb2_grpc,
    worker_service_pb2_grpc,
)
from slotd.workers import WorkerMethods

if TYPE_CHECKING:
    from grpc import UnaryUnaryMultiCallable

Q = TypeVar("Q")
A = TypeVar("A")

# `list` is a method below.
Jobs = list[job_pb2.Job]


class Client(QueueMethods, ScheduleMethods, WorkerMethods):
    """A connection to one slotd service; safe for use by several threads. Close it, or use it in a `with`.

    Every method raises slotd.Error, whose subclasses are the status codes. Calls that are safe to repeat are repeated
    on UNAVAILABLE, up to five times within some two seconds. Those are not whose answer could be wrong then: `retry`,
    `update`, `delete`, `purge`, what works in bulk, and making, changing and deleting schedules. No call waits for a
    service that is not there: it raises slotd.Unavailable.

    `rpc_timeout` is the longest that one unary call may take, its repeats included; without it the client's `timeout`.

    Args:
        address: HOST:PORT, unix:PATH, or any other gRPC target.
        timeout: for each unary call, in seconds or as a timedelta; None for no limit.
        metadata: sent with every call.
        credentials: for TLS; plain text without.
        channel: used instead of a new one, and left open; address, credentials and options then say nothing to it.
        options: gRPC channel arguments, stronger than the client's own.
        reconnect: how streams and waits try again after a cut.
        clock: seconds, for tests.
        pause: waits for so many seconds or until an event is set, for tests.
        chance: a random number from 0 to 1, for tests.

    Raises ValueError for an address that is none.
    """

    def __init__(
        self,
        address: str = DEFAULT_ADDRESS,
        *,
        timeout: Span | None = DEFAULT_TIMEOUT,
        metadata: Iterable[tuple[str, str | bytes]] | None = None,
        credentials: grpc.ChannelCredentials | None = None,
        channel: grpc.Channel | None = None,
        options: Iterable[tuple[str, Any]] = (),
        reconnect: Backoff | None = None,
        clock: Callable[[], float] = time.monotonic,
        pause: Pause = threading.Event.wait,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._peer = Peer(
            address,
            timeout=timeout,
            metadata=metadata,
            reconnect=reconnect or Backoff(),
            clock=clock,
            chance=chance,
        )
        self._own_channel = None if channel is not None else open_channel(address, credentials, options)
        used = channel if channel is not None else self._own_channel
        assert used is not None
        self._jobs = job_service_pb2_grpc.JobServiceStub(used)
        self._queues = queue_service_pb2_grpc.QueueServiceStub(used)
        self._schedules = schedule_service_pb2_grpc.ScheduleServiceStub(used)
        self._workers = worker_service_pb2_grpc.WorkerServiceStub(used)
        self._pause = pause
        self._closed = threading.Event()
        self._streams: weakref.WeakSet[EventStream | OutputStream] = weakref.WeakSet()

    @property
    def address(self) -> str:
        """The address that the client was made with."""
        return self._peer.address

    def close(self) -> None:
        """Ends open streams, and the connection if it is the client's own; a call under way then raises Cancelled."""
        self._closed.set()
        for stream in list(self._streams):
            stream.close()
        if self._own_channel is not None:
            self._own_channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def submit(
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
        return self._call(self._jobs.Submit, request, rpc_timeout, traceparent=traceparent).job

    @overload
    def submit_batch(
        self,
        jobs: Mapping[str, ToSubmit],
        *,
        validate_only: bool = False,
        traceparent: str = "",
        rpc_timeout: Span | None = None,
    ) -> dict[str, job_pb2.Job]: ...

    @overload
    def submit_batch(
        self,
        jobs: Iterable[ToSubmit],
        *,
        validate_only: bool = False,
        traceparent: str = "",
        rpc_timeout: Span | None = None,
    ) -> Jobs: ...

    def submit_batch(
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
        made = self._call(self._jobs.SubmitBatch, request, rpc_timeout, traceparent=traceparent).jobs
        return dict(zip(jobs, made, strict=True)) if isinstance(jobs, Mapping) else list(made)

    def submit_and_wait(
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
        job = self.submit(
            kind, payload, request_id=request_id, traceparent=traceparent, rpc_timeout=rpc_timeout, **fields
        )
        return self.wait(job, wait_timeout)

    def send_submit(
        self, request: job_service_pb2.SubmitRequest, *, traceparent: str = "", rpc_timeout: Span | None = None
    ) -> job_service_pb2.SubmitResponse:
        """Submit as a message, for the cursor in its answer; a request_id is added where there is none."""
        identified = requests.with_request_id(request)
        return self._call(self._jobs.Submit, identified, rpc_timeout, traceparent=traceparent)

    def send_submit_batch(
        self, request: job_service_pb2.SubmitBatchRequest, *, traceparent: str = "", rpc_timeout: Span | None = None
    ) -> job_service_pb2.SubmitBatchResponse:
        """SubmitBatch as a message, for the cursor in its answer; request_ids are added where there are none."""
        identified = job_service_pb2.SubmitBatchRequest(
            requests=[requests.with_request_id(one) for one in request.requests]
        )
        return self._call(self._jobs.SubmitBatch, identified, rpc_timeout, traceparent=traceparent)

    def get(self, job: JobRef, *, view: View = None, rpc_timeout: Span | None = None) -> job_pb2.Job:
        """Tells how a job is, in full by default."""
        request = requests.get(job, view)
        return self._call(self._jobs.Get, request, rpc_timeout).job

    def list_page(
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
        return self._call(self._jobs.List, request, rpc_timeout)

    def wait(self, job: JobRef, timeout: Span | None = None, *, view: View = None) -> job_pb2.Job:
        """Waits until a job is terminal; returns it, or as it is after `timeout`: look at its state.

        It goes on over reconnects and restarts of the service. Raises NotFound also when the job is deleted meanwhile.
        """
        progress = WaitProgress(job_id(job), view, None if timeout is None else seconds(timeout), self._peer.outage())
        while True:
            request, call_timeout = progress.request()
            try:
                answer = self._jobs.Wait(request, timeout=call_timeout, metadata=self._peer.metadata())
            except grpc.RpcError as error:
                refused = self._peer.refused(error)
                delay = progress.failed(refused)
                if delay is None:
                    raise refused from error
                self._pause(self._closed, delay)
                if self._closed.is_set():
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
        stream = EventStream(self._jobs.Stream, request, self._peer, self._pause, resume)
        self._streams.add(stream)
        return stream

    def read_output(self, job: JobRef, *, offset: int = 0, follow: bool = False) -> OutputStream:
        """Reads what a job wrote, from a byte offset; with `follow` until the job is terminal."""
        request = job_service_pb2.ReadOutputRequest(id=job_id(job), offset=offset, follow=follow)
        stream = OutputStream(self._jobs.ReadOutput, request, self._peer, self._pause)
        self._streams.add(stream)
        return stream

    def cancel(self, job: JobRef, *, rpc_timeout: Span | None = None) -> job_pb2.Job:
        """Cancels a job: a waiting one is CANCELLED at once, a running one has `cancel_requested` until it stops."""
        request = job_service_pb2.CancelRequest(id=job_id(job))
        return self._call(self._jobs.Cancel, request, rpc_timeout).job

    def retry(self, job: JobRef, *, dependents: bool = False, rpc_timeout: Span | None = None) -> job_pb2.Job:
        """Puts a FAILED or CANCELLED job back, with fresh attempts; with `dependents` those too that failed for it."""
        request = job_service_pb2.RetryRequest(id=job_id(job), dependents=dependents)
        return self._call(self._jobs.Retry, request, rpc_timeout).job

    def update(
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
        return self._call(self._jobs.Update, request, rpc_timeout).job

    def delete(self, job: JobRef, *, force: bool = False, rpc_timeout: Span | None = None) -> None:
        """Deletes a terminal job; with `force` any, which is cancelled first."""
        self._call(self._jobs.Delete, job_service_pb2.DeleteRequest(id=job_id(job), force=force), rpc_timeout)

    def purge(
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
        return self._call(self._jobs.Purge, request, rpc_timeout, BULK_TIMEOUT).purge_count

    def bulk_cancel(
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
        return self._call(self._jobs.BulkCancel, request, rpc_timeout, BULK_TIMEOUT).cancel_count

    def bulk_retry(
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
        return self._call(self._jobs.BulkRetry, request, rpc_timeout, BULK_TIMEOUT).retry_count

    def bulk_delete(
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
        return self._call(self._jobs.BulkDelete, request, rpc_timeout, BULK_TIMEOUT).delete_count

    def get_group(self, name: str, *, rpc_timeout: Span | None = None) -> job_service_pb2.GetGroupResponse:
        """How many jobs of a group are in which state, and how far it has come; with a cursor to stream from."""
        return self._call(self._jobs.GetGroup, job_service_pb2.GetGroupRequest(name=name), rpc_timeout)

    def cancel_group(self, name: str, *, validate_only: bool = False, rpc_timeout: Span | None = None) -> int:
        """Cancels all jobs of a group that have not ended; returns how many. Otherwise as `bulk_cancel`."""
        request = job_service_pb2.CancelGroupRequest(name=name, validate_only=validate_only)
        return self._call(self._jobs.CancelGroup, request, rpc_timeout, BULK_TIMEOUT).cancel_count

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
        return JobPages(lambda page: self._call(self._jobs.List, page, rpc_timeout), request)

    def _call(
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
            answer = method(request, timeout=timeout, metadata=metadata)
        except grpc.RpcError as error:
            raise self._peer.refused(error) from error
        self._peer.answered()
        return answer
