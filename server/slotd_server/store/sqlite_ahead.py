"""The next jobs to claim, kept in memory. There is one writer to a SQLite store, so what it has committed is what there
is; a query for each claim would cost as much as the claim itself, most of it in waiting for the interpreter's lock,
which every row of an answer lets go of."""

from bisect import bisect_left, insort
from collections.abc import Collection, Iterable, Sequence

from slotd_server.domain.job import Job
from slotd_server.domain.states import QUEUED

_MOST_JOBS = 512
_MOST_BYTES = 4 << 20
"""How much is kept for one kind in one queue,"""

_MOST_IN_ALL = 1 << 14
"""and how many jobs for all of them together."""

Pair = tuple[str, str]
"""(queue, kind)."""


class _Line:
    """The first jobs of one kind in one queue, by rank and seq. There are others behind them unless it is `whole`."""

    def __init__(self) -> None:
        self.whole = False
        self.keys: list[tuple[int, int]] = []
        self.jobs: dict[int, Job] = {}
        self._bytes = 0

    def fill(self, jobs: Sequence[Job], *, whole: bool) -> None:
        """Begin with these, which are in order."""
        self.whole = whole
        self.keys = [(job.rank, job.seq) for job in jobs]
        self.jobs = {job.seq: job for job in jobs}
        self._bytes = sum([_size(job) for job in jobs])

    def add(self, job: Job) -> None:
        insort(self.keys, (job.rank, job.seq))
        self.jobs[job.seq] = job
        self._bytes += _size(job)

    def drop(self, seq: int) -> Job:
        job = self.jobs.pop(seq)
        del self.keys[bisect_left(self.keys, (job.rank, seq))]
        self._bytes -= _size(job)
        return job

    def shorten(self) -> list[Job]:
        """Keep no more than may be kept. → what is no longer there."""
        dropped = []
        while len(self.keys) > _MOST_JOBS or (self._bytes > _MOST_BYTES and len(self.keys) > 1):
            dropped.append(self.drop(self.keys[-1][1]))
            self.whole = False
        return dropped


class Ahead:
    """What is QUEUED, as of the last commit, as far as it is known. Belongs to the writer."""

    def __init__(self) -> None:
        self._lines: dict[Pair, _Line] = {}
        self._pairs: dict[int, Pair] = {}

    def first(self, pair: Pair, limit: int, without: Collection[int]) -> list[Job] | None:
        """Up to `limit` jobs in order, leaving out some seqs; None where there may be others that are not known."""
        line = self._lines.get(pair)
        if line is None:
            return None
        jobs: list[Job] = []
        for _, seq in line.keys:
            if len(jobs) == limit:
                return jobs
            if seq not in without:
                jobs.append(line.jobs[seq])
        return jobs if line.whole or len(jobs) == limit else None

    def learn(self, pair: Pair, jobs: Sequence[Job], *, whole: bool) -> None:
        """These are the first that are QUEUED, in order; with `whole` there are no others."""
        self._forget(pair)
        if len(self._pairs) > _MOST_IN_ALL:
            self.clear()
        line = self._lines[pair] = _Line()
        line.fill(jobs, whole=whole)
        self._pairs.update(dict.fromkeys(line.jobs, pair))
        self._shorten(line)

    def committed(self, jobs: Iterable[tuple[int, Job | None]]) -> None:
        """These jobs, by seq, are now as they are here; None is one that is gone."""
        for seq, job in jobs:
            pair = self._pairs.pop(seq, None)
            if pair is not None:
                self._lines[pair].drop(seq)
            if job is not None and job.state is QUEUED:
                self._add(job)

    def clear(self) -> None:
        """Nothing is known."""
        self._lines.clear()
        self._pairs.clear()

    def _add(self, job: Job) -> None:
        pair = (job.spec.queue, job.spec.kind)
        line = self._lines.get(pair)
        # Behind the last that is known there may be others, and this one's place among them is not known.
        if line is not None and (line.whole or (line.keys and (job.rank, job.seq) < line.keys[-1])):
            line.add(job)
            self._pairs[job.seq] = pair
            self._shorten(line)

    def _shorten(self, line: _Line) -> None:
        for job in line.shorten():
            del self._pairs[job.seq]

    def _forget(self, pair: Pair) -> None:
        if pair in self._lines:
            for seq in self._lines.pop(pair).jobs:
                del self._pairs[seq]


def _size(job: Job) -> int:
    return 0 if job.spec.payload is None else len(job.spec.payload.data)
