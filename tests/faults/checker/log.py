"""The log: what happened, revision by revision, in columns that any revision can be looked up in."""

from array import array
from collections.abc import Iterator
from sys import intern

from slotd.v1 import EVENT_TYPE_CREATED, EVENT_TYPE_DELETED
from tests.faults.checker.records import MODULUS, EventCopy, JobCopy, SpecCopy
from tests.faults.checker.states import RUNNING

CREATED = int(EVENT_TYPE_CREATED)
DELETED = int(EVENT_TYPE_DELETED)


class Log:
    """Columns by revision; place 0 stands for "none". A million revisions take some 60 MB, and each job 0.3 kB."""

    def __init__(self) -> None:
        self.digests = array("Q", [0])
        """Of the job's copy."""
        self.kinds = bytearray(1)
        self.states = bytearray(1)
        self.states_before = bytearray(1)
        self.minor = bytearray(1)
        """Whether only progress or output moved."""
        self.jobs = array("L", [0])
        """The job, by number."""
        self.specs = array("L", [0])
        """Its spec, by number."""
        self.before = array("L", [0])
        self.after = array("L", [0])
        """The revision of the same job's event before and after this one."""
        self.sums = array("Q", [0])
        self.counts = array("L", [0])
        """The sum of the digests, and the number, of the jobs that were there at the revision."""
        self.totals = array("Q", [0])
        """The sum of the digests of all copies up to the revision."""
        self.ids: list[str] = [""]
        self.created = array("L", [0])
        self.last = array("L", [0])
        """By number of the job: its id, and the revisions of its first and its newest event."""
        self.spec_copies: list[SpecCopy] = []
        self.numbers: dict[str, int] = {}
        """The numbers of jobs, by id."""
        self._spec_numbers: dict[int, int] = {}

    @property
    def revision(self) -> int:
        """The newest."""
        return len(self.kinds) - 1

    def add(self, event: EventCopy, before: JobCopy | None, spec: SpecCopy) -> None:
        """The next event; `before` is the job's copy before it."""
        job = event.job
        number = self.numbers.get(job.id)
        revision = self.revision + 1
        if number is None:
            number = self.numbers[intern(job.id)] = len(self.ids)
            self.ids.append(intern(job.id))
            self.created.append(revision)
            self.last.append(0)
        last = self.last[number]
        gone = event.type == DELETED
        self.digests.append(job.digest)
        self.kinds.append(event.type)
        self.states.append(job.state)
        self.states_before.append(event.previous_state)
        self.minor.append(_is_minor(before, job) and not gone)
        self.jobs.append(number)
        self.specs.append(self._spec_number(spec))
        self.before.append(last)
        self.after.append(0)
        self.after[last] = revision if last else 0
        self.last[number] = revision
        there = before is not None
        replaced = before.digest if before is not None else 0
        self.sums.append((self.sums[-1] - replaced + (0 if gone else job.digest)) % MODULUS)
        self.counts.append(self.counts[-1] - there + (not gone))
        self.totals.append((self.totals[-1] + job.digest) % MODULUS)

    def skip(self, revision: int) -> None:
        """What comes next is this revision: those before it that have not come are holes, of no job."""
        for _ in range(revision - 1 - self.revision):
            for column in (self.kinds, self.states, self.states_before, self.minor):
                column.append(0)
            for number in (self.jobs, self.specs, self.before, self.after, self.digests):
                number.append(0)
            for total in (self.sums, self.counts, self.totals):
                total.append(total[-1])

    def is_there(self, job_id: str) -> bool:
        """Whether the job is there at the end."""
        number = self.numbers.get(job_id)
        return number is not None and self.kinds[self.last[number]] != DELETED

    def at(self, job_id: str, revision: int) -> int:
        """The revision that the job had at `revision`; 0 where it was not there."""
        number = self.numbers.get(job_id)
        if number is None:
            return 0
        there = self.last[number]
        while there > revision:
            there = self.before[there]
        return 0 if self.kinds[there] == DELETED else there

    def spec(self, revision: int) -> SpecCopy:
        """The job's spec at the revision."""
        return self.spec_copies[self.specs[revision]]

    def makings(self) -> Iterator[tuple[str, SpecCopy, int]]:
        """All jobs that were ever made: id, spec, and revision."""
        for number in range(1, len(self.ids)):
            revision = self.created[number]
            yield self.ids[number], self.spec(revision), revision

    def _spec_number(self, spec: SpecCopy) -> int:
        number = self._spec_numbers.get(spec.digest)
        if number is None:
            number = self._spec_numbers[spec.digest] = len(self.spec_copies)
            self.spec_copies.append(spec)
        return number


def _is_minor(before: JobCopy | None, job: JobCopy) -> bool:
    runs_on = before is not None and before.state == job.state == RUNNING
    return runs_on and before is not None and before.cancel_requested == job.cancel_requested
