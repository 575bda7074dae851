"""What the checker has to say: which promise is broken, and where."""

from collections import Counter
from typing import NamedTuple

KINDS = {
    "log": "revisions are 1, 2, 3, …: none missing, none twice",
    "path": "a job moves as its states allow",
    "attempt": "attempts are numbered one by one, are as many as allowed, and stay as they ended",
    "lease": "a job has one live attempt while it runs, else none",
    "terminal": "what has ended stays as it ended, until Retry or Delete",
    "identity": "a job is made once and, once deleted, never comes back",
    "unasked": "nothing is cancelled, retried, changed or deleted that nobody asked for",
    "claims": "what a job claims is its alone, from when it is QUEUED until its function returns",
    "key-slots": "no more jobs of a key go on than slots_per_key",
    "queue-slots": "no more jobs of a queue hold slots than it has, over all servers",
    "server-slots": "no more jobs hold a server's slots than it has",
    "unique": "of the jobs that have not ended one has a unique_key",
    "dependency": "a job does not go on before what it depends on",
    "lost": "what was acknowledged is there",
    "refused": "what was refused has not happened",
    "request": "a request_id makes one job",
    "firing": "a schedule makes one job for each of its times, at most",
    "batch": "a batch is taken all or none",
    "content": "a job is what was asked for",
    "copy": "a copy is what the log has at its revision",
    "stale": "an answer is no older than what anyone had seen before the call",
    "page": "a page is of one revision",
    "stream-gap": "a subscriber is told everything that matches, across reconnects",
    "stream-double": "a subscriber is told each revision once, in order",
    "stream-content": "all subscribers are told the same of a revision",
    "snapshot": "a snapshot is what there was at its revision",
    "stream-end": "a stream on job ids ends once they have all ended, no other ends by itself",
    "linearizability": "calls on a job take effect one after the other, between call and answer",
    "undecided": "the search for an order of a job's calls was given up",
    "run-unclaimed": "a function is called only for an attempt that was claimed, once, where it was claimed",
    "run-overlap": "a job's functions run one after the other",
    "run-claims": "functions of jobs with claims that conflict do not run at the same time",
    "run-slots": "no more functions run in a process, or of a queue, than there are slots",
    "run-unfinished": "what succeeded has run to its end",
    "worker-slots": "a worker is never sent more than it has slots free",
    "worker-claim": "what is sent to a worker is a claim of its own, once",
    "worker-lost": "an attempt is taken from a worker only when it was silent for a lease, or left",
    "settled": "a job ends as the worker said that had it, and is kept for good before that is settled",
    "ledger": "ListSlots adds up, and names those that run",
    "servers": "ListServers names each server once, and the one that answers",
}
"""The kinds of verdicts, and what each says is broken."""

_SHOWN = 10


class Violation(NamedTuple):
    """A broken promise: its kind, and what was seen."""

    kind: str
    what: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.what}"


class Verdicts:
    """Collects violations: all are counted, the first of each kind are kept."""

    def __init__(self) -> None:
        self.found: list[Violation] = []
        self.counts: Counter[str] = Counter()

    def add(self, kind: str, what: str) -> None:
        """Something broke the promise `kind`, which is one of KINDS."""
        assert kind in KINDS
        self.counts[kind] += 1
        if self.counts[kind] <= _SHOWN:
            self.found.append(Violation(kind, what))
