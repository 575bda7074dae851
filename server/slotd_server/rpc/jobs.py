"""JobService: each method parses, calls, translates. What streams, and what is done in bulk, has files of its own."""

from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from time import perf_counter
from typing import NamedTuple, TypeAlias

from slotd import v1
from slotd_server.dispatch import Dispatcher
from slotd_server.domain import commands as ask
from slotd_server.domain.errors import InvalidArgument
from slotd_server.domain.events import JobFilter
from slotd_server.domain.job import SECOND, Job
from slotd_server.events import EventLog
from slotd_server.reads import Reads
from slotd_server.rpc import convert, cursors, encode, output, validate, waiting
from slotd_server.rpc.bulk import Bulk
from slotd_server.rpc.calls import Call, traceparent
from slotd_server.rpc.stream import Streams
from slotd_server.rpc.submissions import Submissions
from slotd_server.store.base import Snapshot

_PAGE_JOBS = 50
_MOST_PAGE_JOBS = 1000

_ANSWER_BYTES = 2 << 20
"""About how much one answer holds at most, below the 4 MiB that clients take by default."""


Submitted: TypeAlias = Callable[[Sequence[Job], float], None]
"""Hears of jobs that somebody submitted, and after how many seconds that is answered."""


class _Range(NamedTuple):
    """Up to `limit` jobs from behind seq `after`."""

    filter: JobFilter
    newest_first: bool
    view: int
    limit: int
    after: int | None


class _Found(NamedTuple):
    """A page: `last` is where the next one goes on, None where there is none."""

    revision: int
    jobs: list[v1.Job]
    last: int | None


class Jobs:
    """The servicer. `store_id` and the `boot` id of the server that started last are in every cursor; the limits are
    bytes."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        reads: Reads,
        log: EventLog,
        streams: Streams,
        store_id: str,
        boot: Callable[[], str],
        *,
        max_payload: int = 1 << 20,
        max_batch: int = 16 << 20,
        submitted: Submitted | None = None,
    ) -> None:
        self._call = dispatcher.call
        self._reads = reads
        self._log = log
        self._store_id = store_id
        self._boot = boot
        self._submitted = submitted
        self._submissions = Submissions(dispatcher.kinds, max_payload=max_payload, max_batch=max_batch)
        self.Stream = streams.Stream
        bulk = Bulk(dispatcher, reads, log)
        self.Delete = bulk.Delete
        self.Purge = bulk.Purge
        self.BulkCancel = bulk.BulkCancel
        self.BulkRetry = bulk.BulkRetry
        self.BulkDelete = bulk.BulkDelete
        self.CancelGroup = bulk.CancelGroup

    async def Submit(self, request: v1.SubmitRequest, call: Call) -> bytes:
        began = perf_counter()
        self._submissions.check(request)
        known = self._log.revision
        draft = convert.draft_from(request, traceparent(call))
        (job,) = await self._call(ask.Submit((draft,), request.validate_only))
        self._answered((job,), began, kept=not request.validate_only)
        return encode.submitted((job,), "" if request.validate_only else self._cursor((job,), known))

    async def SubmitBatch(self, request: v1.SubmitBatchRequest, call: Call) -> bytes:
        began = perf_counter()
        self._submissions.check_batch(request)
        validate_only = request.requests[0].validate_only
        known = self._log.revision
        trace = traceparent(call)
        drafts = tuple([convert.draft_from(one, trace) for one in request.requests])
        jobs: tuple[Job, ...] = await self._call(ask.Submit(drafts, validate_only, batch=True))
        self._answered(jobs, began, kept=not validate_only)
        # Results too: a job that an earlier request made may have one.
        held = sum(len(part.data) for job in jobs for part in (job.spec.payload, job.result) if part is not None)
        cursor = "" if validate_only else self._cursor(jobs, known)
        return encode.submitted(jobs, cursor, whole=held <= _ANSWER_BYTES)

    async def Get(self, request: v1.GetRequest, _: Call) -> v1.GetResponse:
        validate.check(request)
        job = await self._reads(partial(waiting.get, request.id))
        return v1.GetResponse(job=convert.job_message(job, request.view or v1.JOB_VIEW_FULL))

    async def List(self, request: v1.ListRequest, _: Call) -> v1.ListResponse:
        validate.check(request)
        view = request.view or v1.JOB_VIEW_BASIC
        newest_first = validate.newest_first(request.order_by)
        asked = cursors.question("List", request.filter, view, newest_first)
        page = cursors.decode_page(request.page_token, self._store_id, asked) if request.page_token else None
        if page is not None and len(page.last) != _SEQ_BYTES:
            raise InvalidArgument(("page_token", "is not a page token"))
        wanted = _Range(
            filter=convert.filter_from(request.filter),
            newest_first=newest_first,
            view=view,
            limit=min(request.page_size or _PAGE_JOBS, _MOST_PAGE_JOBS),
            after=None if page is None else int.from_bytes(page.last),
        )
        found = await self._reads(partial(_page, wanted))
        first = found.revision if page is None else page.revision
        token = ""
        if found.last is not None:
            last = found.last.to_bytes(_SEQ_BYTES)
            token = cursors.encode_page(self._store_id, asked, cursors.Page(first, last))
        cursor = cursors.encode(self._store_id, self._boot(), first)
        return v1.ListResponse(jobs=found.jobs, next_page_token=token, cursor=cursor)

    async def Wait(self, request: v1.WaitRequest, _: Call) -> v1.WaitResponse:
        validate.check(request)
        seconds = convert.microseconds(request.timeout) / SECOND if request.HasField("timeout") else None
        job = await waiting.until_terminal(self._reads, self._log, request.id, seconds)
        return v1.WaitResponse(job=convert.job_message(job, request.view or v1.JOB_VIEW_FULL))

    def ReadOutput(self, request: v1.ReadOutputRequest, _: Call) -> AsyncIterator[v1.ReadOutputResponse]:
        return output.read(self._reads, self._log, request)

    async def Cancel(self, request: v1.CancelRequest, _: Call) -> v1.CancelResponse:
        validate.check(request)
        return v1.CancelResponse(job=convert.job_message(await self._call(ask.Cancel(request.id))))

    async def Retry(self, request: v1.RetryRequest, _: Call) -> v1.RetryResponse:
        validate.check(request)
        job: Job = await self._call(ask.Retry(request.id, request.dependents))
        return v1.RetryResponse(job=convert.job_message(job))

    async def Update(self, request: v1.UpdateRequest, _: Call) -> v1.UpdateResponse:
        validate.check(request)
        fields = frozenset(request.update_mask.paths)
        job: Job = await self._call(
            ask.Update(request.id, convert.changed_from(request.spec), fields, request.revision)
        )
        return v1.UpdateResponse(job=convert.job_message(job))

    async def GetGroup(self, request: v1.GetGroupRequest, _: Call) -> v1.GetGroupResponse:
        validate.check(request)
        # Of what is committed between here and the answer the stream tells once more, rather than not at all.
        known = self._log.revision
        group = convert.group_message(request.name, await self._call(ask.GetGroup(request.name)))
        cursor = cursors.encode(self._store_id, self._boot(), known)
        return v1.GetGroupResponse(group=group, revision=known, cursor=cursor)

    def _answered(self, jobs: Sequence[Job], began: float, *, kept: bool) -> None:
        if kept and self._submitted is not None:
            self._submitted(jobs, perf_counter() - began)

    def _cursor(self, jobs: tuple[Job, ...], known: int) -> str:
        """Where a stream misses nothing that happens to `jobs` after these copies.

        A job that an earlier request made may have last changed long ago, at a revision that the log no longer has; but
        no later than `known`, the newest revision before the call, can anything have happened that its copy lacks.
        """
        return cursors.encode(self._store_id, self._boot(), max(known, min(job.revision for job in jobs)))


_SEQ_BYTES = 8


def _page(wanted: _Range, snapshot: Snapshot) -> _Found:
    """Reads in steps, so that a thousand large payloads are never in memory together."""
    whole = wanted.view == v1.JOB_VIEW_FULL
    step = 16 if whole else _MOST_PAGE_JOBS + 1
    jobs: list[v1.Job] = []
    after, size = wanted.after, 0
    while True:
        # One more than asked for, to know whether there is another page.
        limit = min(step, wanted.limit + 1 - len(jobs))
        found = snapshot.jobs(wanted.filter, limit, after=after, newest_first=wanted.newest_first, whole=whole)
        for job in found:
            message = convert.job_message(job, wanted.view)
            size += message.ByteSize()
            if len(jobs) == wanted.limit or (jobs and size > _ANSWER_BYTES):
                return _Found(snapshot.revision, jobs, after)
            jobs.append(message)
            after = job.seq
        if len(found) < limit:
            return _Found(snapshot.revision, jobs, None)
