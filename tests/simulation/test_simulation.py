"""Runs the simulation: on the service as it is, where nothing may go wrong, and on mutants, where something must."""

import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.simulation.mutants import MUTANTS
from tests.simulation.witness import Violation
from tests.simulation.world import Failure, Result, World, simulate

_SEEDS = 2_000 if "CI" in os.environ else 500
_LONG_SEEDS = 100_000

_HUNTED = 3_000
"""In so many seeds each mutant has to be found; most are within a hundred."""

_LATE = {
    "bury_without_the_renewals_check",
    "count_an_outage_as_silence",
    "each_server_has_a_rate_of_its_own",
    "fence_servers_and_not_attempts",
}
"""Mutants that are found after more than a hundred seeds, with --long."""

_REPEATED = range(12)
"""Seeds that are run twice."""


def _replay(seed: int, mutant: str = "") -> str:
    return f"python -m tests.simulation {seed}{f' --mutant {mutant}' if mutant else ''}"


def _digest(seed: int) -> str:
    result = simulate(World(seed))
    assert isinstance(result, Result), f"{result}; replay: {_replay(seed)}"
    return result.digest


@pytest.mark.timeout(7200)
def test_whatever_fails_all_ends_well(capsys: pytest.CaptureFixture[str], long_run: bool) -> None:
    steps = events = 0
    wrong = []
    for seed in range(_LONG_SEEDS if long_run else _SEEDS):
        result = simulate(World(seed))
        if isinstance(result, Failure):
            wrong.append(f"{_replay(seed)}   # {result}")
        else:
            steps, events = steps + result.steps, events + result.events
    with capsys.disabled():
        print(f"\nsimulation: {seed + 1} seeds, {steps} steps, {events} events")
    assert not wrong, "\n".join(["these seeds went wrong; replay:", *wrong[:20]])


def test_a_seed_always_makes_the_same_run() -> None:
    assert [_digest(seed) for seed in _REPEATED] == [_digest(seed) for seed in _REPEATED]


def test_a_seed_makes_the_same_run_in_another_process() -> None:
    # Sets of texts are in another order there.
    code = (
        "from tests.simulation.test_simulation import _digest, _REPEATED\nfor seed in _REPEATED: print(_digest(seed))"
    )
    other = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert other.stdout.split() == [_digest(seed) for seed in _REPEATED]


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "mutant",
    [pytest.param(MUTANTS[name], marks=[pytest.mark.long] * (name in _LATE), id=name) for name in MUTANTS],
)
def test_it_finds(mutant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch) -> None:
    mutant(monkeypatch)
    for seed in range(_HUNTED):
        result = simulate(World(seed))
        if isinstance(result, Failure):
            # What breaks down by itself has not been found by anybody.
            assert isinstance(result.error, (AssertionError, KeyError, Violation)), result
            return
    pytest.fail(f"not found in {_HUNTED} seeds")
