"""What anyone had seen by when."""

from array import array
from bisect import bisect_left

from tests.faults.checker.records import JobCopy


class Frontier:
    """The highest revision that anyone had been told of before a time."""

    def __init__(self) -> None:
        self._seen: list[tuple[int, int]] = []
        self._times = array("Q")
        self._revisions = array("Q")

    def see(self, at: int, revision: int) -> None:
        """Somebody knew of the revision at this time."""
        self._seen.append((at, revision))

    def see_all(self, at: int, jobs: tuple[JobCopy, ...]) -> None:
        """Somebody had these copies at this time."""
        if jobs:
            self.see(at, max(job.revision for job in jobs))

    def before(self, at: int) -> int:
        """The highest revision that had been seen before the time; 0 where none had."""
        if self._seen:
            self._sort()
        place = bisect_left(self._times, at)
        return self._revisions[place - 1] if place else 0

    def _sort(self) -> None:
        known = zip(self._times, self._revisions, strict=True)
        highest = 0
        times, revisions = array("Q"), array("Q")
        for at, revision in sorted([*known, *self._seen]):
            if revision > highest:
                highest = revision
                times.append(at)
                revisions.append(highest)
        self._times, self._revisions = times, revisions
        self._seen.clear()
