"""Runs seeds by hand: `python -m tests.simulation SEED [--mutant NAME]` prints what happened in that run, and what of
it was wrong; `python -m tests.simulation FIRST-LAST` runs many, and says which went wrong."""

import argparse
import sys
import traceback

import pytest

from slotd_server.domain.job import SECOND
from tests.simulation.mutants import MUTANTS
from tests.simulation.world import Failure, World, simulate


def main() -> int:
    """→ the exit status: whether anything was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("seeds", metavar="SEED|FIRST-LAST")
    parser.add_argument("--mutant", choices=sorted(MUTANTS), help="break the service in this way first")
    options = parser.parse_args()
    first, _, last = options.seeds.partition("-")
    with pytest.MonkeyPatch.context() as patch:
        if options.mutant:
            MUTANTS[options.mutant](patch)
        return _run_many(int(first), int(last)) if last else _run_one(int(first))


def _run_one(seed: int) -> int:
    world = World(seed)
    result = simulate(world)
    for time, *what in world.scheduler.trace:
        print(f"{time / SECOND:10.6f}", *what)
    if isinstance(result, Failure):
        traceback.print_exception(result.error)
        return 1
    print(f"{result.steps} steps, {result.events} events, digest {result.digest}")
    return 0


def _run_many(first: int, last: int) -> int:
    wrong = 0
    for seed in range(first, last + 1):
        result = simulate(World(seed))
        if isinstance(result, Failure):
            wrong += 1
            print(f"{seed}: {result}")
    print(f"{wrong} of {last + 1 - first} seeds went wrong")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
