"""The bare server: the same messages over the same gRPC library, and no work behind them. What it can do is the
most that any server in this language could.

`python -m bench.bare --ready-file PATH`; ends on SIGTERM.
"""

import argparse
import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import grpc
import grpc.aio

from slotd import v1

EVENTS_PER_MESSAGE = 256
"""As many as slotd puts into a message when it has them."""

_ID = "01941f29-7c00-7000-8000-0123456789ab"
_CURSOR = "AZQfKXwAcAAAAASNRWeJq80AAAAAAAAw"
_TIME = 1_763_780_000


def ready_made_job() -> v1.Job:
    """A job with the same fields as slotd's for the same spec, so that it takes about the same number of bytes."""
    job = v1.Job(id=_ID, state=v1.JOB_STATE_QUEUED, revision=12_345)
    job.spec.kind = "noop"
    job.spec.queue = "default"
    job.spec.priority = 0
    job.spec.retry.max_attempts = 3
    job.spec.retry.initial_backoff.seconds = 1
    job.spec.retry.max_backoff.seconds = 600
    job.spec.retry.multiplier = 2.0
    job.spec.retry.jitter = 0.1
    job.create_time.seconds = _TIME
    job.create_time.nanos = 123_456_000
    return job


def ready_made_events(count: int) -> list[bytes]:
    """Messages with `count` events in all, serialised."""
    event = v1.JobEvent(revision=12_345, type=v1.EVENT_TYPE_CREATED, job=ready_made_job())
    event.time.CopyFrom(event.job.create_time)
    messages = []
    for start in range(0, count, EVENTS_PER_MESSAGE):
        size = min(EVENTS_PER_MESSAGE, count - start)
        response = v1.StreamResponse(events=[event] * size, cursor=_CURSOR, revision=start + size)
        messages.append(response.SerializeToString())
    return messages


class Jobs:
    """Answers each call from what it has ready."""

    def __init__(self) -> None:
        self._job = ready_made_job()
        self._batches: dict[int, v1.SubmitBatchResponse] = {}
        self._streams: dict[int, list[bytes]] = {}

    async def submit(self, _request: v1.SubmitRequest, _context: Any) -> v1.SubmitResponse:
        return v1.SubmitResponse(job=self._job, cursor=_CURSOR)

    async def submit_batch(self, request: v1.SubmitBatchRequest, _context: Any) -> v1.SubmitBatchResponse:
        """As many jobs as were sent."""
        count = len(request.requests)
        answer = self._batches.get(count)
        if answer is None:
            answer = self._batches[count] = v1.SubmitBatchResponse(jobs=[self._job] * count, cursor=_CURSOR)
        return answer

    async def stream(self, request: v1.StreamRequest, _context: Any) -> AsyncIterator[bytes]:
        """As many events as the cursor says; without one nothing, until the caller goes away."""
        if not request.cursor:
            await asyncio.Event().wait()
        count = int(request.cursor)
        messages = self._streams.get(count)
        if messages is None:
            messages = self._streams[count] = ready_made_events(count)
        for message in messages:
            yield message


def _handler(jobs: Jobs) -> grpc.GenericRpcHandler:
    return grpc.method_handlers_generic_handler(
        "slotd.v1.JobService",
        {
            "Submit": grpc.unary_unary_rpc_method_handler(
                jobs.submit,
                request_deserializer=v1.SubmitRequest.FromString,
                response_serializer=v1.SubmitResponse.SerializeToString,
            ),
            "SubmitBatch": grpc.unary_unary_rpc_method_handler(
                jobs.submit_batch,
                request_deserializer=v1.SubmitBatchRequest.FromString,
                response_serializer=v1.SubmitBatchResponse.SerializeToString,
            ),
            "Stream": grpc.unary_stream_rpc_method_handler(
                jobs.stream, request_deserializer=v1.StreamRequest.FromString
            ),
        },
    )


async def serve(jobs: Callable[[], Jobs], announce: Callable[[str], object]) -> None:
    """Until SIGTERM. `jobs` is called on the event loop; `announce` gets the address."""
    server = grpc.aio.server(options=(("grpc.so_reuseport", 0), ("grpc.max_receive_message_length", 32 << 20)))
    server.add_generic_rpc_handlers((_handler(jobs()),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    announce(f"127.0.0.1:{port}\n")
    await stopping.wait()
    await server.stop(None)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.bare")
    parser.add_argument("--ready-file", type=Path, required=True)
    ready_file: Path = parser.parse_args().ready_file
    asyncio.run(serve(Jobs, ready_file.write_text))
