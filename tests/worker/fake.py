"""A WorkerService that does what a test says, on a real port, and the worker under test in a thread."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue
from typing import Any

import grpc
from google.protobuf import json_format
from google.rpc import error_details_pb2, status_pb2

import slotd
from slotd.handlers import Handler
from slotd.isolation.base import Lease
from slotd.v1 import job_pb2, worker_service_pb2_grpc
from slotd.v1 import worker_service_pb2 as pb
from tests.worker.station import wire

PATIENCE = 10
"""Seconds after which what does not come is missing."""


class Call:
    """One call of Work, from the server's side."""

    def __init__(self, requests: Iterator[pb.WorkRequest], context: grpc.ServicerContext) -> None:
        self._context = context
        self._heard: SimpleQueue[pb.WorkRequest | None] = SimpleQueue()
        self._to_say: SimpleQueue[pb.WorkResponse | tuple[grpc.StatusCode, str] | None] = SimpleQueue()
        self.over = threading.Event()
        context.add_callback(self._end)
        threading.Thread(target=self._listen, args=(requests,), daemon=True).start()
        self.hello = self.next(lambda request: request.HasField("hello"))

    def say(self, **fields: Any) -> None:
        """Sends a response."""
        self._to_say.put(pb.WorkResponse(**fields))

    def welcome(
        self, *held: Lease, lease: float = 60.0, max_result_bytes: int = 1 << 20, max_output_bytes: int = 1 << 22
    ) -> None:
        """Says welcome."""
        welcome = pb.Welcome(
            held=[wire(one) for one in held],
            server="fake",
            max_result_bytes=max_result_bytes,
            max_output_bytes=max_output_bytes,
        )
        welcome.lease.FromMilliseconds(round(lease * 1000))
        self.say(welcome=welcome)

    def assign(self, name: str, kind: str, payload: Any = None, **more: Any) -> Lease:
        """Sends an assignment of a job of that id."""
        lease = Lease(name, 1)
        job = job_pb2.Job(id=name, attempt=1, spec=job_pb2.JobSpec(kind=kind, payload=slotd.encode(payload), **more))
        self.say(assignments=[pb.Assignment(lease=wire(lease), job=job)])
        return lease

    def next(self, wanted: Callable[[pb.WorkRequest], Any]) -> pb.WorkRequest:
        """The next request that is `wanted`; those before it are thrown away."""
        while True:
            request = self._heard.get(timeout=PATIENCE)
            assert request is not None, "the call is over"
            if wanted(request):
                return request

    def finish(self) -> pb.Finish:
        """The next end that the worker tells, of one attempt; it is settled."""
        (finish,) = self.next(lambda request: request.finishes).finishes
        self.say(settled=[finish.lease])
        return finish

    def all_of_it(self) -> tuple[bytes, pb.Finish]:
        """All that the one attempt still writes, and its end; every report is taken."""
        output = b""
        while True:
            request = self.next(lambda request: request.reports or request.finishes)
            for report in request.reports:
                output += report.output
                self.say(taken=[report.lease])
            for finish in request.finishes:
                self.say(settled=[finish.lease])
                return output + finish.output, finish

    def report(self) -> pb.Report:
        """The next report, of one attempt; it is not yet taken."""
        (report,) = self.next(lambda request: request.reports).reports
        return report

    def silent(self) -> bool:
        """Whether there is nothing that the worker has said and nobody has looked at."""
        try:
            return self._heard.get_nowait() is None
        except Empty:
            return True

    def end(self, code: grpc.StatusCode = grpc.StatusCode.OK, reason: str = "") -> None:
        """Ends the call."""
        self._to_say.put((code, reason) if code is not grpc.StatusCode.OK else None)

    def wait_left(self) -> None:
        """Waits until the worker has said that it leaves."""
        self.next(lambda request: request.leave)

    def responses(self) -> Iterator[pb.WorkResponse]:
        """What is said, until the call ends."""
        while True:
            said = self._to_say.get()
            if said is None:
                return
            if isinstance(said, tuple):
                refuse(self._context, *said)
            else:
                yield said

    def _listen(self, requests: Iterator[pb.WorkRequest]) -> None:
        try:
            for request in requests:
                self._heard.put(request)
                if request.leave:
                    self.end()
        except Exception:  # noqa: BLE001 - gRPC's own way to say that the call was broken off
            self.over.set()
        self._heard.put(None)

    def _end(self) -> None:
        self.over.set()
        self._to_say.put(None)


class FakeService(worker_service_pb2_grpc.WorkerServiceServicer):
    """Answers on `address`; each call of Work waits in `calls` for a test to take it."""

    def __init__(self) -> None:
        self.results: Callable[[str], list[pb.ReadResultsResponse]] = lambda job_id: []
        self._calls: SimpleQueue[Call] = SimpleQueue()
        self.address = "127.0.0.1:0"
        self.start()

    def start(self) -> None:
        """Answers, again on the same port where it did before."""
        self._server = grpc.server(ThreadPoolExecutor(max_workers=8), options=[("grpc.so_reuseport", 0)])
        worker_service_pb2_grpc.add_WorkerServiceServicer_to_server(self, self._server)
        self.address = f"127.0.0.1:{self._server.add_insecure_port(self.address)}"
        self._server.start()

    def stop(self) -> None:
        """Breaks all calls off, as a server does that dies."""
        self._server.stop(0).wait(PATIENCE)

    def call(self) -> Call:
        """The next call of a worker."""
        return self._calls.get(timeout=PATIENCE)

    def Work(
        self, request_iterator: Iterator[pb.WorkRequest], context: grpc.ServicerContext
    ) -> Iterator[pb.WorkResponse]:
        """Hands the call to the test."""
        call = Call(request_iterator, context)
        self._calls.put(call)
        return call.responses()

    def ReadResults(
        self, request: pb.ReadResultsRequest, context: grpc.ServicerContext
    ) -> Iterator[pb.ReadResultsResponse]:
        """As the test says."""
        yield from self.results(request.job_id)

    def ListWorkers(self, request: pb.ListWorkersRequest, context: grpc.ServicerContext) -> pb.ListWorkersResponse:
        """Nobody asks."""
        raise NotImplementedError

    def DrainWorker(self, request: pb.DrainWorkerRequest, context: grpc.ServicerContext) -> pb.DrainWorkerResponse:
        """Nobody asks."""
        raise NotImplementedError


def refuse(context: grpc.ServicerContext, code: grpc.StatusCode, reason: str) -> None:
    """Ends a call with an error as the contract has it."""
    status = status_pb2.Status(code=code.value[0], message="refused")
    status.details.add().Pack(error_details_pb2.ErrorInfo(domain="slotd", reason=reason))
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(code, "refused")


class Hired:
    """A worker that runs in a thread. `stop` it, or see how it ends."""

    def __init__(self, addresses: str | list[str], handlers: dict[str, Any], **more: Any) -> None:
        self.worker = slotd.Worker(
            addresses,
            {kind: Handler(kind, function) for kind, function in handlers.items()},
            **{"slots": 2, "name": "hired", **more},
        )
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.worker.run()
        except BaseException as error:  # noqa: BLE001 - it is raised where the test asks for it
            self._failure = error

    def end(self) -> None:
        """Waits until it has ended, however."""
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), "the worker did not stop"

    def wait(self) -> None:
        """Waits until `run` has returned. Raises what it has raised."""
        self.end()
        if self._failure is not None:
            raise self._failure


def value(finish: pb.Finish) -> object:
    """What the function returned."""
    assert finish.WhichOneof("outcome") == "succeeded", json_format.MessageToDict(finish)
    return slotd.decode(finish.succeeded.result)
