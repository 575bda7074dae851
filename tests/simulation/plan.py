"""What a seed makes of a run: how many take part, what they ask for, what may go wrong. Most runs have few features and
few kinds of faults, each in another mixture: what hides behind too much noise comes out where there is little."""

from random import Random
from typing import Any, NamedTuple

from slotd_server.domain.job import SECOND
from slotd_server.domain.queue import Draft, Queue, Rate
from slotd_server.domain.ties import Claim, Dependency, Unique
from tests.simulation.runner import ENDLESS
from tests.simulation.scheduler import START
from tests.unit.driver import draft, shared

TROUBLE = 5 * SECOND
"""How long things go wrong, in virtual time."""

FAULTS = ("commit", "away", "full", "pause", "kill", "drain", "clock", "news", "unheard", "cut", "answers")
FEATURES = (
    *("queues", "resources", "keys", "rate", "unique", "dependencies", "times", "schedule"),
    *("operator", "meddling", "slow functions"),
)

NARROW = Queue("narrow", slots=1)

QUEUES = {
    "queues": (NARROW, Queue("small", max_queued=2)),
    "keys": (Queue("keyed", slots_per_key=1),),
    "rate": (Queue("slow", rate=Rate(5.0, burst=2)),),
}
"""By the feature that uses them."""

_CLAIMS = (Claim("r/1"), Claim("r/2"), shared("r/1"), Claim("r/*"))


_THEMES: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (("commit",), ("queues", "slow functions")),
    (("commit",), ("meddling",)),
    (("commit", "kill"), ("keys", "rate")),
    (("unheard",), ("slow functions",)),
    (("unheard", "full"), ("slow functions",)),
    (("unheard", "commit"), ("slow functions",)),
    (("cut", "unheard"), ("slow functions",)),
    (("cut", "unheard"), ("queues", "slow functions")),
    (("pause",), ("meddling", "slow functions")),
    (("pause", "kill"), ("resources", "slow functions")),
    (("away",), ()),
    (("away", "kill"), ("schedule", "times")),
    (("clock",), ("rate", "times")),
    (("drain",), ("operator", "meddling")),
    ((), ("queues", "operator")),
)
"""Faults that meet features in interesting ways."""


class Plan(NamedTuple):
    """`jobs` is how many each client submits."""

    servers: int
    clients: int
    jobs: int
    faults: tuple[str, ...]
    features: tuple[str, ...]


def draw(random: Random) -> Plan:
    """The plan of a run."""
    if random.random() < 0.5:
        faults, features = random.choice(_THEMES)
    else:
        faults = tuple(fault for fault in FAULTS if random.random() < 0.25)
        features = tuple(feature for feature in FEATURES if random.random() < 0.35)
    servers, clients, jobs = random.choice((1, 2, 2, 3)), random.choice((1, 2, 3)), random.choice((2, 4, 6))
    return Plan(servers, clients, jobs, faults, features)


def draw_draft(random: Random, plan: Plan, mine: list[str], now: int) -> Draft:
    """A job for a caller that has submitted those in `mine`."""
    features = plan.features
    asked: dict[str, Any] = {"initial_backoff": random.choice((0, SECOND // 10))}
    kind = "work"
    if random.random() < 0.2:
        kind = ENDLESS
        asked["timeout"] = random.choice((None, SECOND // 2))
    if "queues" in features:
        asked["queue"] = random.choice(("default", "narrow", "narrow", "small"))
        asked["priority"] = random.choice((0, 0, 1))
    if "rate" in features and random.random() < 0.4:
        asked["queue"] = "slow"
    if "keys" in features and random.random() < 0.6:
        asked |= {"queue": "keyed", "key": random.choice("ab")}
    if "resources" in features and random.random() < 0.6:
        asked["resources"] = (random.choice(_CLAIMS),)
    if "unique" in features and random.random() < 0.4:
        asked["unique"] = Unique(random.choice("uv"))
    if "dependencies" in features and mine and random.random() < 0.5:
        asked["depends_on"] = (Dependency(job_id=random.choice(mine), success=random.random() < 0.5),)
    if "times" in features and random.random() < 0.4:
        asked["schedule_time"] = START + now + round(random.random() * SECOND)
    return draft(kind, **asked)
