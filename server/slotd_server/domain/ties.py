"""How a job is tied to others: what it claims, what it depends on, and which group, key and schedule it belongs to."""

from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple


class Claim(NamedTuple):
    """A claim on a resource; a final `/*` claims all below the name, `*` alone all there is."""

    name: str
    exclusive: bool = True

    def conflicts(self, other: "Claim") -> bool:
        """Whether the two may not be held together. Symmetric."""
        return (self.exclusive or other.exclusive) and (
            self.name == other.name or self.name in above(other.name) or other.name in above(self.name)
        )


@lru_cache(maxsize=4096)
def above(name: str) -> tuple[str, ...]:
    """The claims that cover `name` and more: of a/b/c these are a/b/*, a/* and *."""
    parts = name.removesuffix("*").removesuffix("/").split("/")
    if name == "*":
        return ()
    ends = range(len(parts) - 1, 0, -1)
    return (*("/".join(parts[:end]) + "/*" for end in ends), "*")


class Dependency(NamedTuple):
    """What has to end first: a job, or a group where `group` is set. `ref` is the name that the job had in its batch.

    With `success` it has to succeed, else just to end; with `patient` the dependent waits on where it failed.
    """

    job_id: str = ""
    ref: str = ""
    group: str = ""
    success: bool = True
    patient: bool = False

    @property
    def target(self) -> str:
        """As `Job.blocked_by` has it."""
        return f"groups/{self.group}" if self.group else f"jobs/{self.job_id}"


class Conflict(IntEnum):
    """What to do when another job has the key. Numbered as in `slotd.v1.UniqueConflict`."""

    RETURN_EXISTING = 1
    REFUSE = 2
    REPLACE = 3


class Unique(NamedTuple):
    """`key` belongs to one job until that ends, and for `period` microseconds from its creation in any case."""

    key: str
    period: int | None = None
    conflict: Conflict = Conflict.RETURN_EXISTING


class Ties(NamedTuple):
    """All the ties of a job. `schedule` made it, for `fire_time`."""

    resources: tuple[Claim, ...] = ()
    depends_on: tuple[Dependency, ...] = ()
    group: str = ""
    key: str = ""
    unique: Unique | None = None
    schedule: str = ""
    fire_time: int | None = None


class Line(IntEnum):
    """Where a job is with what only some can have at once."""

    OUT = 0
    WAITING = 1
    HOLDING = 2


class Changed(NamedTuple):
    """What Update has made of a spec: these fields are no longer as they were submitted. `revision` did that last;
    before it the job was in `queue_before`, with `labels_before`."""

    queue: str
    priority: int
    labels: tuple[tuple[str, str], ...]
    schedule_time: int | None
    revision: int = 0
    queue_before: str = ""
    labels_before: tuple[tuple[str, str], ...] = ()


class Links(NamedTuple):
    """What nobody outside sees of a job's ties as they are now: its turn among the keys of its queue, where it is with
    its key's slots and with its claims, and whether any job depends on it."""

    turn: int = 0
    key: Line = Line.OUT
    claims: Line = Line.OUT
    awaited: bool = False
    changed: Changed | None = None

    @property
    def holding(self) -> bool:
        return Line.HOLDING in (self.key, self.claims)


UNLINKED = Links()
