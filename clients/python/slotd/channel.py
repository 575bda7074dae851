"""How the client's channels are set up: addresses, sizes, keepalive, reconnecting, and which calls gRPC repeats."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final

import grpc
import grpc.aio

DEFAULT_ADDRESS: Final = "127.0.0.1:7433"

ChannelOptions = Sequence[tuple[str, Any]]

_MESSAGE_BYTES = 32 * 1024 * 1024

# Answering a second time does no harm and says the same: reads, requests with an id, settings given as absolute values.
# Left out on purpose: Retry (a job that failed again meanwhile would get fresh attempts twice); Delete, Purge and what
# works in bulk (the repeat would answer NOT_FOUND or a count too low though the first one worked); Update (the first
# moved the revision that the repeat names); Create of a schedule (the repeat would find one of that name). Wait, Stream
# and ReadOutput are not here because the client itself repeats them, from where they were cut.
REPEATED_METHODS: Final = {
    "slotd.v1.JobService": ("Submit", "SubmitBatch", "Get", "List", "Cancel", "GetGroup"),
    "slotd.v1.QueueService": (
        "GetQueue",
        "ListQueues",
        "UpdateQueue",
        "ListSlots",
        "UpdateSlots",
        "GetStats",
        "ListServers",
    ),
    "slotd.v1.ScheduleService": ("Get", "List", "Pause", "Resume", "Trigger"),
    "slotd.v1.WorkerService": ("ListWorkers", "DrainWorker"),
}


def service_config() -> str:
    """The gRPC service config: up to five tries, 0.1 s to 2 s apart, of what is safe to repeat and met UNAVAILABLE."""
    policy = {
        "maxAttempts": 5,
        "initialBackoff": "0.1s",
        "maxBackoff": "2s",
        "backoffMultiplier": 2,
        "retryableStatusCodes": ["UNAVAILABLE"],
    }
    names = [
        {"service": service, "method": method} for service, methods in REPEATED_METHODS.items() for method in methods
    ]
    return json.dumps({"methodConfig": [{"name": names, "retryPolicy": policy}]})


def channel_options(address: str, extra: Iterable[tuple[str, Any]] = ()) -> list[tuple[str, Any]]:
    """The channel arguments for an address; those of `extra` win."""
    options: dict[str, Any] = {
        "grpc.service_config": service_config(),
        "grpc.enable_retries": 1,
        # gRPC repeats nothing larger than this, 256 KiB by default.
        "grpc.per_rpc_retry_buffer_size": _MESSAGE_BYTES,
        "grpc.max_receive_message_length": _MESSAGE_BYTES,
        "grpc.max_send_message_length": _MESSAGE_BYTES,
        # The service takes a ping every 10 s and no more often.
        "grpc.keepalive_time_ms": 30_000,
        "grpc.keepalive_timeout_ms": 10_000,
        "grpc.http2.max_pings_without_data": 0,
        # gRPC's own defaults wait up to two minutes before they look again for a service that was restarted.
        "grpc.initial_reconnect_backoff_ms": 100,
        "grpc.min_reconnect_backoff_ms": 2_000,
        "grpc.max_reconnect_backoff_ms": 5_000,
        # Else a new client begins in the backoff of an older one to the same address.
        "grpc.use_local_subchannel_pool": 1,
        # A BadRequest with many violations travels in the trailing metadata.
        "grpc.max_metadata_size": 64 * 1024,
    }
    if _is_local(address):
        # A proxy from the environment can't reach this machine's own addresses.
        options["grpc.enable_http_proxy"] = 0
    options.update(extra)
    return list(options.items())


def open_channel(
    address: str, credentials: grpc.ChannelCredentials | None = None, options: Iterable[tuple[str, Any]] = ()
) -> grpc.Channel:
    """Opens a channel; it connects with the first call. Plain text without credentials. Raises ValueError."""
    check_address(address)
    arguments = channel_options(address, options)
    if credentials is None:
        return grpc.insecure_channel(address, arguments)
    return grpc.secure_channel(address, credentials, arguments)


def open_aio_channel(
    address: str, credentials: grpc.ChannelCredentials | None = None, options: Iterable[tuple[str, Any]] = ()
) -> grpc.aio.Channel:
    """Opens a channel for the running event loop; else as `open_channel`."""
    check_address(address)
    arguments = channel_options(address, options)
    if credentials is None:
        return grpc.aio.insecure_channel(address, arguments)
    return grpc.aio.secure_channel(address, credentials, arguments)


def check_address(address: str) -> None:
    """Raises ValueError for what is no gRPC target, above all a URL."""
    if not address or address != address.strip():
        raise ValueError(f"not an address: {address!r}; it looks like 127.0.0.1:7433 or unix:/path")
    if address.startswith(("http://", "https://", "grpc://")):
        raise ValueError(f"an address has no scheme: {address.split('://', 1)[1].rstrip('/')!r} instead of {address!r}")


def _is_local(address: str) -> bool:
    return address.startswith(("unix:", "unix-abstract:", "127.", "localhost", "[::1]", "ipv4:127."))
