"""The command `top`: what it prints once, and what it needs to go on."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from slotd import v1
from tests.cli.conftest import Screen, Service, Slotd, environment
from tests.service import LocalService, starting


@pytest.fixture
def real() -> Iterator[LocalService]:
    with starting() as start:
        yield start()


def stock(service: Service) -> tuple[v1.Job, v1.Job]:
    """A queue, a job that runs, and one that failed."""
    now = Timestamp()
    now.GetCurrentTime()
    service.shelf.queues["mail"] = v1.Queue(name="mail", slots=3, paused=True)
    running = service.shelf.add("send", v1.JOB_STATE_RUNNING, queue="mail", start_time=now)
    ended = service.shelf.add("send", v1.JOB_STATE_FAILED, queue="mail", start_time=now, end_time=now)
    ended.error.message = "no\nroom"
    return running, ended


def test_once_prints_queues_and_jobs_as_plain_tables(service: Service, slotd: Slotd) -> None:
    running, ended = stock(service)
    lines = slotd("top", "--once").stdout.splitlines()
    assert next(line for line in lines if line.startswith("mail")).endswith("paused")
    assert [line.split()[0] for line in lines if line.startswith(("RUNNING", "ENDED"))] == ["RUNNING", "ENDED"]
    assert next(line for line in lines if line.startswith(running.id)).split()[1:3] == ["send", "mail"]
    assert "no\\nroom" in next(line for line in lines if line.startswith(ended.id))


def test_once_as_json_is_one_object(service: Service, slotd: Slotd) -> None:
    running, ended = stock(service)
    found = json.loads(slotd("top", "--once", "-o", "json").stdout)
    assert found["address"] == service.address
    assert [queue["name"] for queue in found["queues"]] == ["mail"]
    assert [job["id"] for job in found["running"]] == [running.id]
    assert [job["error"]["message"] for job in found["ended"]] == [ended.error.message]
    assert found["slots"]["slots"] == service.shelf.slots


def test_without_a_terminal_it_suggests_once(slotd: Slotd) -> None:
    result = slotd("top")
    assert result.exit_code == 2
    assert "needs a terminal: slotd top --once" in result.stderr


def test_json_goes_with_once_alone(slotd: Slotd) -> None:
    result = slotd("top", "-o", "json")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--once" in result.stderr


def test_once_says_when_there_is_no_service(slotd: Slotd) -> None:
    result = slotd("top", "--once", "--address", "127.0.0.1:1")
    assert result.exit_code == 4
    assert "no service at 127.0.0.1:1" in result.stderr


def test_once_refuses_what_is_no_address(slotd: Slotd) -> None:
    assert slotd("top", "--once", "--address", "http://127.0.0.1:1").exit_code == 2


def test_it_says_what_to_install(terminal: Screen, tmp_path: Path) -> None:
    (tmp_path / "textual.py").write_text("raise ModuleNotFoundError('none', name='textual')\n")
    paths = os.pathsep.join([str(tmp_path), environment()["PYTHONPATH"]])
    screen = terminal("top", PYTHONPATH=paths)
    assert screen.finish() == 2
    assert "slotd top needs textual: install 'slotd[cli]'" in screen.plain()


def test_on_a_terminal_it_draws_until_q_and_without_colours_where_they_are_not_wanted(
    terminal: Screen, real: LocalService
) -> None:
    real.at.client.submit_and_wait("hopeless", "no room")
    screen = terminal("top", "--address", real.at.address, NO_COLOR="1")
    screen.expect("PermanentError")
    screen.type("q")
    assert screen.finish() == 0
    styles = set(re.findall(r"\x1b\[([0-9;]*)m", screen.written))
    codes = {int(code) for style in styles for code in style.split(";") if code}
    # 39 and 49 are the terminal's own colours.
    assert not codes & {*range(30, 39), *range(40, 49), *range(90, 98)}
    assert 7 in codes
