"""A slice of the fault suite: a little of each fault, and the proof that it finds a service that is wrong."""

import os
import random
from collections.abc import Callable
from typing import TypeAlias

import pytest

from tests.faults.suite.mutants import MUTANTS
from tests.faults.suite.plan import FAULTS, Fault
from tests.faults.suite.run import running_in
from tests.faults.suite.stores import StoreKind

Inflict: TypeAlias = Callable[..., None]

_BY_NAME = {fault.name: fault for fault in FAULTS}


@pytest.fixture
def seed() -> int:
    """SLOTD_SEED, or a new one. It replays what is asked and what befalls the service, not how threads interleave."""
    seed = int(os.environ.get("SLOTD_SEED") or random.SystemRandom().getrandbits(32))
    print(f"SLOTD_SEED={seed}")
    return seed


@pytest.fixture
def inflict(seed: int, request: pytest.FixtureRequest) -> Inflict:
    """Does a little of one fault to a service, or to a mutant."""

    def a_little(name: str, kind: StoreKind, times: int, mutant: str = "") -> None:
        fault = _BY_NAME[name]
        if reason := fault.why_not(kind):
            pytest.skip(reason)
        cluster = request.getfixturevalue("postgres") if kind == "postgres" else None
        with running_in(kind, seed, mutant=mutant, cluster=cluster, keep=not mutant) as run:
            fault.inflict(run, times)

    return a_little


@pytest.mark.timeout(300)
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_nothing_is_lost_doubled_or_out_of_order(inflict: Inflict, fault: Fault) -> None:
    inflict(fault.name, fault.sliced_on, fault.few)


@pytest.mark.timeout(300)
def test_a_power_cut_finds_a_service_that_syncs_too_late(inflict: Inflict) -> None:
    _assert_found(inflict, "lazy-sync")


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", [name for name in MUTANTS if name != "lazy-sync"])
def test_a_wrong_service_is_found_by_its_fault(inflict: Inflict, name: str) -> None:
    _assert_found(inflict, name)


def _assert_found(inflict: Inflict, name: str) -> None:
    mutant = MUTANTS[name]
    with pytest.raises(Exception, match=mutant.told):
        inflict(mutant.fault, mutant.kind, mutant.times, name)
