"""The workers of one store: `slotd worker` with the suite's handlers, in processes that die and come again."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from tests.faults.checker.records import Heard, Line
from tests.faults.process import ChildProcess
from tests.faults.suite.mortal import Mortal

WORKER_SLOTS = 3
WORKER_LEASE = 1.5
"""How long a worker may be silent, in seconds."""

_DRAIN_SECONDS = 5
_HANDLERS = tuple(str(Path(__file__).with_name(f"{name}.py")) for name in ("handlers", "far_handlers"))


class Hand(Mortal[ChildProcess]):
    """One of the workers. `kind` is a kind of job that it alone runs, over all its lives; `worker_id` is that of the
    present one, once it is connected. `addresses` are those of the servers, in the order in which it tries them."""

    def __init__(
        self, folder: Path, name: str, environment: Mapping[str, str], addresses: Sequence[str], mutant: str = ""
    ) -> None:
        super().__init__(folder, name)
        self.kind = f"far-{name}"
        self.worker_id = ""
        self.records = folder / f"{name}.jsonl"
        self._environment = dict(environment) | {"SLOTD_FAR": self.kind}
        self.addresses = addresses
        self._mutant = mutant

    def begin(self, fault: str = "", worker_id: str = "") -> None:
        """Works, under that id or a new one; returns at once."""
        self._renew()
        flags = {"address": ",".join(self.addresses), "slots": WORKER_SLOTS, "name": self.name}
        flags |= {"drain-timeout": _DRAIN_SECONDS}
        self.process.order(
            {
                "arguments": [*_HANDLERS, *(f"--{name}={value}" for name, value in flags.items())],
                "records": str(self.records),
                "fault": fault,
                "mutant": self._mutant,
                "worker_id": worker_id,
            }
        )

    def connected(self) -> bool:
        """Waits until it is connected; False where it ends instead."""
        # slotd worker ID connected
        words = self.process.line().split()
        self.worker_id = words[2] if words else ""
        return bool(words)

    def _spawn(self) -> ChildProcess:
        return ChildProcess("tests.faults.worker_child", self.log, self._environment)


class Crew:
    """`count` workers, each with the servers' addresses in another order."""

    def __init__(
        self, folder: Path, count: int, addresses: Sequence[str], environment: Mapping[str, str], mutant: str = ""
    ) -> None:
        self._folder = folder
        self._environment = environment
        self._mutant = mutant
        self._twins = 0
        self.hands = [self._hand(f"worker-{number}", _turned(addresses, number)) for number in range(count)]

    def start(self) -> None:
        """Returns once all are connected."""
        for hand in self.hands:
            hand.begin()
        for hand in self.hands:
            assert hand.connected(), f"{hand.name} did not start:\n{hand.tail()}"

    def stop(self) -> None:
        """In peace. Raises AssertionError where one does not end so."""
        for hand in self.hands:
            status = hand.process.terminate()
            assert status == 0, f"{hand.name} ended with {status}:\n{hand.tail()}"

    def twin(self, hand: Hand, *, turn: bool) -> Hand:
        """Another one for the same servers, which it tries in the same order, or, with `turn`, the next one first. It
        is not of the crew: close it."""
        self._twins += 1
        return self._hand(f"{hand.name}-twin-{self._twins}", _turned(hand.addresses, turn))

    def survivors(self) -> int:
        """How many attempts went on under another server than the one that they began under."""
        return sum(_survivors(hand.records) for hand in self.hands)

    def close(self) -> None:
        for hand in self.hands:
            hand.close()

    def _hand(self, name: str, addresses: Sequence[str]) -> Hand:
        return Hand(self._folder, name, self._environment, addresses, self._mutant)


def _turned(addresses: Sequence[str], number: int) -> list[str]:
    turn = number % len(addresses)
    return [*addresses[turn:], *addresses[:turn]]


def _survivors(path: Path) -> int:
    servers: dict[str, str] = {}
    survived = 0
    for heard in _welcomes(path):
        if servers.setdefault(heard.worker, heard.server) != heard.server:
            survived += len(heard.kept)
        servers[heard.worker] = heard.server
    return survived


def _welcomes(path: Path) -> Iterator[Heard]:
    decode = msgspec.json.Decoder(Line).decode
    with path.open("rb") as file:
        for line in file:
            if line.startswith(b'{"t":"heard"') and line.endswith(b"\n"):
                record: Any = decode(line)
                if record.server:
                    yield record
