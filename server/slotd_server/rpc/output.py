"""ReadOutput: what a job wrote, in pieces; with `follow` until the job is terminal."""

from collections.abc import AsyncIterator
from functools import partial

from slotd import v1
from slotd_server.domain.errors import NotFound, OffsetOutOfRange
from slotd_server.domain.job import Job
from slotd_server.events import EventLog
from slotd_server.reads import Reads
from slotd_server.rpc import validate
from slotd_server.store.base import Snapshot

_PIECE = 64 << 10
"""Bytes in one message at most."""

_READ = 4 * _PIECE
"""Bytes that one query reads at most, and so what a reader who is slow costs."""


async def read(reads: Reads, log: EventLog, request: v1.ReadOutputRequest) -> AsyncIterator[v1.ReadOutputResponse]:
    """See JobService.ReadOutput. Raises NotFound, also when the job is deleted meanwhile, and OffsetOutOfRange."""
    validate.check(request)
    offset = request.offset
    while True:
        known = log.revision
        job, data = await reads(partial(_look, request.id, offset))
        terminal, size = job.state.terminal, job.output_size
        if terminal and offset > size:
            raise OffsetOutOfRange(offset, size)
        caught_up = offset + len(data) >= size
        for start in range(0, len(data), _PIECE):
            piece = data[start : start + _PIECE]
            last = terminal and caught_up and start + len(piece) == len(data)
            yield v1.ReadOutputResponse(
                offset=offset + start, data=piece, eof=last, truncated=last and job.output_truncated
            )
        if caught_up:
            if terminal:
                if not data:
                    yield v1.ReadOutputResponse(offset=offset, eof=True, truncated=job.output_truncated)
                return
            if not request.follow:
                return
            # What was committed before the query has been seen, so the log need not remember it.
            await log.wait_for(request.id, max(known, job.revision))
        offset += len(data)


def _look(job_id: str, offset: int, snapshot: Snapshot) -> tuple[Job, bytes]:
    job = snapshot.job(job_id)
    if job is None:
        raise NotFound("job", job_id)
    return job, snapshot.output(job, offset, _READ) if offset < job.output_size else b""
