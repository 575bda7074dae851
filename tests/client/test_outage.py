"""When a reader tries again, and after how long."""

from __future__ import annotations

import grpc
import grpc_testing
import pytest
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo

import slotd
from slotd.outage import Backoff, Outage
from tests.client.scripted import STEADY


def away(connected: bool = True, retry_after: float | None = None) -> slotd.Unavailable:
    details = [] if retry_after is None else [RetryInfo(retry_delay=Duration(seconds=int(retry_after)))]
    error = slotd.Unavailable("away", details=details)
    error.connected = connected
    return error


def test_delays_grow_to_the_maximum() -> None:
    assert [STEADY.delay(n, 0.7) for n in (1, 2, 3, 4, 5, 10_000)] == [0.1, 0.2, 0.4, 0.8, 1.0, 1.0]


@pytest.mark.parametrize(("chance", "expected"), [(0.0, 0.05), (0.5, 0.1), (1.0, 0.15)])
def test_jitter_goes_both_ways(chance: float, expected: float) -> None:
    assert Backoff(initial=0.1, jitter=0.5).delay(1, chance) == pytest.approx(expected)


def test_a_service_that_never_answered_is_given_up_soon() -> None:
    outage = Outage(STEADY)
    assert [outage.failed(away(connected=False)) for _ in range(4)] == [0.1, 0.2, 0.4, None]


def test_a_service_that_answered_is_waited_for() -> None:
    outage = Outage(STEADY, reached=True)
    assert all(outage.failed(away(connected=False)) is not None for _ in range(1_000))


def test_a_connection_that_broke_proves_that_there_was_a_service() -> None:
    outage = Outage(STEADY)
    assert outage.failed(away()) == 0.1
    assert all(outage.failed(away(connected=False)) is not None for _ in range(100))


def test_a_server_that_stops_and_cancels_what_it_has_not_begun_was_there() -> None:
    outage = Outage(STEADY)
    assert outage.failed(slotd.Cancelled("CANCELLED")) == 0.1
    assert all(outage.failed(away(connected=False)) is not None for _ in range(100))


def test_an_answer_makes_the_next_failure_a_first_one() -> None:
    outage = Outage(STEADY)
    outage.answered()
    assert [outage.failed(away()) for _ in range(3)] == [0.1, 0.2, 0.4]
    outage.answered()
    assert outage.failed(away()) == 0.1


def test_the_service_may_ask_for_a_longer_wait() -> None:
    outage = Outage(STEADY)
    assert outage.failed(away(retry_after=7)) == 7
    assert outage.failed(away(retry_after=0)) == 0.2


def test_give_up_counts_from_the_first_failure_in_a_row() -> None:
    time = grpc_testing.strict_fake_time(0.0)
    outage = Outage(Backoff(jitter=0, give_up=10), clock=time.time, reached=True)
    assert outage.failed(away()) is not None
    time.sleep_for(9)
    assert outage.failed(away()) is not None
    time.sleep_for(1)
    assert outage.failed(away()) is None
    outage.answered()
    assert outage.failed(away()) is not None


@pytest.mark.parametrize(
    "error",
    [
        slotd.NotFound("no"),
        slotd.CursorExpired("old"),
        slotd.Internal("odd"),
        slotd.InvalidArgument("bad"),
        slotd.Cancelled("Locally cancelled by application!"),
        slotd.Cancelled("Channel closed!"),
    ],
)
def test_what_would_fail_again_is_not_tried_again(error: slotd.Error) -> None:
    assert Outage(STEADY, reached=True).failed(error) is None


def test_too_many_streams_passes_for_a_stream_that_was_there_before() -> None:
    full = slotd.ResourceExhausted("full", details=[RetryInfo(retry_delay=Duration(seconds=2))])
    assert Outage(STEADY).failed(full) is None
    assert Outage(STEADY, reached=True).failed(full) == 2
    too_large = slotd.ResourceExhausted("message larger than max", code=grpc.StatusCode.RESOURCE_EXHAUSTED)
    assert Outage(STEADY, reached=True).failed(too_large) is None
