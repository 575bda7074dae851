"""The gRPC server around the servicers: how it deals with peers, what it says of its health, and where it listens."""

import grpc.aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from slotd_server.rpc import calls

_CHANNEL: tuple[tuple[str, int], ...] = (
    # Else a second server on the same port gets half of the calls.
    ("grpc.so_reuseport", 0),
    # SubmitBatch takes 16 MiB, and a worker says up to 5 MiB beside a result; a little more, so that what is too large
    # gets an answer that says so. How large a payload may be set to be goes by these two, and by what clients take.
    ("grpc.max_receive_message_length", 20 << 20),
    ("grpc.max_send_message_length", 32 << 20),
    # Unlimited by default: tens of thousands of rapid resets then make all others wait.
    ("grpc.max_concurrent_streams", 1_000),
    # A peer that is gone is noticed after 80 s; one that pings more often than each 10 s is sent away.
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.http2.ping_timeout_ms", 20_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 10_000),
)


class GrpcServer:
    """Serves these, in the order of `calls.SERVICES`, beside the standard services for health and reflection."""

    def __init__(self, *servicers: object) -> None:
        self._server = grpc.aio.server(options=_CHANNEL)
        self._names = [descriptor.full_name for descriptor in calls.SERVICES]
        for descriptor, servicer in zip(calls.SERVICES, servicers, strict=True):
            self._server.add_generic_rpc_handlers((calls.handler(descriptor, servicer),))
        self._checks = health.aio.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self._checks, self._server)
        reflection.enable_server_reflection([*self._names, health.SERVICE_NAME, reflection.SERVICE_NAME], self._server)

    def bind(self, listen: str) -> str:
        """Listen on HOST:PORT or unix:PATH. → the address that clients use. Raises RuntimeError."""
        port = self._server.add_insecure_port(listen)
        return listen if listen.startswith("unix:") else f"{listen.rpartition(':')[0]}:{port}"

    async def start(self) -> None:
        """Answer calls."""
        await self._server.start()

    async def say_ready(self) -> None:
        """Its health is SERVING."""
        for name in ("", *self._names):
            await self._checks.set(name, health_pb2.HealthCheckResponse.SERVING)

    async def say_draining(self) -> None:
        """Its health is NOT_SERVING, for good."""
        await self._checks.enter_graceful_shutdown()

    async def stop(self, seconds: float) -> None:
        """Take no more calls; those under way have so long to end."""
        await self._server.stop(seconds)
