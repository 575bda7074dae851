"""What the suite's clients submit: jobs of all kinds, with and without ties to each other, as chance wills."""

import json
from collections.abc import Sequence
from random import Random

from slotd.v1 import (
    DEPENDENCY_CONDITION_ENDED,
    DEPENDENCY_CONDITION_SUCCEEDED,
    RESOURCE_MODE_EXCLUSIVE,
    RESOURCE_MODE_SHARED,
    UNIQUE_CONFLICT_REFUSE,
    UNIQUE_CONFLICT_REPLACE,
    UNIQUE_CONFLICT_RETURN_EXISTING,
    Dependency,
    JobSpec,
    Payload,
    ResourceClaim,
    RetryPolicy,
    SubmitRequest,
)

NARROW = "narrow"
"""The queue with few slots."""
NARROW_SLOTS = 2

KEYED = "keyed"
"""The queue with few slots for each key."""
SLOTS_PER_KEY = 1

FEW = "few"
"""The queue whose ended jobs vanish by themselves."""
RETAINED = 5

_KINDS = {"quick": 18, "slow": 12, "flaky": 6, "hopeless": 6, "lasting": 1}
"""How often each kind comes."""
_QUEUES = ("default", "default", "default", NARROW, KEYED, FEW)
_CLAIMS = ("a", "a", "b", "b/c", "b/d", "b/*", "*")
_KEYS = ("x", "y", "z")
_GROUPS = ("g", "h")
_CONFLICTS = (UNIQUE_CONFLICT_RETURN_EXISTING, UNIQUE_CONFLICT_REFUSE, UNIQUE_CONFLICT_REPLACE)
_CONDITIONS = (DEPENDENCY_CONDITION_SUCCEEDED, DEPENDENCY_CONDITION_ENDED)


class Requests:
    """Those of one client; `name` begins their request_ids."""

    def __init__(self, name: str, chance: Random) -> None:
        self._name = name
        self._chance = chance
        self._number = 0

    def plain(self, kind: str = "", queue: str = "") -> SubmitRequest:
        """A job that depends on nobody."""
        self._number += 1
        chance = self._chance
        attempts = chance.randint(1, 3)
        payload = {"attempts": attempts, "fill": "x" * chance.choice((0, 10, 200, 6000))}
        spec = JobSpec(
            kind=kind or chance.choices(list(_KINDS), list(_KINDS.values()))[0],
            queue=queue or chance.choice(_QUEUES),
            payload=Payload(content_type="application/json", data=json.dumps(payload).encode()),
            priority=chance.randint(0, 2),
            retry=RetryPolicy(max_attempts=attempts),
        )
        return SubmitRequest(spec=spec, request_id=f"{self._name}-{self._number}")

    def tied(self, earlier: Sequence[str] = ()) -> SubmitRequest:
        """A job that may have claims, a key, a group, or depend on one of the jobs with these ids."""
        request, chance = self.plain(), self._chance
        spec = request.spec
        for name in chance.sample(_CLAIMS, chance.choice((0, 0, 0, 1, 2))):
            mode = chance.choice((RESOURCE_MODE_SHARED, RESOURCE_MODE_EXCLUSIVE))
            spec.resources.append(ResourceClaim(name=name, mode=mode))
        if spec.queue == KEYED:
            spec.concurrency_key = chance.choice(_KEYS)
        spec.group = chance.choice(("", "", *_GROUPS))
        which = chance.random()
        if which < 0.15 and earlier:
            spec.depends_on.append(Dependency(job_id=chance.choice(earlier), condition=chance.choice(_CONDITIONS)))
        elif which < 0.25:
            spec.unique_key = chance.choice(_KEYS)
            spec.unique_conflict = chance.choice(_CONFLICTS)
        return request

    def batch(self) -> list[SubmitRequest]:
        """Jobs that are all made or none, some of which depend on others of them."""
        requests: list[SubmitRequest] = []
        for number in range(self._chance.randint(2, 12)):
            request = self.plain()
            request.ref = f"r{number}"
            if requests and self._chance.random() < 0.3:
                other = self._chance.choice(requests)
                request.spec.depends_on.append(Dependency(ref=other.ref, condition=self._chance.choice(_CONDITIONS)))
            requests.append(request)
        return requests
