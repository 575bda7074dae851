"""What a sync costs on this disk right now, with no service about: nothing durable can be quicker than that."""

import os
import time
from pathlib import Path

from bench.plan import Plan
from bench.results import Figure
from bench.statistics import percentile

_PAGE = b"x" * 4096
_SYNCS = 200


async def measure(plan: Plan) -> list[Figure]:
    """A page is appended to a file and synced, again and again; the service commits jobs just so."""
    rounds = [_milliseconds(plan.folder / f"synced-{number}") for number in range(plan.rounds)]
    return [
        Figure("disk", f"append 4 KiB and sync, {name}", "ms", tuple(percentile(samples, share) for samples in rounds))
        for name, share in (("p50", 0.5), ("p99", 0.99))
    ]


def _milliseconds(path: Path) -> list[float]:
    samples = []
    with path.open("wb", buffering=0) as file:
        for _ in range(_SYNCS):
            began = time.perf_counter()
            file.write(_PAGE)
            os.fdatasync(file.fileno())
            samples.append((time.perf_counter() - began) * 1e3)
    return samples
