"""`python -m bench`: runs the measurements, prints the table, and writes it with the JSON and the plot."""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench import machine, plot, report
from bench.measurements import (
    across,
    against,
    backlog,
    batch,
    disk,
    end_to_end,
    fan_out,
    idle,
    isolation,
    languages,
    latency,
    orchestration,
    replicas,
    restart,
    submit,
    web,
    workers,
)
from bench.plan import LeftOut, Plan
from bench.results import Failure, Figure, Results

MEASUREMENTS: dict[str, Callable[[Plan], Awaitable[list[Figure]]]] = {
    "disk": disk.measure,
    "submit": submit.measure,
    "batch": batch.measure,
    "end-to-end": end_to_end.measure,
    "latency": latency.measure,
    "fan-out": fan_out.measure,
    "backlog": backlog.measure,
    "orchestration": orchestration.measure,
    "restart": restart.measure,
    "idle": idle.measure,
    "workers": workers.measure,
    "isolation": isolation.measure,
    "languages": languages.measure,
    "web": web.measure,
    "replicas": replicas.measure,
    "across": across.measure,
    "against": against.measure,
}
_ROOT = Path(__file__).parents[1]


def _names(text: str) -> list[str]:
    names = text.split(",")
    unknown = set(names) - set(MEASUREMENTS)
    if unknown:
        raise argparse.ArgumentTypeError(f"{', '.join(sorted(unknown))}: known are {', '.join(MEASUREMENTS)}")
    return names


def _checkout(text: str) -> Path:
    path = Path(text).resolve()
    if not (path / "server" / "slotd_server").is_dir():
        raise argparse.ArgumentTypeError(f"{text} is no checkout of slotd")
    return path


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure slotd beside a bare gRPC server.")
    parser.add_argument("--quick", action="store_true", help="small and rough, in less than a minute")
    parser.add_argument("--only", type=_names, metavar="NAME,…", help=", ".join(MEASUREMENTS))
    parser.add_argument(
        "--against", type=_checkout, metavar="PATH", help="another checkout of slotd, to be measured in turn with this"
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="where the files go; var/bench by default")
    parser.add_argument("--strict", action="store_true", help="exit with 1 when a target is missed")
    return parser


async def _run(names: Sequence[str], quick: bool, folder: Path, other: Path | None) -> Results:
    results = Results(machine.describe(), datetime.now(UTC).isoformat(timespec="seconds"), quick)
    began = time.perf_counter()
    for name in names:
        step = time.perf_counter()
        # A folder for each: what one leaves behind takes no room while the next one runs.
        with tempfile.TemporaryDirectory(dir=folder, prefix=f"{name}-") as place:
            plan = Plan(Path(place), quick, other, results.machine)
            try:
                found = await MEASUREMENTS[name](plan)
            except LeftOut as lacking:
                results.left_out.append(Failure(name, str(lacking)))
                print(f"{name} left out: {lacking}\n", flush=True)
                continue
            except Exception as error:  # noqa: BLE001 - it is reported, and the others are worth having
                results.failures.append(Failure(name, f"{type(error).__name__}: {error}"))
                print(f"{name} FAILED: {error}\n", file=sys.stderr, flush=True)
                continue
        for part, reason in plan.left_out.items():
            results.left_out.append(Failure(part, reason))
            print(f"{part} left out: {reason}", flush=True)
        results.figures += found
        print(f"{report.table(found)}\n({name}: {time.perf_counter() - step:.0f} s)\n", flush=True)
    results.seconds = time.perf_counter() - began
    return results


def main() -> int:
    """The exit status: 1 where a measurement failed to run, and with --strict where a target was missed."""
    parser = _parser()
    arguments = parser.parse_args()
    names = arguments.only or [name for name in MEASUREMENTS if name != "against" or arguments.against]
    if "against" in names and arguments.against is None:
        parser.error("against: say which checkout, with --against PATH")
    # Under the checkout, as the system's own folder for temporary files may be in memory, where a sync costs nothing.
    folder = _ROOT / "var" / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    results = asyncio.run(_run(names, arguments.quick, folder, arguments.against))
    out = arguments.out or folder
    report.write(results, out)
    plot.write(results, out / "bench.png")
    print(report.summary(results))
    return 1 if results.failures or (arguments.strict and results.missed) else 0


if __name__ == "__main__":
    sys.exit(main())
