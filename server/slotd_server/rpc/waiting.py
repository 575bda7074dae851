"""Waiting for a job to end."""

import asyncio
from functools import partial

from slotd_server.domain.errors import NotFound
from slotd_server.domain.job import Job
from slotd_server.events import EventLog
from slotd_server.reads import Reads
from slotd_server.store.base import Snapshot


async def until_terminal(reads: Reads, log: EventLog, job_id: str, seconds: float | None = None) -> Job:
    """The job when it is terminal, or as it is after so many seconds. Raises NotFound, also when it is deleted."""
    known = log.revision
    job = await reads(partial(get, job_id))
    try:
        async with asyncio.timeout(seconds):
            while not job.state.terminal:
                # What was committed before the query has been seen, so the log need not remember it.
                await log.wait_for(job_id, max(known, job.revision))
                known = log.revision
                job = await reads(partial(get, job_id))
    except TimeoutError:
        # No answer in time is an answer too: the job as it is.
        pass
    return job


def get(job_id: str, snapshot: Snapshot) -> Job:
    """The job as it is there. Raises NotFound."""
    job = snapshot.job(job_id)
    if job is None:
        raise NotFound("job", job_id)
    return job
