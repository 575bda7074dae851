"""Many subscribers in a process of their own, so that reading does not keep the clients from asking."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.faults.process import ChildProcess
from tests.faults.recorder import Recorder
from tests.faults.subscriber import RecordingSubscriber


class Audience:
    """`count` subscribers, named after `name`, who listen as `listening` says and record sums."""

    def __init__(self, folder: Path, name: str, count: int, listening: Mapping[str, Any]) -> None:
        self._process = ChildProcess("tests.faults.suite.audience", folder / f"{name}.log")
        self._process.order(
            {
                "records": str(folder / f"{name}.jsonl"),
                "name": name,
                "count": count,
                "addresses": listening["addresses"](),
                "cursor": listening["cursor"],
            }
        )

    def wait_revision(self, revision: int) -> None:
        """Until each has been told everything up to `revision`. Raises AssertionError, with what ended one of them, or
        where nothing comes any more."""
        self._process.order({"revision": revision})
        assert self._process.line(), f"the audience is gone:\n{self._process.log.read_text()}"

    def close(self) -> None:
        """They vanish."""
        self._process.close()


def main() -> None:
    """Listens as the first line on stdin orders, and answers each further one once all have been told so much."""
    line = sys.stdin.readline()
    if not line:
        # Nobody needs this one any more.
        return
    orders = json.loads(line)
    addresses = orders["addresses"]
    recorder = Recorder(Path(orders["records"]), orders["name"])
    readers = [
        RecordingSubscriber(
            recorder,
            f"{orders['name']}-{number}",
            lambda: addresses,
            cursor=orders["cursor"],
            after=0,
            full=False,
            pause=0.05,
        ).start()
        for number in range(orders["count"])
    ]
    for line in sys.stdin:
        revision = json.loads(line)["revision"]
        for reader in readers:
            reader.wait_revision(revision)
        print(revision, flush=True)


if __name__ == "__main__":
    main()
