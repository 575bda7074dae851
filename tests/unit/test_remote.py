"""What is said to workers of their attempts, and what they say, without any connection."""

import pytest

from slotd_server.domain.commands import Finish, Lease
from slotd_server.domain.job import Job, Progress
from slotd_server.domain.outcome import Outcome, Snoozed, Succeeded
from slotd_server.domain.worker import Claimed, Standing
from slotd_server.execution.base import Reporting, Told
from slotd_server.execution.remote import Assign, RemoteRunner, Saying, Settled, Stop, Taken, TooFast
from tests.unit.test_slots import running

DONE: Outcome = Succeeded(None)
NOTHING = Told(None, b"")


class Wire:
    """A line that keeps what is said on it; `together` are the sizes of what came at once."""

    def __init__(self) -> None:
        self.said: list[Saying] = []
        self.together: list[int] = []
        self.replaced = False

    def say(self, *sayings: Saying) -> None:
        self.said += sayings
        self.together.append(len(sayings))

    def replace(self) -> None:
        self.replaced = True


class Desk:
    """A runner with a dispatcher that keeps what it is told."""

    def __init__(self) -> None:
        self.finishes: list[Finish] = []
        self.tellers: list[Lease] = []
        self.standing = Standing.RUNNING
        self.expected: list[str] = []
        reporting = Reporting(self.finishes.append, self.tellers.append)
        self.runner = RemoteRunner(reporting, lambda _: self.standing, self.expected.append)
        self.line = Wire()
        self.runner.attach("w1", self.line)

    @property
    def said(self) -> list[Saying]:
        """All that the worker has heard."""
        self.runner.flush()
        return self.line.said

    def report(
        self, job: Job, output: bytes = b"", offset: int | None = None, progress: Progress | None = None
    ) -> None:
        self.runner.reported("w1", claim(job), Told(progress, output), offset)

    def finish(self, job: Job, outcome: Outcome = DONE, output: bytes = b"", offset: int | None = None) -> None:
        self.runner.finished("w1", claim(job), outcome, Told(None, output), offset)


def on_worker(seq: int, *, output_size: int = 0, worker: str = "w1") -> Job:
    job = running(seq)
    return job.evolve(attempts=(job.attempts[0]._replace(worker=worker),), output_size=output_size)


def claim(job: Job) -> Claimed:
    return Claimed(job.id, job.fence)


def lease(job: Job) -> Lease:
    return Lease(job.seq, job.fence)


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def job(desk: Desk) -> Job:
    """One that the worker has been given."""
    one = on_worker(1)
    desk.runner.start(one)
    desk.runner.flush()
    return one


def test_a_job_is_said_to_its_worker(desk: Desk, job: Job) -> None:
    assert desk.said == [Assign(job)]


def test_a_job_of_one_that_is_not_there_is_said_to_nobody(desk: Desk) -> None:
    assert desk.runner.detach("w1", desk.line)
    desk.runner.start(on_worker(1))
    again = Wire()
    desk.runner.attach("w1", again)
    assert desk.said == again.said == []


def test_what_one_change_has_to_say_is_said_together(desk: Desk) -> None:
    desk.runner.start(on_worker(1))
    desk.runner.start(on_worker(2))
    assert desk.line.together == []
    desk.runner.flush()
    assert desk.line.together == [2]


def test_a_report_is_taken_once_and_that_is_said(desk: Desk, job: Job) -> None:
    desk.report(job, b"abc", progress=Progress(1, 2, ""))
    assert desk.tellers == [lease(job)]
    assert desk.runner.take(lease(job)) == Told(Progress(1, 2, ""), b"abc")
    desk.runner.kept(lease(job))
    assert desk.said[1:] == [Taken(claim(job))]
    assert desk.runner.take(lease(job)) == NOTHING
    desk.runner.kept(lease(job))
    assert desk.said[2:] == []


def test_nothing_is_called_taken_before_it_is_kept(desk: Desk, job: Job) -> None:
    """The worker would forget what goes with this server."""
    desk.report(job, b"abc")
    desk.runner.take(lease(job))
    assert desk.said == [Assign(job)]


def test_nothing_is_called_taken_that_was_not_reported(desk: Desk, job: Job) -> None:
    """The worker would take it for the one that is on its way."""
    desk.runner.take(lease(job))
    desk.runner.kept(lease(job))
    assert desk.said == [Assign(job)]


@pytest.mark.parametrize(
    ("begins", "pieces", "kept"),
    [
        (0, [(0, b"abc"), (0, b"abc")], b"abc"),
        (0, [(0, b"abc"), (0, b"abcdef")], b"abcdef"),
        (0, [(0, b"abc"), (3, b"def")], b"abcdef"),
        (5, [(5, b"abc"), (5, b"abc"), (8, b"d")], b"abcd"),
        (0, [(0, b"abc"), (1, b"b")], b"abc"),
        (0, [(None, b"abc"), (None, b"abc")], b"abcabc"),
    ],
)
def test_output_that_comes_again_is_kept_once(
    desk: Desk, begins: int, pieces: list[tuple[int | None, bytes]], kept: bytes
) -> None:
    one = on_worker(1, output_size=begins)
    desk.runner.start(one)
    for offset, data in pieces:
        desk.report(one, data, offset)
    assert desk.runner.take(lease(one)).output == kept


def test_what_was_taken_and_comes_again_with_the_finish_is_kept_once(desk: Desk, job: Job) -> None:
    desk.report(job, b"abc", 0)
    desk.runner.take(lease(job))
    desk.finish(job, output=b"abcdef", offset=0)
    assert desk.finishes == [Finish(lease(job), DONE, None, b"def")]


def test_the_end_takes_along_what_was_not_taken(desk: Desk, job: Job) -> None:
    desk.report(job, b"ab", progress=Progress(1, 2, "x"))
    desk.finish(job, output=b"cd")
    assert desk.finishes == [Finish(lease(job), DONE, Progress(1, 2, "x"), b"abcd")]
    assert desk.runner.take(lease(job)) == NOTHING


def test_an_end_that_is_said_again_counts_once(desk: Desk, job: Job) -> None:
    desk.finish(job)
    desk.finish(job, Snoozed(5))
    assert [finish.outcome for finish in desk.finishes] == [DONE]
    assert desk.said[1:] == []


def test_it_may_forget_an_attempt_once_its_end_is_kept(desk: Desk, job: Job) -> None:
    desk.finish(job)
    desk.runner.settled(lease(job))
    assert desk.said[1:] == [Settled(claim(job))]
    desk.finish(job)
    assert desk.said[2:] == [Settled(claim(job))]
    assert len(desk.finishes) == 1


def test_nothing_is_settled_that_has_not_ended(desk: Desk, job: Job) -> None:
    desk.runner.settled(lease(job))
    assert desk.said == [Assign(job)]


def test_what_is_not_its_own_changes_nothing(desk: Desk, job: Job) -> None:
    for other in (on_worker(2), job.evolve(fence=job.fence + 1)):
        desk.report(other, b"abc")
        desk.finish(other)
        assert desk.said[-2:] == [Stop(claim(other), Standing.NONE), Settled(claim(other))]
    desk.runner.attach("w2", Wire())
    desk.runner.reported("w2", claim(job), Told(None, b"abc"), None)
    desk.runner.finished("w2", claim(job), DONE, NOTHING, None)
    assert (desk.finishes, desk.tellers, desk.runner.take(lease(job))) == ([], [], NOTHING)


@pytest.mark.parametrize("standing", Standing)
def test_it_is_told_why_to_stop(desk: Desk, job: Job, standing: Standing) -> None:
    desk.standing = standing
    desk.runner.stop(lease(job))
    assert desk.said[1:] == [Stop(claim(job), standing)]


def test_one_that_comes_again_is_told_again_what_to_stop(desk: Desk, job: Job) -> None:
    other = on_worker(2)
    desk.runner.start(other)
    desk.runner.stop(lease(job))
    again = Wire()
    desk.runner.attach("w1", again)
    assert again.said == [Stop(claim(job), Standing.RUNNING)]
    assert desk.line.replaced


def test_what_it_is_asked_to_stop_while_it_is_away_it_hears_when_it_comes(desk: Desk, job: Job) -> None:
    desk.runner.detach("w1", desk.line)
    desk.runner.stop(lease(job))
    again = Wire()
    desk.runner.attach("w1", again)
    assert again.said == [Stop(claim(job), Standing.RUNNING)]


def test_an_earlier_line_that_ends_takes_nothing_from_the_present_one(desk: Desk, job: Job) -> None:
    again = Wire()
    desk.runner.attach("w1", again)
    assert not desk.runner.detach("w1", desk.line)
    desk.runner.stop(lease(job))
    desk.runner.flush()
    assert again.said == [Stop(claim(job), Standing.RUNNING)]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, []),
        ({"cancel_requested": True}, [Standing.RUNNING]),
        ({"lingering": True}, [Standing.ZOMBIE]),
    ],
)
def test_an_attempt_of_another_server_s_goes_on(desk: Desk, changes: dict[str, bool], said: list[Standing]) -> None:
    job = on_worker(1, worker="w9").evolve(**changes)
    desk.runner.adopt(job)
    assert desk.expected == ["w9"]
    line = Wire()
    desk.runner.attach("w9", line)
    assert line.said == [Stop(claim(job), standing) for standing in said]
    desk.runner.finished("w9", claim(job), DONE, NOTHING, None)
    assert [finish.lease for finish in desk.finishes] == [lease(job)]


def test_one_that_does_not_wait_is_stopped_before_memory_is_full(desk: Desk, job: Job) -> None:
    desk.report(job, bytes(1 << 20))
    desk.report(job, bytes(1 << 20))
    with pytest.raises(TooFast):
        desk.report(job, b"x")
