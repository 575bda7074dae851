"""The checker bites: spoilt histories, and those of services that are wrong, each with the right verdict."""

from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from random import Random

import pytest

from tests.faults.checker.check import check
from tests.faults.checker.verdicts import KINDS
from tests.faults.checker_tests.model import BUGS
from tests.faults.checker_tests.mutants import MUTANTS, Spoiler, Unfit
from tests.faults.checker_tests.play import History, play

_HISTORIES = 12
_STEPS = 500
_EACH = 2
"""In so many histories each mutant is looked for."""


@lru_cache(maxsize=_HISTORIES)
def _good(seed: int) -> History:
    return play(Random(seed), _STEPS)


def test_each_promise_is_broken_by_some_mutant() -> None:
    found = {kind for _, kind in MUTANTS.values()} | {*BUGS.values()}
    # A search that is given up breaks no promise; test_linear has it.
    assert found == KINDS.keys() - {"undecided"}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_spoilt_history_is_found(name: str, tmp_path: Path) -> None:
    mutate, kind = MUTANTS[name]
    spoilt = 0
    for seed in range(_HISTORIES):
        history = deepcopy(_good(seed))
        try:
            mutate(Spoiler(history, Random(seed)))
        except Unfit:
            continue
        found = check(history.write(tmp_path)).verdicts.found
        assert kind in {one.kind for one in found}, f"history {seed}: {found}"
        spoilt += 1
        if spoilt == _EACH:
            return
    assert spoilt, "no history has a place for it"


@pytest.mark.parametrize("bug", BUGS)
def test_a_service_with_a_bug_is_found(bug: str, tmp_path: Path) -> None:
    for seed in range(10):
        report = check(play(Random(seed), 1000, bug).write(tmp_path))
        if BUGS[bug] in report.verdicts.counts:
            return
    raise AssertionError("it went unnoticed")
