"""A tour of slotd, taken by `make run`: starts the service, puts real jobs through it, and leaves it running.

Needs Python 3.11 and `slotd[server]`; with `slotd[examples]` it makes thumbnails too, and `slotd[web]` is for its page.
"""

import argparse
import shlex
import signal
import sys
import uuid
from collections.abc import Callable
from functools import partial
from pathlib import Path

from rich.console import Console

# A script finds its neighbours, but not the package that they make up together.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import slotd
from examples.tour import batch, samples
from examples.tour.screen import screen, summary
from examples.tour.service import (
    DEFAULT_HTTP,
    DEFAULT_LISTEN,
    ServiceFailed,
    ServiceProcess,
    free_address,
    has_http,
)

ROOT = Path(__file__).resolve().parent.parent
HANDLERS = ROOT / "examples" / "handlers.py"


def main() -> int:
    """Runs the tour; answers the exit status: 0, or 1 if the service failed or a job did not end as it was meant to."""
    options = _options()
    console = Console(highlight=False)
    # Commands and paths are to be copied: no line is broken, and no bracket is markup.
    say = partial(console.print, markup=False, soft_wrap=True)
    var, root = options.var.resolve(), options.root.resolve()
    var.mkdir(parents=True, exist_ok=True)
    listen, why = (options.listen, "") if options.listen else free_address(DEFAULT_LISTEN)
    if why:
        say(why)
    http = (options.http or free_address(DEFAULT_HTTP)[0]) if has_http() else ""
    service = ServiceProcess(var, HANDLERS, listen, [root, var], http)
    _end_in_order(service)
    # With --exit, a tour that was cut short is one that went wrong.
    good = not options.exit
    try:
        address = service.address()
        say(f"The service listens on {address}, keeps its jobs in {service.store} and logs to {service.log}")
        if page := service.page():
            say(f"The dashboard is at {page}")
        good, example = take_tour(console, address, var)
        if not options.exit:
            say(_next_steps(address, example, root, var))
            service.wait()
    except KeyboardInterrupt:
        say("\nStopping: what runs may end; Ctrl-C again stops at once.")
    except ServiceFailed as failed:
        say(str(failed))
        good = False
    except slotd.Error as error:
        say(f"The service refused: {error}. Its log is {service.log}")
        good = False
    finally:
        status = service.stop()
    if status != 0:
        say(f"The service ended with status {status}: see {service.log}")
    return 0 if good and status == 0 else 1


def take_tour(console: Console, address: str, var: Path) -> tuple[bool, str]:
    """Puts the batch through the service. Whether every job ended as it was meant to, and the id of one."""
    console.print("Making sample files …")
    found = samples.make_samples(var / "samples")
    if found.pictures is None:
        console.print("Without thumbnails, which need Pillow: the extra 'examples' has it.")
    with slotd.Client(address) as client, samples.served(found.folder) as url:
        before = client.get_stats().counters.submitted
        if before:
            console.print(f"There are jobs of earlier runs: {before} have gone through this file.")
        jobs = batch.plan(found, var / "output", url, address, run=uuid.uuid4().hex[:8])
        submitted = batch.submit(client, jobs)
        console.print(f"Submitted {len(jobs)} jobs in one batch:\n")
        titles = {job.id: planned.title for job, planned in zip(submitted.jobs, jobs, strict=True)}
        with screen(console, titles) as show:
            ended = batch.follow(client, jobs, submitted, show)
    console.print()
    good = summary(console, jobs, ended)
    console.print("\nAll went as it was meant to." if good else "\nNot all went as it was meant to.")
    return good, ended[0].id


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--exit", action="store_true", help="end after the batch instead of staying up")
    parser.add_argument(
        "--listen", metavar="HOST:PORT", help=f"by default {DEFAULT_LISTEN}, or a free port if that is taken"
    )
    parser.add_argument(
        "--http", metavar="HOST:PORT", help=f"of the page, by default {DEFAULT_HTTP}, or a free port if that is taken"
    )
    parser.add_argument("--var", type=Path, default=ROOT / "var", metavar="FOLDER", help="for all files that it writes")
    parser.add_argument(
        "--root",
        type=Path,
        default=ROOT,
        metavar="FOLDER",
        help="handlers use paths under it alone; by default %(default)s",
    )
    return parser.parse_args()


def _end_in_order(service: ServiceProcess) -> None:
    """Makes the first SIGINT or SIGTERM a KeyboardInterrupt, and hands further ones on to the service."""

    def first(*_: object) -> None:
        set_handlers(again)
        raise KeyboardInterrupt

    def again(*_: object) -> None:
        service.signal()

    def set_handlers(handler: Callable[..., None]) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, handler)

    set_handlers(first)


def _from_here(path: Path) -> str:
    """As it is typed in a shell, in the present folder."""
    return shlex.quote(str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path))


def _next_steps(address: str, job_id: str, root: Path, var: Path) -> str:
    python, pipeline = _from_here(Path(sys.executable)), _from_here(ROOT / "examples" / "pipeline.py")
    command = _from_here(Path(sys.executable).with_name("slotd"))
    if address != DEFAULT_LISTEN:
        command += f" --address {address}"
    steps = (
        ("watch everything, live", f"{command} watch"),
        ("wait for a job, with a bar", f"""{command} submit sleep '{{"seconds": 20}}' --wait"""),
        ("checksums of a folder", f"""{command} submit checksum '{{"path": "{root / "docs"}"}}' --wait"""),
        ("a pipeline of many jobs", f"{python} {pipeline} {root / 'docs'} {var / 'output'} --address {address}"),
        ("what a job wrote; -f follows", f"{command} output -f {job_id}"),
        ("a job in full, as JSON", f"{command} get {job_id} -o json"),
        ("the jobs that failed", f"{command} list --state failed"),
        ("who holds which slot", f"{command} slots"),
        ("without slotd's own client", f"grpcurl -plaintext {address} slotd.v1.QueueService/ListSlots"),
    )
    lines = "".join(f"  {what:<30} {line}\n" for what, line in steps)
    ends = f"Handlers keep to paths under {root}; --root says otherwise."
    return f"The service stays up until Ctrl-C. In another terminal, try\n\n{lines}\n{ends}"


if __name__ == "__main__":
    raise SystemExit(main())
