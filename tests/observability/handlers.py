"""Handlers that log, each in its own way, and one that tells too much."""

import asyncio
import logging

import structlog

from slotd import JobContext, job

log = logging.getLogger("shop.shelves")
structured = structlog.get_logger()


@job("logging")
def with_logging(ctx: JobContext, payload: object) -> None:
    log.info("from %s", "logging", extra={"shelf": 3})
    try:
        raise LookupError("no such shelf")
    except LookupError:
        log.exception("it was not there")


@job("structlog")
def with_structlog(ctx: JobContext, payload: object) -> None:
    structured.info("from structlog", shelf=4)


@job("coroutine")
async def with_coroutine(ctx: JobContext, payload: object) -> None:
    log.info("from a task")
    await asyncio.to_thread(log.info, "from its thread")


@job("process", isolation="process")
def in_process(ctx: JobContext, payload: object) -> None:
    log.info("from a process", extra={"shelf": 5})


@job("tells", max_attempts=2, initial_backoff=0)
def tells(ctx: JobContext, secret: str) -> str:
    """Fails the first time."""
    ctx.write(secret)
    ctx.progress(1, 2, secret)
    if ctx.attempt == 1:
        raise ValueError(secret)
    return secret
