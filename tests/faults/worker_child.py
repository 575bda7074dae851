"""`slotd worker` as the fault tests start it: it waits for its orders, a line of JSON on stdin, notes in a file what it
says and hears, arms the fault and becomes the mutant that they name, and works."""

import json
import sys
from pathlib import Path
from uuid import UUID

import slotd.cli.app
from slotd.worker import worker
from tests.faults import worker_points
from tests.faults.worker_recorder import record


def main() -> None:
    """Carries out the orders: `arguments` of the command line, `records` to write to, `fault`, `mutant`, and the
    `worker_id` to go by, unless that is empty."""
    line = sys.stdin.readline()
    if not line:
        # Nobody needs this one any more.
        return
    orders = json.loads(line)
    if orders["worker_id"]:
        vars(worker)["uuid"] = _Given(UUID(orders["worker_id"]))
    if orders["mutant"]:
        # Only here: mutants need the service, and workers do not.
        from tests.faults.suite import mutants

        mutants.become(orders["mutant"])
    record(Path(orders["records"]))
    if orders["fault"]:
        worker_points.arm(orders["fault"])
    slotd.cli.app.root.main(["worker", *orders["arguments"]], prog_name="slotd")


class _Given:
    """The module `uuid` as the worker sees it that is to go by a given id."""

    def __init__(self, given: UUID) -> None:
        self._given = given

    def uuid4(self) -> UUID:
        return self._given


if __name__ == "__main__":
    main()
