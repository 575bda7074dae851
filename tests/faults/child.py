"""`slotd serve` as the fault tests start it: it waits for its orders, a line of JSON on stdin, arms the fault and
becomes the mutant that they name, and serves. That all imports are done by then makes hundreds of starts cheap."""

import json
import sys

from slotd_server.__main__ import serve
from slotd_server.store import sqlite
from tests.faults import failpoints, faulty_sqlite
from tests.faults.suite import mutants


def main() -> None:
    """Carries out the orders: `arguments` of the command line, `fault`, `mutant`, and `checkpoint_bytes` where it is
    not null."""
    line = sys.stdin.readline()
    if not line:
        # Nobody needs this one any more.
        return
    orders = json.loads(line)
    if orders["fault"]:
        failpoints.arm(orders["fault"])
    if orders["mutant"]:
        mutants.become(orders["mutant"])
    if orders["checkpoint_bytes"] is not None:
        sqlite.CHECKPOINT_BYTES = orders["checkpoint_bytes"]
    faulty_sqlite.install()
    serve.main(orders["arguments"], prog_name="slotd serve")


if __name__ == "__main__":
    main()
