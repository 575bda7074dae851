"""`slotd group`."""

import json

import pytest

from slotd import v1
from tests.cli.conftest import Screen, Service, Slotd


@pytest.fixture(autouse=True)
def group(service: Service) -> None:
    for state in (v1.JOB_STATE_QUEUED, v1.JOB_STATE_RUNNING, v1.JOB_STATE_SUCCEEDED):
        service.shelf.add(state=state, group="orders")


def test_show(slotd: Slotd) -> None:
    head, row = slotd("group", "show", "orders").stdout.splitlines()
    counted = dict(zip(head.split(), row.split(), strict=True))
    assert counted == {
        "GROUP": "orders",
        "JOBS": "3",
        "ENDED": "1",
        "SCHEDULED": "0",
        "BLOCKED": "0",
        "QUEUED": "1",
        "RUNNING": "1",
        "SUCCEEDED": "1",
        "FAILED": "0",
        "CANCELLED": "0",
    }
    shown = json.loads(slotd("group", "show", "orders", "-o", "json").stdout)
    assert shown["group"]["progress"] == {"done": 1, "total": 3, "message": ""}
    assert shown["cursor"] == "grouped"


def test_show_has_a_bar_on_a_terminal(terminal: Screen) -> None:
    screen = terminal("group", "show", "orders")
    assert screen.finish() == 0
    assert screen.plain().rstrip().endswith("33%")
    assert "━" in screen.plain()


def test_cancel(slotd: Slotd, service: Service) -> None:
    assert slotd("group", "cancel", "orders", "--dry-run").stdout == "2 jobs would be cancelled\n"
    found = json.loads(slotd("group", "cancel", "orders", "-o", "json").stdout)
    assert found == {"cancel_count": 2, "validate_only": False}
    assert service.shelf.bulk == [
        v1.CancelGroupRequest(name="orders", validate_only=True),
        v1.CancelGroupRequest(name="orders"),
    ]


@pytest.mark.parametrize(("answer", "left"), [("y\r", 0), ("n\r", 2)])
def test_cancel_asks_first(terminal: Screen, service: Service, answer: str, left: int) -> None:
    screen = terminal("group", "cancel", "orders")
    screen.expect("Cancel 2 jobs not ended yet, all of group orders? [y/N]")
    screen.type(answer)
    assert screen.finish() == 0
    waiting = (v1.JOB_STATE_QUEUED, v1.JOB_STATE_RUNNING)
    assert sum(job.state in waiting for job in service.shelf.jobs.values()) == left


@pytest.mark.parametrize("command", ["show", "cancel"])
def test_a_group_that_is_not_there(slotd: Slotd, command: str) -> None:
    result = slotd("group", command, "nobody")
    assert (result.exit_code, result.stderr) == (3, "Error: no group 'nobody' (GROUP_NOT_FOUND)\n")
