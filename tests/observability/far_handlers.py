"""A handler for a worker alone."""

import logging

from slotd import JobContext, job

log = logging.getLogger("far.away")


@job("far")
def far(ctx: JobContext, secret: str) -> str:
    log.info("from a worker")
    return secret
