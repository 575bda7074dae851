"""A model of queues that keep jobs in PostgreSQL and give each a statement of its own, as River and Procrastinate do:
one row is inserted, one is claimed with FOR UPDATE SKIP LOCKED and set to running, one is set to done, each by a
statement that commits by itself. There are no events or revisions, limits, leases, retries or counters, and no service
in front: whoever submits or works has a connection of its own.

`python -m bench.row_by_row URL PROCESSES JOBS along|ahead` prints a `Run` as JSON. With `along` the jobs are inserted
while others are worked on, by as many connections as work, and that is part of the time; with `ahead` all are there
before.
"""

import json
import multiprocessing
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Barrier
from typing import Literal, TypeAlias, TypedDict

import psycopg

from bench.machine import cpu_seconds
from bench.postgres import Costs, Meter, per_job

Way: TypeAlias = Literal["along", "ahead"]

WORKERS = 8
"""In each process."""

_WAITING, _RUNNING, _DONE = 0, 1, 2
_IDLE_SECONDS = 0.002
_READY_SECONDS = 60
_LONGEST_SECONDS = 600

_SCHEMA = """
    DROP TABLE IF EXISTS job;
    CREATE TABLE job (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        queue text NOT NULL,
        kind text NOT NULL,
        arguments jsonb NOT NULL DEFAULT '{}',
        priority smallint NOT NULL DEFAULT 0,
        state smallint NOT NULL DEFAULT 0,
        attempt smallint NOT NULL DEFAULT 0,
        worker text,
        create_time timestamptz NOT NULL DEFAULT now(),
        start_time timestamptz,
        end_time timestamptz
    ) WITH (fillfactor = 70);
    CREATE INDEX job_waiting ON job (queue, priority, id) WHERE state = 0;
"""
_FILL = "INSERT INTO job (queue, kind) SELECT 'default', 'noop' FROM generate_series(1, %s)"
_SUBMIT = "INSERT INTO job (queue, kind) VALUES (%s, %s) RETURNING id"
_CLAIM = f"""WITH next AS (
        SELECT id FROM job WHERE state = {_WAITING} AND queue = %s ORDER BY priority, id LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    UPDATE job SET state = {_RUNNING}, attempt = attempt + 1, worker = %s, start_time = now()
    FROM next WHERE job.id = next.id RETURNING job.id, kind, arguments, attempt"""
_FINISH = f"UPDATE job SET state = {_DONE}, end_time = now() WHERE id = %s AND attempt = %s AND state = {_RUNNING}"
_COUNT = f"SELECT COUNT(*) FROM job WHERE state = {_DONE}"


class Run(TypedDict):
    """Jobs a second, and what each of them cost."""

    rate: float
    costs: Costs


class Lost(Exception):
    """Not as many jobs are done as there were."""


def run(url: str, processes: int, jobs: int, way: Way) -> Run:
    """Put so many jobs through so many processes of 8 workers. Raises Lost, and BrokenBarrierError if one failed."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_SCHEMA)
        if way == "ahead":
            connection.execute(_FILL, (jobs,))
        connection.execute("CHECKPOINT")
        found = _timed(url, processes, jobs, way)
        ((done,),) = connection.execute(_COUNT).fetchall()
    if done != jobs:
        raise Lost(f"of {jobs} jobs {done} are done")
    return found


def _timed(url: str, processes: int, jobs: int, way: Way) -> Run:
    spawning = multiprocessing.get_context("spawn")
    turn = spawning.Barrier(processes + 1)
    shares = [jobs // processes + (number < jobs % processes) for number in range(processes)]
    workers: list[BaseProcess] = [
        spawning.Process(target=_process, args=(url, share if way == "along" else 0, turn)) for share in shares
    ]
    meter = Meter(url)
    for worker in workers:
        worker.start()
    turn.wait(_READY_SECONDS)
    before = _reading(meter, workers)
    turn.wait()
    began = time.perf_counter()
    turn.wait(_LONGEST_SECONDS)
    seconds = time.perf_counter() - began
    after = _reading(meter, workers)
    turn.wait()
    for worker in workers:
        worker.join()
    meter.close()
    return Run(rate=jobs / seconds, costs=per_job(before, after, jobs))


def _reading(meter: Meter, workers: Sequence[BaseProcess]) -> Costs:
    used = sum(cpu_seconds(worker.pid) for worker in workers if worker.pid is not None)
    return {**meter.read(), "the servers' processor time": used * 1e6}


def _process(url: str, submits: int, turn: Barrier) -> None:
    """All connect; then, when it is this process's turn, it does its part; then it waits until all have done theirs."""
    try:
        with ExitStack() as stack, ThreadPoolExecutor(2 * WORKERS) as threads:
            working, submitting = (
                [stack.enter_context(_connect(url)) for _ in range(WORKERS if wanted else 0)]
                for wanted in (True, submits > 0)
            )
            turn.wait(_READY_SECONDS)
            turn.wait()
            filled = threading.Event()
            done = [threads.submit(_work, connection, filled) for connection in working]
            left = iter(range(submits))
            try:
                for submitted in [threads.submit(_submit, connection, left) for connection in submitting]:
                    submitted.result()
            finally:
                filled.set()
            for one in done:
                one.result()
            turn.wait(_LONGEST_SECONDS)
            turn.wait()
    except BaseException:
        # The others need not wait.
        turn.abort()
        raise


def _connect(url: str) -> psycopg.Connection:
    connection = psycopg.connect(url, autocommit=True)
    # The planner knows nothing yet of a table that has just been filled.
    connection.execute("SET enable_seqscan = off")
    return connection


def _submit(connection: psycopg.Connection, left: Iterator[int]) -> None:
    """Insert a job for each that is left; others take from the same."""
    for _ in left:
        connection.execute(_SUBMIT, ("default", "noop")).fetchone()


def _work(connection: psycopg.Connection, filled: threading.Event) -> None:
    """Claim and end one job after the other, until none waits and none of this process's is still to come."""
    name = threading.current_thread().name
    while True:
        last = filled.is_set()
        claimed = connection.execute(_CLAIM, ("default", name)).fetchone()
        if claimed is not None:
            job, _, _, attempt = claimed
            connection.execute(_FINISH, (job, attempt))
        elif last:
            return
        else:
            filled.wait(_IDLE_SECONDS)


if __name__ == "__main__":
    way: Way = "along" if sys.argv[4] == "along" else "ahead"
    print(json.dumps(run(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), way)))
