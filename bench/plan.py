"""How much is measured in a run, and where the servers keep their files."""

from dataclasses import dataclass, field
from pathlib import Path


class LeftOut(Exception):
    """A measurement for which this machine lacks something; the message says what. The others go on."""


@dataclass(frozen=True, slots=True)
class Plan:
    """`folder` is on a real disk, so that a sync is one. `rounds` is how often each pair is measured in turn, and
    `seconds` how long each side of a round goes on. `against` is another checkout, to be measured in turn with this.
    `machine` is what the figures are measured on, to which a measurement adds what it alone uses; to `left_out` it adds
    those parts of it for which this machine lacks something, each with what that is."""

    folder: Path
    quick: bool
    against: Path | None = None
    machine: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)

    @property
    def rounds(self) -> int:
        return 3 if self.quick else 9

    @property
    def seconds(self) -> float:
        return 0.3 if self.quick else 0.6

    def pick(self, full: int, quick: int) -> int:
        """A size: `full`, or `quick` in a quick run."""
        return quick if self.quick else full
