"""What is made of samples: the median over rounds, percentiles of many, and the ratio of two measured in turn."""

from collections.abc import Sequence
from statistics import median

__all__ = ["median", "percentile", "ratio"]


def percentile(samples: Sequence[float], share: float) -> float:
    """The smallest sample that at least `share` (0 to 1) of all samples do not exceed: always one that was measured.

    Raises ValueError where there are no samples.
    """
    if not samples:
        raise ValueError("no samples")
    ordered = sorted(samples)
    rank = -int(-share * len(ordered) // 1)
    return ordered[min(max(rank, 1), len(ordered)) - 1]


def ratio(ours: Sequence[float], bare: Sequence[float]) -> float:
    """The median of the ratios of each round, which were measured one right after the other: what else the machine did
    meanwhile weighs on both.

    Raises ValueError where the rounds are not as many on both sides, or there are none.
    """
    return median([mine / other for mine, other in zip(ours, bare, strict=True)]) if ours else percentile(ours, 0.5)
