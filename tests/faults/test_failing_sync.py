"""A sync that fails: nothing is acknowledged any more, the service stops and says why, and the next start finds all
that was acknowledged. It fails in the kernel's stead where there is a C compiler, and in SQLite's stead everywhere."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import grpc
import pytest

from slotd.v1 import (
    GetRequest,
    Job,
    JobSpec,
    Payload,
    StreamRequest,
    SubmitRequest,
    SubmitResponse,
)
from tests.faults.conftest import Serve
from tests.faults.preload import FailingSync, why_no_preload
from tests.faults.process import PATIENCE, ServerProcess
from tests.service import Endpoint

_CHECKPOINT_BYTES = 64 << 10
_SUBMITS = 100
"""Submits within which there is a checkpoint."""

StartFailing: TypeAlias = Callable[[Serve, Path], tuple[ServerProcess, Callable[[], None]]]


def _in_sqlite(fault: str) -> StartFailing:
    def start(serve: Serve, folder: Path) -> tuple[ServerProcess, Callable[[], None]]:
        # Behind those of the start.
        server = serve(slots=0, fault=f"{fault}:{8 if 'commit' in fault else 2}", checkpoint_bytes=_CHECKPOINT_BYTES)
        # It comes by itself.
        return server, lambda: None

    start.__name__ = f"sqlite-{fault}"
    return start


def _in_the_kernel(ending: str) -> StartFailing:
    def start(serve: Serve, folder: Path) -> tuple[ServerProcess, Callable[[], None]]:
        sync = FailingSync(folder)
        server = serve(slots=0, checkpoint_bytes=_CHECKPOINT_BYTES, environment=sync.environment)
        return server, lambda: sync.fail(ending)

    start.__name__ = f"kernel-{ending.strip('-.')}"
    return start


# Without a compiler two of the tests are not there, rather than skipped: what the service sees is the same in all.
_FAULTS = [_in_sqlite("sync-of-commit"), _in_sqlite("sync-of-checkpoint")]
if not why_no_preload():
    _FAULTS += [_in_the_kernel("-wal"), _in_the_kernel("jobs.db")]


@pytest.mark.parametrize("start", _FAULTS, ids=lambda start: start.__name__)
def test_a_failing_sync_stops_the_service(serve: Serve, tmp_path: Path, start: StartFailing) -> None:
    server, fail = start(serve, tmp_path)
    at = server.connect()
    stream = at.jobs.Stream(StreamRequest(), timeout=PATIENCE)
    accepted = [_submit(at, number) for number in range(3)]
    fail()
    refused = None
    while refused is None:
        assert len(accepted) < _SUBMITS
        try:
            accepted.append(_submit(at, len(accepted)))
        except grpc.RpcError as error:
            refused = error
    assert refused.code() is grpc.StatusCode.UNAVAILABLE
    with pytest.raises(grpc.RpcError) as ended:
        for _ in stream:
            pass
    assert ended.value.code() is grpc.StatusCode.UNAVAILABLE
    assert server.wait() == 1
    assert [line["cause"] for line in server.logged() if line["level"] == "error"] == [
        "the store failed (SQLITE_IOERR_FSYNC)"
    ]
    assert "Traceback" not in server.log.read_text()

    again = serve(slots=0).connect()
    for job in accepted:
        assert again.jobs.Get(GetRequest(id=job.id)).job == job
    # The refused one is there or it is not; asked for once more, it is there once.
    _submit(again, len(accepted))
    assert len(list(again.client.list())) == len(accepted) + 1


def _submit(at: Endpoint, number: int) -> Job:
    spec = JobSpec(kind="echo", payload=Payload(data=b"x" * 4096))
    answer: SubmitResponse = at.jobs.Submit(SubmitRequest(spec=spec, request_id=str(number)), timeout=PATIENCE)
    return answer.job
