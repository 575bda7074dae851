"""The picture of the states, as a table of who may follow whom."""

import pytest

from slotd_server.domain.states import MOVES, TERMINAL, WAITING, State


def test_every_state_is_either_waiting_running_or_terminal() -> None:
    assert WAITING | TERMINAL | {State.RUNNING} == set(State)
    assert not WAITING & TERMINAL
    assert [state for state in State if state.waiting] == [State.SCHEDULED, State.BLOCKED, State.QUEUED]
    assert [state for state in State if state.terminal] == [State.SUCCEEDED, State.FAILED, State.CANCELLED]


def test_only_a_queued_job_starts() -> None:
    assert [state for state in State if State.RUNNING in MOVES[state]] == [State.QUEUED]


def test_only_a_running_job_succeeds() -> None:
    assert [state for state in State if State.SUCCEEDED in MOVES[state]] == [State.RUNNING]


@pytest.mark.parametrize("state", [State.FAILED, State.CANCELLED])
def test_retry_leads_back_to_waiting_alone(state: State) -> None:
    assert MOVES[state] == WAITING


def test_success_is_for_ever() -> None:
    assert not MOVES[State.SUCCEEDED]


@pytest.mark.parametrize("state", [*WAITING, State.RUNNING])
def test_whatever_is_not_terminal_can_fail_or_be_cancelled(state: State) -> None:
    assert MOVES[state] >= {State.FAILED, State.CANCELLED}


def test_numbers_are_those_of_the_proto() -> None:
    assert {state.name: int(state) for state in State} == {
        "SCHEDULED": 1,
        "BLOCKED": 2,
        "QUEUED": 3,
        "RUNNING": 4,
        "SUCCEEDED": 5,
        "FAILED": 6,
        "CANCELLED": 7,
    }
