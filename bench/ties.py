"""What ties between jobs cost, measured inside the server's own code, without a wire.

`python -m bench.ties FOLDER ROUNDS BLOCKED KEYED WAITING` prints the samples as JSON, in the form of `TiesSamples`.
What is compared is measured in turn.
"""

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

from bench.claims import PLAIN, Backlog, Samples, in_turn
from bench.heart import KIND, QUEUE, Heart, lease_of
from slotd_server.domain import commands as ask
from slotd_server.domain.events import Event
from slotd_server.domain.queue import Defaults, Draft, Queue
from slotd_server.domain.states import State
from slotd_server.domain.ties import Claim, Dependency, Ties

SLOTS_PER_KEY = 3

_EXCLUSIVE = Draft(KIND, ties=Ties(resources=(Claim("door"),)))
_SHARED = Draft(KIND, ties=Ties(resources=(Claim("door", exclusive=False),)))
_KEYED = Draft(KIND, ties=Ties(key="tenant"))
_BATCH = 1_000
_RELEASES = 10
"""How many are measured in a row on one store."""


class TiesSamples(TypedDict):
    """`blocked`: claims from a store with nothing else in it, and from one with many BLOCKED jobs. `keyed`, `limited`:
    claims where one job of a tenant's waits, and where many do; `limited` where only so many of them may run at once.
    `release`: microseconds of the change that lets go of a resource, where none, one and many wait for it, of which one
    may go on then. `shared`: of the changes in which many go on, for each time that they do."""

    blocked: list[Samples]
    keyed: list[Samples]
    limited: list[Samples]
    release: list[list[float]]
    shared: list[list[float]]


class Door:
    """A store in which one job holds a resource, and so many others wait for it, to hold it alone too."""

    def __init__(self, path: Path, waiting: int) -> None:
        self.samples: list[float] = []
        self._heart = Heart(path, 1)
        self._running = lease_of(self._heart.apply(ask.Submit((_EXCLUSIVE,))))
        _submit(self._heart, _EXCLUSIVE, waiting)

    def measure(self) -> None:
        """Take some samples. As many wait afterwards as before."""
        for _ in range(_RELEASES):
            began = time.perf_counter()
            committed = self._heart.finish(self._running)
            self.samples.append((time.perf_counter() - began) * 1e6)
            follows = self._heart.apply(ask.Submit((_EXCLUSIVE,)))
            self._running = lease_of(committed if committed.started else follows)

    def close(self) -> None:
        self._heart.close()


def _releases(folder: Path, rounds: int, waiting: Sequence[int]) -> list[list[float]]:
    doors = [Door(folder / f"door-{count}.db", count) for count in waiting]
    for door in doors:
        # The first ones fill the caches.
        door.measure()
        door.samples.clear()
    for number in range(rounds):
        for door in doors if number % 2 else reversed(doors):
            door.measure()
    for door in doors:
        door.close()
    return [door.samples for door in doors]


def _all_at_once(path: Path, waiting: int) -> list[float]:
    """One job lets go of what so many others wait for, to hold it together."""
    heart = Heart(path, 1)
    running = lease_of(heart.apply(ask.Submit((_EXCLUSIVE,))))
    _submit(heart, _SHARED, waiting)
    samples: list[float] = []
    left = waiting
    while left:
        began = time.perf_counter()
        committed = heart.apply() if samples else heart.finish(running)
        samples.append((time.perf_counter() - began) * 1e6)
        freed = sum(_let_go(event) for event in committed.events)
        if not freed:
            raise AssertionError(f"{left} jobs wait on for what nobody holds")
        left -= freed
    heart.close()
    return samples


def _let_go(event: Event) -> bool:
    return event.previous_state is State.BLOCKED and event.job.state is State.QUEUED


def _empty(path: Path) -> Path:
    Heart(path, 0).close()
    return path


def _blocked(path: Path, count: int) -> Path:
    """A store with so many BLOCKED jobs: half of them behind a claim, half behind a dependency."""
    heart = Heart(path, 0)
    pause = ask.UpdateQueue(Queue("held", paused=True), frozenset({"paused"}))
    holder = _EXCLUSIVE._replace(asked=Defaults(queue="held"))
    _, (held,) = heart.apply(pause, ask.Submit((holder,))).answers
    _submit(heart, _EXCLUSIVE, count // 2)
    _submit(heart, Draft(KIND, ties=Ties(depends_on=(Dependency(job_id=held.id),))), count - count // 2)
    heart.close()
    return path


def _keyed(path: Path, slots_per_key: int | None, count: int) -> Path:
    """A store with so many jobs of one key."""
    heart = Heart(path, 0)
    heart.apply(ask.UpdateQueue(Queue(QUEUE, slots_per_key=slots_per_key), frozenset({"slots_per_key"})))
    _submit(heart, _KEYED, count)
    heart.close()
    return path


def _submit(heart: Heart, draft: Draft, count: int) -> None:
    for start in range(0, count, _BATCH):
        heart.apply(ask.Submit((draft,) * min(_BATCH, count - start)))


def _main(folder: Path, rounds: int, blocked: int, keyed: int, waiting: int) -> TiesSamples:
    def claims(draft: Draft, *paths: Path) -> list[Samples]:
        return in_turn([Backlog(path, draft) for path in paths], rounds)

    limited = (_keyed(folder / f"limited-{count}.db", SLOTS_PER_KEY, count) for count in (0, keyed))
    return TiesSamples(
        blocked=claims(PLAIN, _empty(folder / "empty.db"), _blocked(folder / "blocked.db", blocked)),
        keyed=claims(_KEYED, *(_keyed(folder / f"keyed-{count}.db", None, count) for count in (0, keyed))),
        limited=claims(_KEYED, *limited),
        release=_releases(folder, rounds, (0, 1, waiting)),
        shared=[_all_at_once(folder / f"shared-{number}.db", waiting) for number in range(max(rounds // 20, 1))],
    )


if __name__ == "__main__":
    print(json.dumps(_main(Path(sys.argv[1]), *map(int, sys.argv[2:]))))
