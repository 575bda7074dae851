"""One call of `WorkerService.Work`, on a channel of its own: a new one does not begin in the backoff of the last."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import grpc

from slotd.channel import open_channel
from slotd.errors import Unavailable, from_rpc_error
from slotd.peer import DEFAULT_TIMEOUT, Metadata
from slotd.results import Encoded
from slotd.v1 import worker_service_pb2, worker_service_pb2_grpc


class Connection:
    """Connects with `open`. Raises ValueError for an address that is none."""

    def __init__(
        self,
        address: str,
        *,
        credentials: grpc.ChannelCredentials | None,
        metadata: Metadata,
        options: Iterable[tuple[str, Any]],
    ) -> None:
        self.address = address
        self.broken_off = False
        self._metadata = metadata
        self._channel = open_channel(address, credentials, options)
        self._stub = worker_service_pb2_grpc.WorkerServiceStub(self._channel)

    def open(
        self,
        requests: Iterator[worker_service_pb2.WorkRequest],
        received: Callable[[worker_service_pb2.WorkResponse], None],
        over: Callable[[BaseException | None], None],
    ) -> None:
        """Send `requests`, of which gRPC asks for the next one when the last is on its way.

        A thread calls `received` with each response, and `over` once, in the end: with None where the server has ended
        the call with OK, else with the slotd.Error, or with what `received` has raised.
        """
        self._call = self._stub.Work(requests, metadata=self._metadata)
        threading.Thread(target=self._read, args=(received, over), name="slotd-worker", daemon=True).start()

    def break_off(self) -> None:
        """End the call so that the server waits for another one. Idempotent; `over` is called."""
        self.broken_off = True
        self._call.cancel()

    def close(self) -> None:
        """Hang up, once the call is over."""
        self._channel.close()

    def read_results(self, job_id: str) -> Mapping[str, Encoded | None]:
        """What the jobs returned that a job depends on, by name. Raises slotd.Error."""
        request = worker_service_pb2.ReadResultsRequest(job_id=job_id)
        try:
            return {
                one.name: (one.result.content_type, one.result.data) if one.HasField("result") else None
                for one in self._stub.ReadResults(request, timeout=DEFAULT_TIMEOUT, metadata=self._metadata)
            }
        except grpc.RpcError as error:
            raise from_rpc_error(error, self.address) from None
        except ValueError as closed:
            # What gRPC raises where the channel has been closed meanwhile.
            raise Unavailable(f"no connection to {self.address}") from closed

    def _read(
        self,
        received: Callable[[worker_service_pb2.WorkResponse], None],
        over: Callable[[BaseException | None], None],
    ) -> None:
        end: BaseException | None = None
        try:
            for message in self._call:
                received(message)
        except grpc.RpcError as error:
            end = from_rpc_error(error, self.address)
        except BaseException as error:  # noqa: BLE001 - it is raised where the worker runs
            end = error
        over(end)
