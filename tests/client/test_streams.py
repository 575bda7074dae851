"""The sync client's streams on grpcio-testing's fake channel and clock: cut, resumed, closed."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from typing import Any

import grpc
import pytest

import slotd
from slotd.streams import Reader
from slotd.v1 import job_pb2, job_service_pb2
from tests.client.scripted import (
    BROKEN,
    CURSOR_EXPIRED,
    NOT_CONNECTED,
    STOPPED,
    FakeService,
    background,
    cut,
    draining,
    end,
    event,
    message,
    refusal,
    snapshot,
)

END = "end"


class Reading:
    """An iterator read in a thread of its own; `next` waits for what it gave."""

    def __init__(self, source: Iterator[Any]) -> None:
        self._given: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.done = background(lambda: self._read(source))

    def _read(self, source: Iterator[Any]) -> None:
        for one in source:
            self._given.put(one)
        self._given.put(END)

    def next(self) -> Any:
        """Waits for the next thing, or END."""
        return self._given.get(timeout=10)

    def next_pair(self) -> tuple[str, int]:
        """Waits for the next event: its job and revision."""
        one = self.next()
        return one.job.id, one.revision


def test_a_stream_goes_on_by_cursor_after_each_kind_of_cut() -> None:
    service = FakeService()
    stream = service.client.stream(queues="q", include_progress=True)
    reading = Reading(stream)
    request, call = service.take_stream()
    assert request == job_service_pb2.StreamRequest(filter=job_pb2.JobFilter(queues=["q"]), include_progress=True)
    call.send_response(message(snapshot("a", 1)))
    assert reading.next_pair() == ("a", 1)
    assert stream.cursor == ""
    call.send_response(message(cursor="c1", revision=1, synced=True))
    call.send_response(message(event("a", 2), event("a", 3), cursor="c3", revision=3))
    assert reading.next_pair() == ("a", 2)
    assert reading.next_pair() == ("a", 3)
    assert (stream.cursor, stream.revision, stream.synced) == ("c3", 3, True)
    for error in (draining(), BROKEN, STOPPED, NOT_CONNECTED, NOT_CONNECTED, NOT_CONNECTED, NOT_CONNECTED):
        cut(call, error)
        request, call = service.take_stream()
        assert request == job_service_pb2.StreamRequest(
            filter=job_pb2.JobFilter(queues=["q"]), cursor="c3", include_progress=True
        )
    call.send_response(message(event("b", 4), cursor="c4"))
    assert reading.next_pair() == ("b", 4)
    end(call)
    assert reading.next() == END
    reading.done.result(10)
    assert service.pauses == [0.1, 0.2, 0.4, 0.8, 1.0, 1.0, 1.0]


def test_a_snapshot_that_is_cut_is_not_told_twice() -> None:
    service = FakeService()
    stream = service.client.stream()
    reading = Reading(stream)
    _, call = service.take_stream()
    call.send_response(message(snapshot("a", 1), snapshot("b", 2)))
    assert [reading.next_pair(), reading.next_pair()] == [("a", 1), ("b", 2)]
    cut(call, BROKEN)
    request, call = service.take_stream()
    assert request.cursor == ""
    call.send_response(message(snapshot("b", 2), snapshot("c", 9)))
    assert reading.next_pair() == ("c", 9)
    call.send_response(message(cursor="c9", synced=True))
    end(call)
    assert reading.next() == END
    assert stream.vanished == {"a"}
    assert stream.synced


def test_an_expired_cursor_is_raised_and_ends_the_stream() -> None:
    service = FakeService()
    stream = service.client.stream(cursor="old")
    result = background(lambda: next(stream))
    request, call = service.take_stream()
    assert request.cursor == "old"
    cut(call, CURSOR_EXPIRED)
    with pytest.raises(slotd.CursorExpired):
        result.result(10)
    assert next(stream, None) is None
    assert service.pauses == []


def test_no_service_at_first_is_said_soon() -> None:
    service = FakeService()
    stream = service.client.stream()
    result = background(lambda: next(stream))
    for _ in range(4):
        _, call = service.take_stream()
        cut(call, NOT_CONNECTED)
    with pytest.raises(slotd.Unavailable, match="no service at service:1"):
        result.result(10)
    assert service.pauses == [0.1, 0.2, 0.4]


def test_without_resume_a_cut_is_raised() -> None:
    service = FakeService()
    stream = service.client.stream(resume=False)
    result = background(lambda: next(stream))
    _, call = service.take_stream()
    cut(call, draining(3))
    with pytest.raises(slotd.Unavailable) as raised:
        result.result(10)
    assert raised.value.retry_after == 3


def test_the_service_may_ask_for_a_longer_pause() -> None:
    service = FakeService()
    stream = service.client.stream()
    Reading(stream)
    _, call = service.take_stream()
    cut(call, draining(3))
    service.take_stream()
    assert service.pauses == [3.0]
    stream.close()


def test_messages_come_whole_with_heartbeats_and_synced() -> None:
    service = FakeService()
    stream = service.client.stream(cursor="c1")
    reading = Reading(stream.messages())
    _, call = service.take_stream()
    sent = [
        message(event("a", 2), event("b", 3), cursor="c3", revision=3),
        message(cursor="c3", revision=3, synced=True),
        message(cursor="c4", revision=4, heartbeat=True),
    ]
    for one in sent:
        call.send_response(one)
        assert reading.next() == one
    cut(call, BROKEN)
    request, call = service.take_stream()
    assert request.cursor == "c4"
    assert stream.cursor == "c4"
    end(call)
    assert reading.next() == END


def test_close_ends_a_reader_in_another_thread() -> None:
    service = FakeService()
    stream = service.client.stream()
    reading = Reading(stream)
    _, call = service.take_stream()
    stream.close()
    call.cancelled()
    assert reading.next() == END
    reading.done.result(10)
    stream.close()


def test_close_while_the_call_is_being_made_cancels_it() -> None:
    service = FakeService()
    calls: list[Any] = []

    class Call:
        cancelled = False

        def __next__(self) -> Any:
            assert self.cancelled, "read of a call that nobody will end"
            error = grpc.RpcError()
            error.code = lambda: grpc.StatusCode.CANCELLED  # type: ignore[method-assign]
            raise error

        def cancel(self) -> None:
            self.cancelled = True

    class Cut(Call):
        def __next__(self) -> Any:
            error = grpc.RpcError()
            error.code = lambda: grpc.StatusCode.UNAVAILABLE  # type: ignore[method-assign]
            error.details = lambda: "Socket closed"  # type: ignore[method-assign]
            error.trailing_metadata = lambda: ()  # type: ignore[method-assign]
            raise error

    def method(request: Any, **arguments: Any) -> Call:
        if calls:
            # What another thread does at the worst moment.
            reader.close()
        calls.append(Call() if calls else Cut())
        return calls[-1]  # type: ignore[no-any-return]

    peer = service.client._peer
    reader: Reader[Any, Any] = Reader(method, lambda: None, peer, lambda closed, seconds: None, True)  # type: ignore[arg-type]
    assert reader.read() is None
    assert [one.cancelled for one in calls] == [False, True]


def test_leaving_the_with_or_closing_the_client_ends_the_stream() -> None:
    service = FakeService()
    with service.client.stream() as stream:
        _, call = service.take_stream()
    call.cancelled()
    assert list(stream) == []
    other = service.client.stream()
    output = service.client.read_output("a")
    _, call = service.take_stream()
    service.client.close()
    call.cancelled()
    assert list(other) == []
    assert list(output) == []


def test_a_break_out_of_the_loop_loses_nothing() -> None:
    service = FakeService()
    stream = service.client.stream(cursor="c1")
    _, call = service.take_stream()
    call.send_response(message(event("a", 2), event("a", 3), cursor="c3"))
    for one in stream:
        assert one.revision == 2
        break
    assert stream.cursor == "c1"
    assert next(stream).revision == 3
    assert stream.cursor == "c3"


def test_output_goes_on_where_it_was_cut() -> None:
    service = FakeService()
    output = service.client.read_output("a", offset=1, follow=True)
    reading = Reading(output)
    request, call = service.take_stream("ReadOutput")
    assert request == job_service_pb2.ReadOutputRequest(id="a", offset=1, follow=True)
    call.send_response(job_service_pb2.ReadOutputResponse(offset=1, data=b"bc"))
    assert reading.next() == b"bc"
    for error in (BROKEN, STOPPED):
        cut(call, error)
        request, call = service.take_stream("ReadOutput")
        assert request.offset == 3
    call.send_response(job_service_pb2.ReadOutputResponse(offset=3, data=b"de", eof=True, truncated=True))
    assert reading.next() == b"de"
    assert reading.next() == END
    assert (output.offset, output.truncated) == (5, True)


def test_output_of_a_job_that_still_runs_ends_without_eof() -> None:
    service = FakeService()
    reading = Reading(service.client.read_output("a"))
    _, call = service.take_stream("ReadOutput")
    call.send_response(job_service_pb2.ReadOutputResponse(offset=0, data=b"ab"))
    assert reading.next() == b"ab"
    end(call)
    assert reading.next() == END


def test_output_of_no_job() -> None:
    service = FakeService()
    result = background(lambda: b"".join(service.client.read_output("a")))
    _, call = service.take_stream("ReadOutput")
    cut(call, refusal(grpc.StatusCode.NOT_FOUND, reason="JOB_NOT_FOUND"))
    with pytest.raises(slotd.NotFound):
        result.result(10)
