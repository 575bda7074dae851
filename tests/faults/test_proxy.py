"""The proxy cuts where it is told to: what PostgreSQL has then, and what gRPC's callers hear, shows that it did."""

import asyncio
import socket
from collections.abc import Iterator
from typing import TYPE_CHECKING

import grpc
import pytest

from slotd.v1 import JobSpec, SubmitRequest
from tests.faults.conftest import Serve
from tests.faults.process import PATIENCE
from tests.faults.proxy import GrpcDialect, Moment, PostgresDialect, Proxy, _break_off
from tests.postgres import Cluster
from tests.service import Endpoint

if TYPE_CHECKING:
    import psycopg

_THERE = {Moment.BEFORE: 0, Moment.AFTER: 1}


@pytest.fixture
def proxy(postgres: Cluster) -> Iterator[Proxy]:
    proxy = Proxy(f"127.0.0.1:{postgres.port}", PostgresDialect)
    yield proxy
    proxy.close()


def _connect(postgres: Cluster, proxy: Proxy) -> "psycopg.Connection":
    import psycopg

    return psycopg.connect(f"{postgres.url(port=proxy.port)}?sslmode=disable&gssencmode=disable")


@pytest.mark.parametrize("how", ["simple", "extended", "pipeline"])
@pytest.mark.parametrize("moment", [Moment.BEFORE, Moment.AFTER])
def test_a_commit_is_cut_off_before_or_after(postgres: Cluster, proxy: Proxy, moment: Moment, how: str) -> None:
    import psycopg

    postgres.execute("DROP TABLE IF EXISTS cut; CREATE TABLE cut (number int)")
    connection = _connect(postgres, proxy)
    happened = proxy.cut_next(moment)
    with pytest.raises(psycopg.OperationalError):  # noqa: PT012 - which of them notices is the driver's business
        if how == "pipeline":
            with connection.pipeline():
                connection.execute("INSERT INTO cut VALUES (%s)", [1])
                connection.execute("COMMIT")
        else:
            connection.execute("INSERT INTO cut VALUES (%s)", [1])
            if how == "simple":
                connection.commit()
            else:
                connection.execute("COMMIT", prepare=True)
    assert happened.is_set()
    assert proxy.cuts.total() == 1
    assert postgres.execute("SELECT count(*) FROM cut") == [(_THERE[moment],)]
    # The next one is let through.
    with _connect(postgres, proxy) as connection:
        connection.execute("INSERT INTO cut VALUES (2)")
    assert postgres.execute("SELECT count(*) FROM cut WHERE number = 2") == [(1,)]


def test_nothing_passes_while_it_is_silent(postgres: Cluster, proxy: Proxy) -> None:
    import psycopg

    with _connect(postgres, proxy) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
        proxy.fall_silent()
        with pytest.raises(psycopg.OperationalError, match="timeout"):
            psycopg.connect(f"{postgres.url(port=proxy.port)}?connect_timeout=2")
        proxy.speak()
        assert connection.execute("SELECT 2").fetchone() == (2,)


def _submit(at: Endpoint, request: SubmitRequest) -> grpc.StatusCode:
    try:
        at.jobs.Submit(request, timeout=PATIENCE)
    except grpc.RpcError as error:
        return error.code()
    return grpc.StatusCode.OK


@pytest.mark.parametrize("moment", Moment)
def test_a_submit_is_cut_off_and_is_there_or_not(serve: Serve, moment: Moment) -> None:
    server = serve(slots=0)
    at = server.connect()
    proxy = Proxy(server.address, GrpcDialect)
    through = Endpoint.at(f"127.0.0.1:{proxy.port}")
    try:
        happened = proxy.cut_next(moment)
        request = SubmitRequest(spec=JobSpec(kind="echo"), request_id="once")
        told = _submit(through, request)
        # The answer may be quicker than a cut behind the request.
        assert told is grpc.StatusCode.UNAVAILABLE or (told is grpc.StatusCode.OK and moment is Moment.DURING)
        assert happened.is_set()
        if moment in _THERE:
            assert len(list(at.client.list())) == _THERE[moment]
        job = through.jobs.Submit(request, timeout=PATIENCE).job
        assert [one.id for one in at.client.list()] == [job.id]
    finally:
        through.close()
        proxy.close()


async def test_what_is_closed_already_is_broken_off_without_a_word() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        _, writer = await asyncio.open_connection(*server.getsockname())
        writer.close()
        await writer.wait_closed()
    _break_off(writer)
