"""What `slotd.Client` can do about the workers of a service. To be one, see `slotd.Worker`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, TypeVar

from slotd.jobspec import Span
from slotd.v1 import worker_service_pb2

if TYPE_CHECKING:
    from grpc import UnaryUnaryMultiCallable

    from slotd.v1.worker_service_pb2_grpc import WorkerServiceStub

Q = TypeVar("Q")
A = TypeVar("A")


class WorkerMethods(ABC):
    """The methods; `Client` is one."""

    _workers: WorkerServiceStub

    def list_workers(self, *, rpc_timeout: Span | None = None) -> list[worker_service_pb2.Worker]:
        """The workers of all servers that share the store, by name."""
        return list(self._call(self._workers.ListWorkers, worker_service_pb2.ListWorkersRequest(), rpc_timeout).workers)

    def drain_worker(self, worker_id: str, *, rpc_timeout: Span | None = None) -> worker_service_pb2.Worker:
        """Asks a worker to end what it runs, take nothing more, and leave.

        Raises slotd.NotFound, and slotd.FailedPrecondition for one that is connected to another server.
        """
        request = worker_service_pb2.DrainWorkerRequest(worker_id=worker_id)
        return self._call(self._workers.DrainWorker, request, rpc_timeout).worker

    @abstractmethod
    def _call(
        self, method: UnaryUnaryMultiCallable[Q, A], request: Q, rpc_timeout: Span | None, default: float = 0.0
    ) -> A: ...
