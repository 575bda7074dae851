"""What a run yields: figures, each with its target where it has one, and what failed to run."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, TypeAlias

from bench.statistics import median, ratio

Of: TypeAlias = Literal["value", "ratio"]


@dataclass(frozen=True, slots=True)
class Target:
    """What a figure's value, or its ratio to what it is compared with, has to be at least or at most."""

    relation: Literal["≥", "≤"]
    limit: float
    of: Of = "value"

    def is_met(self, measured: float) -> bool:
        """Whether `measured` is on the right side of the limit, or on it."""
        return measured >= self.limit if self.relation == "≥" else measured <= self.limit

    def __str__(self) -> str:
        return f"{self.relation} {self.limit:,.10g}"


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured thing. `samples` are ours, one a round, and `value` is their median; `bare_samples` those of the
    bare server, or of what else the group compares with, taken in turn with ours. `x` is what it is called on a
    plot's axis, within the figures of its `group`; without it, it is not plotted."""

    group: str
    name: str
    unit: str
    samples: tuple[float, ...]
    bare_samples: tuple[float, ...] = ()
    target: Target | None = None
    x: float | str | None = None

    @property
    def value(self) -> float:
        return median(self.samples)

    @property
    def bare(self) -> float | None:
        return median(self.bare_samples) if self.bare_samples else None

    @property
    def ratio(self) -> float | None:
        return ratio(self.samples, self.bare_samples) if self.bare_samples else None

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None where there is none.

        Raises ValueError where the target is of the ratio and there is nothing to compare with.
        """
        if self.target is None:
            return None
        measured = self.value if self.target.of == "value" else self.ratio
        if measured is None:
            raise ValueError(f"{self.group}, {self.name}: nothing to compare with")
        return self.target.is_met(measured)

    def to_json(self) -> dict[str, Any]:
        """All fields and what follows from them."""
        derived = {"value": self.value, "bare": self.bare, "ratio": self.ratio, "met": self.met}
        return {**asdict(self), **derived}


@dataclass(frozen=True, slots=True)
class Failure:
    """A measurement that could not be made, and why."""

    measurement: str
    error: str


@dataclass(slots=True)
class Results:
    """A run. `started` in ISO 8601, UTC; `seconds` is how long it took. `left_out` is what this machine has not got the
    programs for, and no failure of the run."""

    machine: dict[str, str]
    started: str
    quick: bool
    seconds: float = 0.0
    figures: list[Figure] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    left_out: list[Failure] = field(default_factory=list)

    @property
    def missed(self) -> Sequence[Figure]:
        return [figure for figure in self.figures if figure.met is False]

    def group(self, name: str) -> Sequence[Figure]:
        """The figures of one group, in the order in which they were measured."""
        return [figure for figure in self.figures if figure.group == name]

    def to_json(self) -> dict[str, Any]:
        """What goes into the JSON file."""
        return {
            "machine": self.machine,
            "started": self.started,
            "quick": self.quick,
            "seconds": round(self.seconds, 1),
            "figures": [figure.to_json() for figure in self.figures],
            "failures": [asdict(failure) for failure in self.failures],
            "left_out": [asdict(failure) for failure in self.left_out],
        }
