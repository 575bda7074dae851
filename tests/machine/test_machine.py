"""Runs the state machine: on the service as it is, where it must find nothing, and on mutants, where it must."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from tests.machine import tie_mutants
from tests.machine.machine import TALLY, Service
from tests.machine.mutants import PLAIN, SUBTLE
from tests.machine.on_postgres import OnPostgres
from tests.machine.orchestrated import Orchestrated
from tests.postgres import Cluster

_HUNT = settings(
    max_examples=5_000,
    stateful_step_count=50,
    database=None,
    derandomize=True,
    phases=[Phase.generate],
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)
"""The same examples each time, so that a mutant found today is found tomorrow; and no search for a smaller example."""


@pytest.mark.timeout(7200)
def test_everything_that_can_happen(capsys: pytest.CaptureFixture[str], long_run: bool) -> None:
    _run(Orchestrated, settings().max_examples if long_run else 50, capsys)


@pytest.mark.timeout(7200)
def test_everything_that_can_happen_on_postgres(
    postgres: Cluster, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], long_run: bool
) -> None:
    monkeypatch.setattr(OnPostgres, "cluster", postgres, raising=False)
    _run(OnPostgres, settings().max_examples // 10 if long_run else 5, capsys)


def _run(machine: type[RuleBasedStateMachine], examples: int, capsys: pytest.CaptureFixture[str]) -> None:
    TALLY.clear()
    run_state_machine_as_test(machine, settings=settings(max_examples=examples, stateful_step_count=50))
    with capsys.disabled():
        print(f"\nstate machine: {', '.join(f'{number} {what}' for what, number in TALLY.items())}")


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "mutant",
    [*PLAIN, *(pytest.param(mutant, marks=pytest.mark.long) for mutant in SUBTLE)],
    ids=lambda mutant: mutant.__name__,
)
def test_it_finds(mutant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch) -> None:
    mutant(monkeypatch)
    with pytest.raises((AssertionError, KeyError)):
        run_state_machine_as_test(Service, settings=_HUNT)


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "mutant",
    [*tie_mutants.PLAIN, *(pytest.param(mutant, marks=pytest.mark.long) for mutant in tie_mutants.SUBTLE)],
    ids=lambda mutant: mutant.__name__,
)
def test_with_ties_it_finds(mutant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch) -> None:
    mutant(monkeypatch)
    with pytest.raises((AssertionError, KeyError)):
        run_state_machine_as_test(Orchestrated, settings=_HUNT)
