"""What every runner does: calls the handler, turns whatever comes of it into one outcome, and tells what it is told."""

import asyncio
import threading
from datetime import UTC, datetime
from typing import Any

import pytest

from slotd.context import JobCancelled, JobContext
from slotd.handlers import PermanentError, Snooze
from slotd_server.domain.commands import Finish, Lease
from slotd_server.domain.job import Payload, Progress
from slotd_server.domain.outcome import Failed, Snoozed, Succeeded
from slotd_server.execution.base import Told
from tests.conformance.running import PATIENCE, Bench, Signal


def failure(finish: Finish) -> tuple[str, str, bool]:
    assert isinstance(finish.outcome, Failed)
    return *finish.outcome.failure, finish.outcome.permanent


class TestOutcomes:
    def test_what_it_returns_is_the_result(self, bench: Bench) -> None:
        finish = bench.run(lambda ctx, payload: {"sum": sum(payload)}, Payload("application/json", b"[1, 2]"))
        assert isinstance(finish.outcome, Succeeded)
        result = finish.outcome.result
        assert result is not None
        assert (result.content_type, result.data.replace(b" ", b"")) == ("application/json", b'{"sum":3}')

    def test_nothing_is_no_result(self, bench: Bench) -> None:
        assert bench.run(lambda ctx, payload: None).outcome == Succeeded(None)

    def test_without_a_payload_it_gets_none(self, bench: Bench) -> None:
        seen: list[Any] = []
        bench.run(lambda ctx, payload: seen.append(payload))
        assert seen == [None]

    @pytest.mark.parametrize(
        ("content_type", "data", "expected"),
        [
            ("application/json", b'{"a": [1]}', {"a": [1]}),
            ("text/plain", "ü".encode(), "ü"),
            ("application/octet-stream", b"\x00\xff", b"\x00\xff"),
        ],
    )
    def test_payloads_are_decoded_by_their_type(
        self, bench: Bench, content_type: str, data: bytes, expected: object
    ) -> None:
        seen: list[object] = []
        bench.run(lambda ctx, payload: seen.append(payload), Payload(content_type, data))
        assert seen == [expected]

    def test_a_payload_that_can_t_be_read_never_will_be(self, bench: Bench) -> None:
        reason, _, permanent = failure(bench.run(lambda ctx, payload: None, Payload("application/json", b"{")))
        assert (reason, permanent) == ("PAYLOAD_INVALID", True)

    @pytest.mark.parametrize("result", [object(), {1: {2}}, float("nan")])
    def test_a_result_that_can_t_be_told_is_an_error(self, bench: Bench, result: object) -> None:
        reason, _, permanent = failure(bench.run(lambda ctx, payload: result))
        assert (reason, permanent) == ("RESULT_INVALID", True)

    def test_a_result_that_is_too_large_is_an_error(self, bench: Bench) -> None:
        assert isinstance(bench.run(lambda ctx, payload: bytes(1000)).outcome, Succeeded)
        reason, _, permanent = failure(bench.run(lambda ctx, payload: bytes(1001)))
        assert (reason, permanent) == ("RESULT_TOO_LARGE", True)

    @pytest.mark.parametrize(
        "error",
        [ValueError("bad"), TimeoutError("own"), SystemExit(3), KeyboardInterrupt(), GeneratorExit(), BaseException()],
        ids=repr,
    )
    def test_whatever_is_raised_ends_this_attempt_only(self, bench: Bench, error: BaseException) -> None:
        def fail(ctx: JobContext, payload: object) -> None:
            raise error

        reason, message, permanent = failure(bench.run(fail))
        assert (reason, permanent) == ("HANDLER_ERROR", False)
        assert type(error).__name__ in message
        assert bench.run(lambda ctx, payload: None).outcome == Succeeded(None)

    def test_an_error_that_can_t_say_what_it_is_is_named(self, bench: Bench) -> None:
        class Mute(Exception):
            def __str__(self) -> str:
                raise RuntimeError

        def fail(ctx: JobContext, payload: object) -> None:
            raise Mute

        assert failure(bench.run(fail))[1] == "Mute"

    def test_a_long_message_is_cut(self, bench: Bench) -> None:
        def fail(ctx: JobContext, payload: object) -> None:
            raise ValueError("x" * 100_000 + "\udcff")

        assert len(failure(bench.run(fail))[1]) <= 4096

    def test_a_permanent_error(self, bench: Bench) -> None:
        def fail(ctx: JobContext, payload: object) -> None:
            raise PermanentError("no such bucket")

        assert failure(bench.run(fail)) == ("PERMANENT_ERROR", "PermanentError: no such bucket", True)

    def test_a_snooze(self, bench: Bench) -> None:
        def later(ctx: JobContext, payload: object) -> None:
            raise Snooze(1.5)

        assert bench.run(later).outcome == Snoozed(1_500_000)


class TestContext:
    def test_it_knows_its_job(self, bench: Bench) -> None:
        seen: list[Any] = []

        def look(ctx: JobContext, payload: object) -> None:
            seen.extend([ctx.job_id, ctx.attempt, ctx.queue, dict(ctx.labels), ctx.deadline])

        bench.run(look, timeout=5)
        deadline = datetime.fromtimestamp(1_700_000_005, UTC)
        assert seen == ["job-1", 1, "default", {"team": "blue"}, deadline]

    def test_without_a_timeout_there_is_no_deadline(self, bench: Bench) -> None:
        seen: list[Any] = []
        bench.run(lambda ctx, payload: seen.append(ctx.deadline))
        assert seen == [None]

    def test_what_is_told_on_the_way_is_announced_once_until_it_is_taken(self, bench: Bench) -> None:
        go, there = Signal(), Signal()

        def talk(ctx: JobContext, payload: object) -> None:
            for number in range(3):
                ctx.progress(number, 3, f"step {number}")
                ctx.write(f"{number} ")
            there.set()
            go.await_it()
            ctx.progress(3, 3)
            ctx.write(b"end")

        lease = bench.start(talk)
        there.await_it()
        assert bench.told.get(timeout=PATIENCE) == lease
        assert bench.told.empty()
        assert bench.runner.take(lease) == Told(Progress(2, 3, "step 2"), b"0 1 2 ")
        assert bench.runner.take(lease) == Told(None, b"")
        go.set()
        finish = bench.finished()
        assert (finish.progress, finish.output) == (Progress(3, 3, ""), b"end")

    def test_nothing_is_to_be_taken_from_one_that_has_ended(self, bench: Bench) -> None:
        finish = bench.run(lambda ctx, payload: ctx.write("x"))
        assert finish.output == b"x"
        assert bench.runner.take(finish.lease) == Told(None, b"")
        assert bench.runner.take(Lease(99, 1)) == Told(None, b"")

    def test_output_is_written_and_taken_at_once(self, bench: Bench) -> None:
        """Whatever is taken while it is being written, nothing is lost and nothing comes twice."""
        begun = Signal()
        words = [f"{number},".encode() for number in range(5000)]

        def write(ctx: JobContext, payload: object) -> None:
            begun.set()
            for word in words:
                ctx.write(word)

        lease = bench.start(write)
        begun.await_it()
        pieces = [bench.runner.take(lease).output for _ in range(200)]
        pieces.append(bench.finished().output)
        assert b"".join(pieces) == b"".join(words)


class TestResults:
    """Of the jobs that the handler's own depended on."""

    def test_they_are_there_by_name_and_decoded(self, bench: Bench) -> None:
        bench.results = {
            "a": Payload("application/json", b"[1, 2]"),
            "b": Payload("text/plain", b"words"),
            "c": None,
        }
        seen: list[Any] = []
        bench.run(lambda ctx, payload: seen.append(dict(ctx.results)))
        assert seen == [{"a": [1, 2], "b": "words", "c": None}]

    def test_they_are_looked_up_when_they_are_first_wanted_and_once(self, bench: Bench) -> None:
        bench.run(lambda ctx, payload: None)
        assert bench.asked == []
        bench.results = {"a": None}
        bench.run(lambda ctx, payload: str((len(ctx.results), ctx.results["a"], list(ctx.results))))
        assert bench.asked == ["job-2"]

    def test_each_attempt_sees_its_own(self, bench: Bench) -> None:
        def first(ctx: JobContext, payload: object) -> Any:
            return ctx.results["a"]

        for value in (1, 2):
            bench.results = {"a": Payload("application/json", str(value).encode())}
            assert bench.run(first).outcome == Succeeded(bench.results["a"])

    def test_what_is_not_there_is_a_key_error(self, bench: Bench) -> None:
        reason, message, _ = failure(bench.run(lambda ctx, payload: ctx.results["none"]))
        assert (reason, message) == ("HANDLER_ERROR", "KeyError: 'none'")

    def test_one_that_can_t_be_decoded_is_an_error_that_names_it(self, bench: Bench) -> None:
        bench.results = {"a": Payload("application/json", b"{"), "b": Payload("text/plain", b"fine")}
        assert isinstance(bench.run(lambda ctx, payload: ctx.results["b"]).outcome, Succeeded)
        reason, message, _ = failure(bench.run(lambda ctx, payload: ctx.results["a"]))
        assert reason == "HANDLER_ERROR"
        assert "'a'" in message

    def test_a_store_that_fails_ends_the_attempt_alone(self, bench: Bench) -> None:
        class Away(dict[str, None]):
            def __len__(self) -> int:
                raise OSError("the disk is gone")

        bench.results = Away()
        assert failure(bench.run(lambda ctx, payload: len(ctx.results)))[0] == "HANDLER_ERROR"
        assert bench.run(lambda ctx, payload: None).outcome == Succeeded(None)

    def test_an_async_handler_has_them_too(self, bench: Bench) -> None:
        bench.results = {"a": Payload("application/json", b"3")}

        async def add(ctx: JobContext, payload: object) -> int:
            return int(ctx.results["a"]) + 1

        assert bench.run(add).outcome == Succeeded(Payload("application/json", b"4"))


class TestStopping:
    def test_a_handler_hears_that_it_is_to_stop(self, bench: Bench) -> None:
        def wait(ctx: JobContext, payload: object) -> None:
            assert not ctx.cancelled
            begun.set()
            assert ctx.wait_cancelled(PATIENCE)
            ctx.raise_if_cancelled()

        begun = Signal()
        lease = bench.start(wait)
        begun.await_it()
        bench.runner.stop(lease)
        assert failure(bench.finished()) == ("CANCELLED", "JobCancelled: job job-1 was cancelled", False)

    def test_its_own_except_exception_lets_it_by(self, bench: Bench) -> None:
        def stubborn(ctx: JobContext, payload: object) -> None:
            begun.set()
            ctx.wait_cancelled(PATIENCE)
            try:
                ctx.raise_if_cancelled()
            except Exception:  # noqa: BLE001 - what handlers do
                return

        begun = Signal()
        assert not issubclass(JobCancelled, Exception)
        lease = bench.start(stubborn)
        begun.await_it()
        bench.runner.stop(lease)
        assert failure(bench.finished())[0] == "CANCELLED"

    def test_one_that_ignores_it_is_reported_when_it_really_returns(self, bench: Bench) -> None:
        begun, go = Signal(), Signal()

        def deaf(ctx: JobContext, payload: object) -> str:
            begun.set()
            go.await_it()
            return "done"

        lease = bench.start(deaf)
        begun.await_it()
        bench.runner.stop(lease)
        bench.runner.stop(lease)
        go.set()
        assert isinstance(bench.finished().outcome, Succeeded)

    def test_stopping_what_has_ended_does_nothing(self, bench: Bench) -> None:
        finish = bench.run(lambda ctx, payload: None)
        bench.runner.stop(finish.lease)
        bench.runner.stop(Lease(99, 1))


class TestAsync:
    def test_an_async_handler_is_awaited(self, bench: Bench) -> None:
        async def add(ctx: JobContext, payload: list[int]) -> int:
            await asyncio.sleep(0)
            return sum(payload)

        outcome = bench.run(add, Payload("application/json", b"[1, 2]")).outcome
        assert outcome == Succeeded(Payload("application/json", b"3"))

    def test_it_is_cancelled_where_it_waits(self, bench: Bench) -> None:
        begun = Signal()
        cleaned = Signal()

        async def wait(ctx: JobContext, payload: object) -> None:
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                cleaned.set()

        lease = bench.start(wait)
        begun.await_it()
        bench.runner.stop(lease)
        assert failure(bench.finished())[0] == "CANCELLED"
        assert cleaned.is_set()

    def test_its_errors_are_like_any_other_s(self, bench: Bench) -> None:
        async def fail(ctx: JobContext, payload: object) -> None:
            raise PermanentError("no")

        assert failure(bench.run(fail)) == ("PERMANENT_ERROR", "PermanentError: no", True)


def test_many_run_at_once(bench: Bench) -> None:
    together = threading.Barrier(20, timeout=PATIENCE)
    for _ in range(20):
        bench.start(lambda ctx, payload: str(together.wait())[:0] or None)
    outcomes = [bench.finished().outcome for _ in range(20)]
    assert outcomes == [Succeeded(None)] * 20
