"""All faults of the suite: what each is, on which stores, how often it comes in a slice, a run and a long run."""

from collections.abc import Callable
from typing import NamedTuple

from tests import postgres
from tests.faults import disks
from tests.faults.preload import why_no_preload
from tests.faults.suite import deaths, disk_faults, network, readers, time_faults, worker_faults
from tests.faults.suite.run import Run
from tests.faults.suite.stores import StoreKind

_BOTH: tuple[StoreKind, ...] = ("sqlite", "postgres")
_SQLITE: tuple[StoreKind, ...] = ("sqlite",)
_POSTGRES: tuple[StoreKind, ...] = ("postgres",)


def _nothing() -> str:
    return ""


class Fault(NamedTuple):
    """`inflict` does it `few` times for a slice, in the tests, on one store alone; `some` for a run of minutes, `many`
    for one of hours. `missing` says what it wants of the machine and has not, if anything."""

    name: str
    inflict: Callable[[Run, int], None]
    stores: tuple[StoreKind, ...]
    sliced_on: StoreKind
    few: int
    some: int
    many: int
    missing: Callable[[], str] = _nothing

    def why_not(self, kind: StoreKind) -> str:
        """Why it can't be had here on such a store; empty where it can."""
        return self.missing() or (kind == "postgres" and postgres.missing()) or ""


FAULTS = (
    Fault("kills", deaths.kills, _BOTH, "postgres", 1, 40, 1_000),
    Fault("power", deaths.power, _SQLITE, "sqlite", 2, 60, 1_000, disks.why_no_power_cuts),
    Fault("syncs", disk_faults.syncs, _SQLITE, "sqlite", 1, 20, 200, why_no_preload),
    Fault("space", disk_faults.space, _SQLITE, "sqlite", 1, 8, 100, disks.why_no_mounts),
    Fault("hostile", deaths.hostile, _BOTH, "sqlite", 1, 6, 200),
    Fault("pauses", time_faults.pauses, _BOTH, "postgres", 1, 20, 500),
    Fault("clocks", time_faults.clocks, _BOTH, "sqlite", 2, 40, 500, why_no_preload),
    Fault("submits", network.submits, _BOTH, "sqlite", 200, 5_000, 100_000),
    Fault("commits", network.commits, _POSTGRES, "postgres", 2, 60, 1_000),
    Fault("silence", network.silence, _BOTH, "postgres", 1, 10, 200),
    Fault("outages", network.outages, _POSTGRES, "postgres", 1, 20, 200),
    Fault("rolling", deaths.rolling, _BOTH, "sqlite", 1, 20, 200),
    Fault("readers", readers.readers, _BOTH, "sqlite", 1, 30, 1_000),
    Fault("worker-kills", worker_faults.worker_kills, _BOTH, "sqlite", 1, 20, 1_000),
    Fault("worker-pauses", worker_faults.worker_pauses, _BOTH, "sqlite", 1, 15, 500),
    Fault("worker-moves", worker_faults.worker_moves, _BOTH, "postgres", 2, 25, 500),
    Fault("worker-doubles", worker_faults.worker_doubles, _BOTH, "sqlite", 1, 15, 500),
)
