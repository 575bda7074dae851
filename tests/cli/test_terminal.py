"""What a terminal gets to see: colours, bars that move, questions."""

import io
import re
import signal
from datetime import UTC, datetime
from pathlib import Path

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc import status_pb2
from rich.console import Console

from slotd import v1
from slotd.cli.live import Bar, Board
from tests.cli.conftest import Screen, Service
from tests.cli.scripted import Shelf
from tests.cli.test_submit import FAILURE, SUCCESS

NOW = datetime.fromtimestamp(1_900_000_060, UTC)


def drawn(display: Board | Bar, width: int = 120, height: int = 24) -> list[str]:
    console = Console(width=width, height=height, file=io.StringIO())
    console.print(display.render())
    output = console.file
    assert isinstance(output, io.StringIO)
    return [line.rstrip() for line in output.getvalue().splitlines()]


def event(job: v1.Job, kind: v1.EventType.ValueType = v1.EVENT_TYPE_CHANGED, **changes: object) -> v1.JobEvent:
    copy = v1.Job()
    copy.CopyFrom(job)
    copy.MergeFrom(v1.Job(**changes))  # type: ignore[arg-type]
    return v1.JobEvent(type=kind, job=copy)


def board(width: int = 120, height: int = 24) -> Board:
    return Board(Console(width=width, height=height, file=io.StringIO()), lambda: NOW)


def test_board_shows_running_jobs_first_then_waiting_ones_then_ended_ones() -> None:
    shelf, shown = Shelf(), board()
    started = Timestamp(seconds=1_900_000_030)
    waiting, ended, running = shelf.add("wait"), shelf.add("end"), shelf.add("run")
    shown.show(event(waiting, v1.EVENT_TYPE_SNAPSHOT), "")
    shown.show(event(ended, state=v1.JOB_STATE_FAILED, error=status_pb2.Status(code=2, message="no room")), "")
    progress = v1.Progress(done=3, total=10, message="[bold]decoding")
    shown.show(event(running, state=v1.JOB_STATE_RUNNING, start_time=started, progress=progress), "")
    lines = drawn(shown)
    assert [line.split()[1:4] for line in lines[1:4]] == [
        ["run", "default", "RUNNING"],
        ["wait", "default", "QUEUED"],
        ["end", "default", "FAILED"],
    ]
    assert re.search(r"━+╸ +3/10 \[bold\]decoding +30s$", lines[1])
    assert "no room" in lines[3]
    assert lines[-1] == "1 queued, 1 running, 1 failed"


def test_board_drops_what_is_gone_or_left_the_filter() -> None:
    shelf, shown = Shelf(), board()
    first, second = shelf.add(), shelf.add()
    for job in (first, second):
        shown.show(event(job, v1.EVENT_TYPE_SNAPSHOT), "")
    shown.show(event(first, v1.EVENT_TYPE_DELETED), "")
    assert drawn(shown)[-1] == "1 queued"
    shown.show(event(second, v1.EVENT_TYPE_LEFT_FILTER), "")
    assert drawn(shown)[-1] == "no jobs yet"


def test_board_is_no_higher_than_the_terminal_and_counts_what_it_leaves_out() -> None:
    shelf, shown = Shelf(), board(height=10)
    for number in range(300):
        state = v1.JOB_STATE_SUCCEEDED if number % 2 else v1.JOB_STATE_QUEUED
        shown.show(event(shelf.add(), v1.EVENT_TYPE_SNAPSHOT, state=state), "")
    lines = drawn(shown, height=10)
    assert len(lines) <= 10
    assert lines[-1] == "150 queued, 150 succeeded (294 not shown)"


def test_board_counts_a_job_once_that_comes_back_after_it_was_dropped_from_the_table() -> None:
    shelf, shown = Shelf(), board()
    jobs = [shelf.add() for _ in range(250)]
    for job in jobs:
        shown.show(event(job, state=v1.JOB_STATE_FAILED), "")
    shown.show(event(jobs[0]), "")
    assert drawn(shown)[-1].startswith("1 queued, 249 failed")


@pytest.mark.parametrize("width", [60, 80, 109, 110, 200])
def test_board_keeps_ids_whole(width: int) -> None:
    shelf, shown = Shelf(), board(width=width)
    job = shelf.add("a-kind-with-quite-a-long-name", queue="a-queue-with-quite-a-long-name")
    shown.show(event(job, progress=v1.Progress(done=1, message="word " * 100), state=v1.JOB_STATE_RUNNING), "")
    lines = drawn(shown, width)
    assert lines[1].startswith(job.id)
    assert all(len(line) <= width for line in lines)


def test_board_says_what_a_blocked_job_waits_for() -> None:
    shelf, shown = Shelf(), board()
    job = shelf.add("sew")
    blocked_by = ["jobs/the-cut", "groups/orders"]
    error = status_pb2.Status(code=2, message="of the attempt before")
    shown.show(event(job, state=v1.JOB_STATE_BLOCKED, blocked_by=blocked_by, error=error), "")
    lines = drawn(shown)
    assert "waits for jobs/the-cut and 1 more" in lines[1]
    assert lines[-1] == "1 blocked"


def test_bar_shows_state_progress_and_words() -> None:
    job = Shelf().add()
    bar = Bar(Console(width=120, file=io.StringIO()), lambda: NOW, job)
    assert "QUEUED" in drawn(bar)[0]
    progress = v1.Progress(done=5, total=10, message="half way")
    bar.show(event(job, state=v1.JOB_STATE_RUNNING, attempt=2, progress=progress), "")
    line = drawn(bar)[0]
    assert "RUNNING 2/3" in line
    assert "5/10 half way" in line


def test_submit_wait_ends_with_the_result(terminal: Screen, service: Service) -> None:
    service.shelf.scripts["count"] = SUCCESS
    screen = terminal("submit", "count", "--wait")
    assert screen.finish() == 0
    assert "SUCCEEDED in 2.0s" in screen.plain()
    assert 'result: {"n":10}' in screen.plain()


def test_submit_wait_that_fails(terminal: Screen, service: Service) -> None:
    service.shelf.scripts["count"] = FAILURE
    screen = terminal("submit", "count", "--wait")
    assert screen.finish() == 1
    assert "error: no such file" in screen.plain()


def test_submit_wait_shows_a_bar_until_ctrl_c(terminal: Screen, service: Service) -> None:
    service.shelf.scripts["endless"] = SUCCESS[:2]
    screen = terminal("submit", "endless", "--wait")
    screen.expect("3/10 decoding")
    screen.interrupt()
    assert screen.finish() == 130
    assert "goes on: `slotd watch" in screen.plain()
    assert screen.written.rstrip().endswith("ends it") or "\x1b[?25h" in screen.written


def test_watch_is_a_live_table_until_ctrl_c(terminal: Screen, service: Service) -> None:
    service.shelf.scripts["count"] = SUCCESS[:2]
    service.shelf.add()
    screen = terminal("watch")
    screen.expect("3/10 decoding")
    screen.interrupt()
    assert screen.finish() == 130
    assert "slotd watch --since step-2" in screen.plain()
    assert service.shelf.streamed[0].include_progress
    # The cursor is visible again.
    assert screen.written.rindex("\x1b[?25h") > screen.written.rindex("\x1b[?25l")


def test_watch_in_json_is_lines_on_a_terminal_too(terminal: Screen, service: Service) -> None:
    service.shelf.add(state=v1.JOB_STATE_SUCCEEDED)
    (job_id,) = service.shelf.jobs
    screen = terminal("watch", job_id, "-o", "json")
    assert screen.finish() == 0
    assert screen.written.startswith('{"revision":1,')
    assert "\x1b[" not in screen.written


def test_a_dumb_terminal_gets_lines(terminal: Screen, service: Service) -> None:
    job = service.shelf.add(state=v1.JOB_STATE_SUCCEEDED)
    screen = terminal("watch", job.id, TERM="dumb")
    assert screen.finish() == 0
    assert "\x1b[" not in screen.written
    assert job.id in screen.written


def test_list_has_colours_and_fits(terminal: Screen, service: Service) -> None:
    job = service.shelf.add("k" * 100, v1.JOB_STATE_FAILED)
    screen = terminal("list", columns=80)
    assert screen.finish() == 0
    assert "\x1b[1;31mFAILED" in screen.written
    assert job.id in screen.plain()
    assert all(len(line) <= 80 for line in screen.plain().splitlines())


@pytest.mark.parametrize(("columns", "titles"), [(80, 5), (120, 8), (160, 11)])
def test_list_leaves_columns_out_where_there_is_no_room(
    terminal: Screen, service: Service, columns: int, titles: int
) -> None:
    service.shelf.add(state=v1.JOB_STATE_FAILED, error=status_pb2.Status(code=2, message="no room"))
    screen = terminal("list", columns=columns)
    assert screen.finish() == 0
    assert len(screen.plain().splitlines()[0].split()) == titles
    assert "no room" in screen.plain()


def test_no_color(terminal: Screen, service: Service) -> None:
    service.shelf.add(state=v1.JOB_STATE_FAILED)
    screen = terminal("list", NO_COLOR="1")
    assert screen.finish() == 0
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", screen.written)


def test_words_of_a_job_cannot_steer_the_terminal(terminal: Screen, service: Service) -> None:
    job = service.shelf.add(
        state=v1.JOB_STATE_FAILED, error=status_pb2.Status(code=2, message="\x1b]0;owned\x07 [red]x[/red]")
    )
    for words in (["list"], ["get", job.id], ["wait", job.id], ["watch", job.id]):
        screen = terminal(*words, columns=200)
        screen.finish()
        assert "\x1b]0;owned" not in screen.written
        assert "[red]x" in screen.plain()


def test_list_says_when_there_is_more(terminal: Screen, service: Service) -> None:
    for _ in range(3):
        service.shelf.add()
    screen = terminal("list", "--limit", "2")
    assert screen.finish() == 0
    assert "the newest 2; --limit N or --all shows more" in screen.plain()


@pytest.mark.parametrize(("answer", "left"), [("y\r", 0), ("n\r", 1), ("\r", 1)])
def test_purge_asks_first(terminal: Screen, service: Service, answer: str, left: int) -> None:
    service.shelf.add(state=v1.JOB_STATE_FAILED)
    screen = terminal("purge")
    screen.expect("Delete 1 job that ended, all of them? [y/N]")
    screen.type(answer)
    assert screen.finish() == 0
    assert len(service.shelf.jobs) == left


@pytest.mark.parametrize(
    ("words", "state", "question"),
    [
        ("cancel --all", v1.JOB_STATE_QUEUED, "Cancel 1 job not ended yet, all of them? [y/N]"),
        ("retry --state failed", v1.JOB_STATE_FAILED, "Retry 1 job that ended without success, all that match? [y/N]"),
        ("delete -k count", v1.JOB_STATE_FAILED, "Delete 1 job that ended, all that match? [y/N]"),
        ("delete -k count --force", v1.JOB_STATE_QUEUED, "Delete 1 job, all that match? [y/N]"),
    ],
)
def test_what_works_in_bulk_asks_first(
    terminal: Screen, service: Service, words: str, state: v1.JobState.ValueType, question: str
) -> None:
    service.shelf.add(state=state)
    screen = terminal(*words.split())
    screen.expect(question)
    screen.type("n\r")
    assert screen.finish() == 0
    assert "nothing was" in screen.plain()
    assert [job.state for job in service.shelf.jobs.values()] == [state]
    assert all(request.validate_only for request in service.shelf.bulk)


def test_a_batch_that_is_waited_for_is_a_live_table(terminal: Screen, service: Service, tmp_path: Path) -> None:
    service.shelf.scripts["count"] = SUCCESS
    path = tmp_path / "jobs.json"
    path.write_text('{"a": {"kind": "count"}, "b": {"kind": "count", "depends_on": "a"}}')
    screen = terminal("submit", "--file", str(path), "--wait")
    assert screen.finish() == 0
    assert "2 succeeded" in screen.plain()


def test_purge_with_yes_does_not_ask(terminal: Screen, service: Service) -> None:
    service.shelf.add(state=v1.JOB_STATE_FAILED)
    screen = terminal("purge", "--yes")
    assert screen.finish() == 0
    assert not service.shelf.jobs


def test_ctrl_c_at_the_question_deletes_nothing(terminal: Screen, service: Service) -> None:
    service.shelf.add(state=v1.JOB_STATE_FAILED)
    screen = terminal("purge")
    screen.expect("[y/N]")
    screen.interrupt()
    # By the signal itself, which a shell shows as 130.
    assert screen.finish() == -signal.SIGINT
    assert service.shelf.jobs
