"""`slotd health`: whether the service takes requests, for health checks of containers and for scripts."""

from datetime import timedelta
from typing import Any

import click
import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from slotd.channel import open_channel
from slotd.cli import documents
from slotd.cli.arguments import duration
from slotd.cli.errors import Status
from slotd.cli.session import Session, shared_options
from slotd.errors import from_rpc_error

_SERVING = health_pb2.HealthCheckResponse.SERVING


@click.command()
@click.option("--service", metavar="NAME", default="", help="One of its services.  [default: the server as a whole]")
@click.option("--timeout", type=duration, default="5s", metavar="DURATION", help="How long it may take to answer.")
@shared_options()
@click.pass_obj
def health(session: Session, *, service: str, timeout: timedelta) -> None:
    """Ask whether the service takes requests, by gRPC's health protocol.

    Ends with 0 when it is SERVING, with 4 while it drains or when nobody answers in time.
    """
    try:
        channel = open_channel(session.address)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    with channel:
        # Its methods are set at run time, where the type checker doesn't see them.
        stub: Any = health_pb2_grpc.HealthStub(channel)
        try:
            answer = stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=timeout.total_seconds())
        except grpc.RpcError as error:
            raise from_rpc_error(error, session.address) from error
    status = health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)
    session.print(documents.text({"status": status}) if session.json else status)
    if answer.status != _SERVING:
        raise click.exceptions.Exit(Status.NO_SERVICE)
