"""`python -m tests.faults.suite`: every fault, many times, each with the checker over it. Exit status 1 where the
service broke a promise, or did not come back."""

import argparse
import random
import signal
import sys
import time
import traceback
from types import FrameType
from typing import get_args

from tests.faults.suite.mutants import MUTANTS
from tests.faults.suite.plan import FAULTS, Fault
from tests.faults.suite.run import running_in
from tests.faults.suite.stores import StoreKind


def main() -> int:
    """Runs what the command line chooses. Returns the exit status."""
    # Without this, what is mounted would stay mounted.
    signal.signal(signal.SIGTERM, _interrupt)
    chosen = _arguments()
    seed: int = chosen.seed if chosen.seed is not None else random.SystemRandom().getrandbits(32)
    print(f"seed {seed}: --seed {seed} asks for the same again, in the same order of faults", flush=True)
    failed = []
    for fault in FAULTS:
        for kind in fault.stores:
            if (not chosen.only or fault.name in chosen.only) and chosen.store in (None, kind):
                times = chosen.times or (fault.many if chosen.long else fault.some)
                if not _inflict(fault, kind, seed, times, chosen.mutant):
                    failed.append(f"{fault.name} on {kind}")
    if failed:
        print(f"FAILED (seed {seed}): {', '.join(failed)}")
    return 1 if failed else 0


def _inflict(fault: Fault, kind: StoreKind, seed: int, times: int, mutant: str) -> bool:
    """Whether all went well, or it can't be had here."""
    name = f"{fault.name} on {kind}"
    if reason := fault.why_not(kind):
        print(f"SKIPPED {name}: {reason}", flush=True)
        return True
    begin = time.monotonic()
    try:
        with running_in(kind, seed, mutant=mutant) as run:
            fault.inflict(run, times)
    except Exception:  # noqa: BLE001 - it is shown, and the other faults have their turn
        traceback.print_exc()
        print(f"FAILED {name}, seed {seed}", flush=True)
        return False
    figures = ", ".join(f"{number:,} {what}" for what, number in sorted(run.figures.items()))
    print(f"passed {name} in {time.monotonic() - begin:.0f} s: {figures}", flush=True)
    return True


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.suite", description=__doc__)
    names = [fault.name for fault in FAULTS]
    parser.add_argument("--seed", type=int, help="of an earlier run")
    parser.add_argument("--only", action="append", choices=names, metavar="NAME", help=f"of {', '.join(names)}")
    parser.add_argument("--store", choices=get_args(StoreKind), help="only on these stores")
    parser.add_argument("--long", action="store_true", help="hours instead of minutes")
    parser.add_argument("--times", type=int, help="how often each fault comes")
    parser.add_argument("--mutant", choices=sorted(MUTANTS), default="", help="with a service that is wrong")
    return parser.parse_args()


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
