"""One call of a handler without a service: what goes in and comes out is what would in production."""

import asyncio
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration

import slotd
from slotd import JobContext, PermanentError, Snooze
from slotd.attempts import Failed, Snoozed, Succeeded
from slotd.handlers import Handler
from slotd.testing import AttemptFailed, Progress, run_inline
from tests.testing.handlers import echo, fail, give_up, where


def test_what_it_returns_is_what_a_client_would_get() -> None:
    run = run_inline(lambda ctx, payload: {"pair": (payload, None)}, ["in"])
    assert run.result == {"pair": [["in"], None]}
    assert run.outcome == Succeeded(("application/json", b'{"pair":[["in"],null]}'))
    assert (run.error, run.failed, run.snoozed, run.permanent) == (None, None, None, False)
    assert run_inline(lambda ctx, payload: None).result is None


@pytest.mark.parametrize(
    ("payload", "content_type", "seen"),
    [({1: (2,)}, None, {"1": [2]}), (b"raw", None, b"raw"), ("text", "text/plain", "text"), (None, None, None)],
)
def test_the_payload_is_decoded_from_what_it_is_encoded_to(payload: Any, content_type: str | None, seen: Any) -> None:
    found: list[Any] = []
    run_inline(lambda ctx, payload: found.append(payload), payload, content_type=content_type)
    assert found == [seen]


def test_a_protobuf_message_is_what_the_handler_says_it_takes() -> None:
    def double(ctx: JobContext, payload: Duration) -> Duration:
        return Duration(seconds=2 * payload.seconds)

    assert run_inline(double, Duration(seconds=2)).outcome == run_inline(double, "2s").outcome


def test_its_context_is_what_the_test_says() -> None:
    def look(ctx: JobContext, payload: object) -> list[Any]:
        assert ctx.deadline is not None
        left = (ctx.deadline - datetime.now(UTC)).total_seconds()
        assert slotd.current_job() is ctx
        return [ctx.kind, ctx.attempt, ctx.queue, dict(ctx.labels), ctx.job_id, ctx.results["cut"], 50 < left <= 60]

    run = run_inline(
        Handler("sew", look, queue="cloth"),
        attempt=3,
        labels={"a": "b"},
        job_id="7",
        timeout=timedelta(minutes=1),
        results={"cut": (1, 2)},
    )
    assert run.result == ["sew", 3, "cloth", {"a": "b"}, "7", [1, 2], True]


def test_all_that_it_tells_is_there() -> None:
    def tell(ctx: JobContext, payload: int) -> None:
        for number in range(payload):
            ctx.progress(number, payload, f"at {number}")
            ctx.write(f"line {number}\n")

    run = run_inline(tell, 3)
    assert run.progress == tuple(Progress(number, 3, f"at {number}") for number in range(3))
    assert run.text == "line 0\nline 1\nline 2\n"
    # More than a service's runner lets wait.
    assert len(run_inline(lambda ctx, payload: ctx.write(b"x" * (3 << 20))).output) == 3 << 20


def test_what_it_raises_is_raised_here() -> None:
    with pytest.raises(ValueError, match="as told: x") as caught:
        run_inline(fail, "x")
    assert caught.traceback[-1].name == "fail"
    with pytest.raises(PermanentError, match="for good"):
        run_inline(give_up)

    async def later(ctx: JobContext, payload: object) -> None:
        raise Snooze(5)

    with pytest.raises(Snooze) as snoozed:
        run_inline(later)
    assert snoozed.value.seconds == 5


def test_or_is_reported_where_the_test_wants_that() -> None:
    run = run_inline(give_up, check=False)
    assert run.failed == Failed("PERMANENT_ERROR", "PermanentError: for good", permanent=True)
    assert (type(run.error), run.permanent, run.result) == (PermanentError, True, None)
    run = run_inline(fail, 1, check=False)
    assert run.failed == Failed("HANDLER_ERROR", "ValueError: as told: 1")

    def snooze(ctx: JobContext, payload: object) -> None:
        ctx.write("tired")
        raise Snooze(timedelta(minutes=1))

    run = run_inline(snooze, check=False)
    assert (run.outcome, run.snoozed, run.text) == (Snoozed(60.0), 60.0, "tired")


@pytest.mark.parametrize(
    ("handler", "payload", "reason"),
    [
        (lambda ctx, payload: object(), None, "RESULT_INVALID"),
        (lambda ctx, payload: "x" * (1 << 20), None, "RESULT_TOO_LARGE"),
        (Handler("timed", echo, payload=Duration), {"no": "duration"}, "PAYLOAD_INVALID"),
    ],
)
def test_what_the_service_would_refuse_fails_too(handler: Any, payload: object, reason: str) -> None:
    with pytest.raises(AttemptFailed, match=reason) as caught:
        run_inline(handler, payload)
    assert caught.value.reason == reason


def test_a_payload_that_no_client_could_send_is_the_tests_mistake() -> None:
    with pytest.raises(slotd.EncodeError):
        run_inline(echo, object())


def test_a_cancelled_job_is_cancelled_before_it_begins_or_on_its_way() -> None:
    def count(ctx: JobContext, payload: int) -> None:
        for number in range(payload):
            ctx.progress(number, payload)
            ctx.raise_if_cancelled()

    with pytest.raises(slotd.JobCancelled):
        run_inline(count, 3, cancelled=True)
    run = run_inline(count, 9, cancelled=lambda progress: progress.done == 4, check=False)
    assert len(run.progress) == 5
    assert run.failed is not None
    assert run.failed.reason == "CANCELLED"


def test_an_asynchronous_handler_is_cancelled_where_it_waits() -> None:
    async def wait(ctx: JobContext, payload: object) -> None:
        ctx.progress(1)
        await asyncio.Event().wait()

    with pytest.raises(AttemptFailed, match="CANCELLED"):
        run_inline(wait, cancelled=True)
    with pytest.raises(asyncio.CancelledError):
        run_inline(wait, cancelled=lambda progress: True)


def test_one_that_takes_too_long_is_told_to_stop_and_has_failed() -> None:
    with pytest.raises(AttemptFailed) as caught:
        run_inline(lambda ctx, payload: ctx.wait_cancelled(), timeout=0.01)
    assert caught.value.reason == "TIMEOUT"
    assert not any(isinstance(thread, threading.Timer) and thread.is_alive() for thread in threading.enumerate())


def test_it_runs_in_the_tests_own_thread() -> None:
    assert run_inline(where).result["thread"] == threading.get_ident()


async def test_an_asynchronous_test_can_run_an_asynchronous_handler() -> None:
    async def greet(ctx: JobContext, payload: str) -> str:
        await asyncio.sleep(0)
        return f"hello {payload}"

    assert run_inline(greet, "you").result == "hello you"


def test_a_kind_that_nobody_registered_is_named() -> None:
    with pytest.raises(LookupError, match="no handler of kind 'nobody' is registered"):
        run_inline("nobody")


def test_ctrl_c_ends_the_test() -> None:
    def interrupt(ctx: JobContext, payload: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_inline(interrupt, check=False)


def test_it_needs_the_client_package_alone() -> None:
    without = "import sys; sys.modules.update(dict.fromkeys(['slotd_server', 'pytest', 'grpc', 'structlog']))"
    code = f"{without}; from slotd.testing import run_inline; print(run_inline(lambda ctx, payload: payload, 3).result)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "3\n"


def test_what_the_service_needs_is_named_where_it_is_missing() -> None:
    code = "import sys; sys.modules['slotd_server'] = None; import slotd.testing.service"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "pip install 'slotd[testing]'" in run.stderr
