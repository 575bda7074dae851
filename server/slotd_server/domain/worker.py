"""Workers: processes elsewhere that run jobs for a server."""

from enum import Enum, auto
from typing import NamedTuple

from slotd_server.domain.job import Job


class Worker(NamedTuple):
    """Who a worker is. `id` is new for each life of it, `name` need not be unique, `client` is the library that it
    uses; `start_time` is when it connected first, in microseconds since the epoch."""

    id: str
    name: str = ""
    client: str = ""
    start_time: int = 0


class Claimed(NamedTuple):
    """What a worker says that it has: one claim of one job."""

    job_id: str
    fence: int


class WorkerStatus(NamedTuple):
    """What a server tells of a worker that is connected to it, or was less than a lease ago. `kinds` are sorted."""

    worker: Worker
    kinds: tuple[str, ...]
    slots: int
    running: int
    zombie: int
    draining: bool
    connected: bool


class Standing(Enum):
    """What the ledger knows of a lease: its function runs for an attempt, or outlives it, or is no business of this
    server's."""

    RUNNING = auto()
    ZOMBIE = auto()
    NONE = auto()


def runs_on(job: Job) -> str:
    """The id of the worker that has the job's last attempt; empty where that is the server itself."""
    return job.attempts[-1].worker if job.attempts else ""
