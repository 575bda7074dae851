"""The adapter between gRPC and a servicer, on a real server."""

import asyncio
from collections.abc import AsyncIterator

import grpc
import grpc.aio
import pytest
from google.rpc import error_details_pb2, status_pb2
from structlog.testing import capture_logs

from slotd import v1
from slotd.v1 import job_service_pb2
from slotd_server.domain.errors import NotFound, OffsetOutOfRange
from slotd_server.rpc import calls, errors
from tests.unit.rpc.samples import JOB_ID

SERVICE = job_service_pb2.DESCRIPTOR.services_by_name["JobService"]


class Servicer:
    """Some methods of JobService, and what became of the calls."""

    def __init__(self) -> None:
        self.waiting = asyncio.Event()
        self.cancelled = asyncio.Event()
        self.closed = asyncio.Event()

    async def Submit(self, request: v1.SubmitRequest, _: calls.Call) -> v1.SubmitResponse:
        raise AssertionError

    async def Get(self, request: v1.GetRequest, _: calls.Call) -> v1.GetResponse:
        if request.id == "missing":
            raise NotFound("job", request.id)
        if request.id == "broken":
            raise ValueError("/a/path SELECT secrets")
        return v1.GetResponse(job=v1.Job(id=request.id))

    async def Cancel(self, request: v1.CancelRequest, context: calls.Context) -> v1.CancelResponse:
        await context.abort(grpc.StatusCode.DATA_LOSS, "by the servicer itself")

    async def Wait(self, request: v1.WaitRequest, _: calls.Call) -> v1.WaitResponse:
        self.waiting.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        raise AssertionError

    async def Stream(self, request: v1.StreamRequest, _: calls.Call) -> AsyncIterator[bytes]:
        try:
            number = 0
            while request.cursor == "for ever" or number < 3:
                yield v1.StreamResponse(revision=number, cursor="x" * 1000).SerializeToString()
                number += 1
        finally:
            self.closed.set()

    async def ReadOutput(self, request: v1.ReadOutputRequest, _: calls.Call) -> AsyncIterator[v1.ReadOutputResponse]:
        yield v1.ReadOutputResponse(data=b"one")
        if request.offset == 1:
            raise OffsetOutOfRange(1, 0)
        if request.offset == 2:
            raise ValueError("/a/path")
        yield v1.ReadOutputResponse(data=b"two", eof=True)


def same(data: bytes) -> bytes:
    """No serializer: bytes go as they are."""
    return data


async def received(call: grpc.aio.UnaryStreamCall[bytes, bytes]) -> bytes:
    """The next answer of a stream that has one."""
    answer = await call.read()
    assert isinstance(answer, bytes)
    return answer


class Session:
    """A server with one servicer, and a channel to it that takes and gives bytes."""

    def __init__(self) -> None:
        self.servicer = Servicer()
        self._server = grpc.aio.server()
        self._server.add_generic_rpc_handlers((calls.handler(SERVICE, self.servicer),))
        port = self._server.add_insecure_port("127.0.0.1:0")
        self._channel = grpc.aio.insecure_channel(f"127.0.0.1:{port}")

    async def __aenter__(self) -> "Session":
        await self._server.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._channel.close()
        await self._server.stop(None)

    def unary(self, method: str, request: bytes) -> grpc.aio.UnaryUnaryCall[bytes, bytes]:
        path = f"/slotd.v1.JobService/{method}"
        return self._channel.unary_unary(path, request_serializer=same, response_deserializer=same)(request, timeout=20)

    def stream(self, method: str, request: bytes) -> grpc.aio.UnaryStreamCall[bytes, bytes]:
        path = f"/slotd.v1.JobService/{method}"
        return self._channel.unary_stream(path, request_serializer=same, response_deserializer=same)(
            request, timeout=20
        )

    async def answers(self, method: str, request: bytes) -> list[bytes]:
        """All of them, of a method of either kind."""
        if SERVICE.methods_by_name[method].server_streaming:
            return [answer async for answer in self.stream(method, request)]
        return [await self.unary(method, request)]


@pytest.fixture
async def session() -> AsyncIterator[Session]:
    async with Session() as one:
        yield one


def reason(error: grpc.aio.AioRpcError) -> str:
    details = [value for key, value in error.trailing_metadata() or () if key == errors.DETAILS_KEY]
    assert isinstance(details[0], bytes)
    status = status_pb2.Status.FromString(details[0])
    assert (status.code, status.message) == (error.code().value[0], error.details())
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    return info.reason


async def test_a_call_is_parsed_and_answered(session: Session) -> None:
    answer = await session.unary("Get", v1.GetRequest(id=JOB_ID).SerializeToString())
    assert v1.GetResponse.FromString(answer).job.id == JOB_ID


async def test_an_error_of_a_call_has_code_and_details(session: Session) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await session.unary("Get", v1.GetRequest(id="missing").SerializeToString())
    assert failed.value.code() is grpc.StatusCode.NOT_FOUND
    assert reason(failed.value) == "JOB_NOT_FOUND"


async def test_an_unknown_error_tells_nothing(session: Session) -> None:
    with capture_logs() as logs, pytest.raises(grpc.aio.AioRpcError) as failed:
        await session.unary("Get", v1.GetRequest(id="broken").SerializeToString())
    assert failed.value.code() is grpc.StatusCode.INTERNAL
    assert reason(failed.value) == "INTERNAL"
    assert "secrets" not in str(failed.value)
    assert len(logs) == 1


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\xff", id="no tag"),
        pytest.param(b"\x0a\x7f", id="cut off"),
        pytest.param(b"\x12\x02\xff\xff", id="no UTF-8"),
        pytest.param(b"\x08", id="no value"),
    ],
)
@pytest.mark.parametrize("method", ["Submit", "Stream"])
async def test_bytes_that_are_no_message_are_the_callers_fault(session: Session, method: str, data: bytes) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await session.answers(method, data)
    assert failed.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert reason(failed.value) == "MALFORMED_MESSAGE"


async def test_a_servicer_may_end_a_call_itself(session: Session) -> None:
    with capture_logs() as logs, pytest.raises(grpc.aio.AioRpcError) as failed:
        await session.unary("Cancel", v1.CancelRequest(id=JOB_ID).SerializeToString())
    assert failed.value.code() is grpc.StatusCode.DATA_LOSS
    assert logs == []


@pytest.mark.parametrize("method", ["Purge", "NoSuchMethod"])
async def test_what_the_servicer_lacks_is_unimplemented(session: Session, method: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await session.unary(method, b"")
    assert failed.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_a_stream_may_yield_bytes(session: Session) -> None:
    revisions = [v1.StreamResponse.FromString(answer).revision async for answer in session.stream("Stream", b"")]
    assert revisions == [0, 1, 2]
    await session.servicer.closed.wait()


async def test_a_peer_that_goes_away_in_the_midst_of_an_answer_is_no_error() -> None:
    class Gone:
        async def write(self, _: bytes) -> None:
            raise grpc.aio.InternalError

    class Details:
        method = "/slotd.v1.JobService/Stream"
        invocation_metadata: tuple[tuple[str, str | bytes], ...] = ()

    servicer = Servicer()
    handler = calls.handler(SERVICE, servicer).service(Details())
    assert handler is not None
    with capture_logs() as logs:
        await handler.unary_stream(b"", Gone())  # type: ignore[arg-type, misc]
    assert logs == []
    assert servicer.closed.is_set()


async def test_a_stream_may_yield_messages(session: Session) -> None:
    answers = [v1.ReadOutputResponse.FromString(answer) async for answer in session.stream("ReadOutput", b"")]
    assert [(answer.data, answer.eof) for answer in answers] == [(b"one", False), (b"two", True)]


@pytest.mark.parametrize(
    ("offset", "code", "why"),
    [(1, grpc.StatusCode.OUT_OF_RANGE, "OFFSET_OUT_OF_RANGE"), (2, grpc.StatusCode.INTERNAL, "INTERNAL")],
)
async def test_a_stream_may_fail_after_its_first_answer(
    session: Session, offset: int, code: grpc.StatusCode, why: str
) -> None:
    call = session.stream("ReadOutput", v1.ReadOutputRequest(offset=offset).SerializeToString())
    assert v1.ReadOutputResponse.FromString(await received(call)).data == b"one"
    with capture_logs(), pytest.raises(grpc.aio.AioRpcError) as failed:
        await received(call)
    assert failed.value.code() is code
    assert reason(failed.value) == why


async def test_a_caller_that_goes_away_cancels_the_call(session: Session) -> None:
    call = session.unary("Wait", v1.WaitRequest(id=JOB_ID).SerializeToString())
    waiting = asyncio.ensure_future(session.servicer.waiting.wait())
    await asyncio.wait({waiting, asyncio.ensure_future(call.code())}, return_when=asyncio.FIRST_COMPLETED)
    with capture_logs() as logs:
        call.cancel()
        await session.servicer.cancelled.wait()
    assert logs == []


async def test_a_reader_that_goes_away_closes_the_stream(session: Session) -> None:
    call = session.stream("Stream", v1.StreamRequest(cursor="for ever").SerializeToString())
    assert v1.StreamResponse.FromString(await received(call)).revision == 0
    with capture_logs() as logs:
        call.cancel()
        await session.servicer.closed.wait()
    assert logs == []
