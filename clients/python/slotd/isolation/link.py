"""Where child processes call: WorkerService on a Unix socket in a private folder."""

import shutil
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Protocol, cast

import grpc

from slotd.isolation import wire
from slotd.results import Encoded
from slotd.v1 import worker_service_pb2


class Peer(Protocol):
    """A child process, as its connection sees it. Its methods are called from a thread of the connection."""

    outbox: SimpleQueue[worker_service_pb2.WorkResponse | None]
    """What is to be sent; None ends the connection."""

    def heard(self, request: worker_service_pb2.WorkRequest) -> None:
        """It has said something."""

    def hung_up(self) -> None:
        """It says nothing more."""


class _Threads(Executor):
    """Daemon threads that are there before they are needed: where there is none to be had, a start fails and no call,
    and a call that lasts does not keep the interpreter from ending."""

    def __init__(self) -> None:
        self._tasks: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._number = 0

    def grow(self, number: int) -> None:
        """Have so many. Raises RuntimeError."""
        while self._number < number:
            threading.Thread(target=self._work, name="slotd-link", daemon=True).start()
            self._number += 1

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **named: Any) -> "Future[Any]":
        """As of Executor."""
        future: Future[Any] = Future()

        def run() -> None:
            try:
                future.set_result(function(*arguments, **named))
            except BaseException as error:  # noqa: BLE001 - the future has it
                future.set_exception(error)

        self._tasks.put(run)
        return future

    def close(self) -> None:
        """Let them go, each when it has nothing to do any more."""
        for _ in range(self._number):
            self._tasks.put(None)
        self._number = 0

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            task()


class Link:
    """`peer` answers who is expected under a worker's id, once; `results` what the jobs returned that a job depends
    on."""

    def __init__(
        self,
        peer: Callable[[str], Peer | None],
        results: Callable[[str], Mapping[str, Encoded | None]],
    ) -> None:
        self._peer = peer
        self._results = results
        self._lock = threading.Lock()
        self._folder: Path | None = None
        self._server: grpc.Server | None = None
        self._threads = _Threads()

    def open(self, peers: int) -> str:
        """Answer so many from now on; at which address. Raises OSError or RuntimeError where that can't be."""
        with self._lock:
            # Each speaks and is heard; and now and then one asks for results.
            self._threads.grow(2 * peers + 1)
            if self._folder is None:
                self._folder = Path(tempfile.mkdtemp(prefix="slotd-"))
            address = f"unix:{self._folder / 'socket'}"
            if self._server is None:
                self._server = self._listen(address)
            return address

    def close(self) -> None:
        """Hang up, and remove the socket. Idempotent."""
        with self._lock:
            if self._server is not None:
                self._server.stop(None).wait()
                self._server = None
            self._threads.close()
            if self._folder is not None:
                shutil.rmtree(self._folder, ignore_errors=True)
                self._folder = None

    def _listen(self, address: str) -> grpc.Server:
        options = [
            # How much a child may say is told to it with each attempt; a server's limit would be one for all of them.
            ("grpc.max_receive_message_length", -1),
            ("grpc.max_send_message_length", -1),
        ]
        # gRPC's types ask for a pool of one kind; it does nothing with it but submit.
        server = grpc.server(cast(ThreadPoolExecutor, self._threads), options=options)
        server.add_generic_rpc_handlers((self._calls(),))
        server.add_insecure_port(address)
        server.start()
        return server

    def _calls(self) -> grpc.GenericRpcHandler:
        """Those of the service's methods that children call."""
        methods: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
            "Work": grpc.stream_stream_rpc_method_handler(
                self._work,
                worker_service_pb2.WorkRequest.FromString,
                worker_service_pb2.WorkResponse.SerializeToString,
            ),
            "ReadResults": grpc.unary_stream_rpc_method_handler(
                self._read_results,
                worker_service_pb2.ReadResultsRequest.FromString,
                worker_service_pb2.ReadResultsResponse.SerializeToString,
            ),
        }
        service = worker_service_pb2.DESCRIPTOR.services_by_name["WorkerService"]
        return grpc.method_handlers_generic_handler(service.full_name, methods)

    def _work(
        self, requests: Iterator[worker_service_pb2.WorkRequest], context: grpc.ServicerContext
    ) -> Iterator[worker_service_pb2.WorkResponse]:
        first = next(requests, None)
        peer = None if first is None else self._peer(first.hello.worker_id)
        if peer is None:
            context.abort(grpc.StatusCode.PERMISSION_DENIED, "nobody is expected under this worker_id")
        self._threads.submit(_listen_to, peer, requests)
        while (response := peer.outbox.get()) is not None:
            yield response

    def _read_results(
        self, request: worker_service_pb2.ReadResultsRequest, context: grpc.ServicerContext
    ) -> Iterable[worker_service_pb2.ReadResultsResponse]:
        try:
            results = self._results(request.job_id)
        except KeyError:
            context.abort(grpc.StatusCode.NOT_FOUND, f"job {request.job_id} does not run here")
        except Exception as error:  # noqa: BLE001 - whatever keeps the results: the handler is told
            context.abort(grpc.StatusCode.UNAVAILABLE, str(error))
        return wire.results_messages(results)


def _listen_to(peer: Peer, requests: Iterator[worker_service_pb2.WorkRequest]) -> None:
    try:
        for request in requests:
            peer.heard(request)
    except grpc.RpcError:
        # The connection broke.
        return
    finally:
        peer.hung_up()
