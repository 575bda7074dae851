"""What a submission comes to, before anything is changed: which jobs there are already, which are new, and whether what
they depend on is there. Whatever is wrong with it is found here."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from slotd_server.change import Change
from slotd_server.domain.commands import Submit
from slotd_server.domain.errors import InvalidArgument, NotFound, RequestIdReused, UniqueKeyTaken
from slotd_server.domain.job import Job, Spec
from slotd_server.domain.queue import Draft
from slotd_server.domain.states import TERMINAL
from slotd_server.domain.ties import Conflict, Dependency, Unique

_SHOWN = 16
"""How many jobs and groups of a cycle are told of."""


class New(NamedTuple):
    """A job to be made: the draft at place `number` of its batch. `awaited` where others of the batch depend on it."""

    number: int
    job_id: str
    draft: Draft
    spec: Spec
    awaited: bool


class Batch(NamedTuple):
    """`known` are jobs that are there already, by place; `same` are places that get the job of an earlier place;
    `replaced` jobs make room for others, and `groups` are those that the new ones belong to."""

    size: int
    known: Mapping[int, Job]
    same: Mapping[int, int]
    new: Sequence[New]
    replaced: Sequence[Job]
    groups: frozenset[str]

    def answer(self, made: Mapping[int, Job]) -> tuple[Job, ...]:
        """All jobs in their order."""
        jobs = {**self.known, **made}
        return tuple(jobs[self.same.get(number, number)] for number in range(self.size))


def plan(change: Change, command: Submit) -> Batch:
    """Raises RequestIdReused, NotFound, UniqueKeyTaken and InvalidArgument."""
    drafts = command.drafts
    known: dict[int, Job] = {}
    same: dict[int, int] = {}
    ids: dict[int, str] = {}
    replaced: list[Job] = []
    keys: dict[str, int] = {}
    tied = False
    for number, draft in enumerate(drafts):
        job = _first_job(change, draft) if draft.request_id else None
        if draft.ties is not None:
            tied = True
            unique = draft.ties.unique
            if job is None and unique is not None:
                earlier = keys.setdefault(unique.key, number)
                if earlier != number:
                    _refuse_unless_returned(unique, ids[earlier] if earlier in ids else known[earlier].id)
                    same[number] = earlier
                    continue
                job = _holder(change, unique, replaced)
        if job is not None:
            known[number] = job
        else:
            ids[number] = "" if command.validate_only and len(drafts) == 1 else change.rules.ids.next(change.now)
    if not tied:
        new = [_new(change, number, drafts[number], job_id, awaited=False) for number, job_id in ids.items()]
        return Batch(len(drafts), known, same, new, replaced, frozenset())
    places = {draft.ref: same.get(number, number) for number, draft in enumerate(drafts) if draft.ref}
    refs = {ref: ids[place] if place in ids else known[place].id for ref, place in places.items()}
    resolved = {number: _resolved(drafts[number], refs) for number in ids}
    groups = frozenset(draft.ties.group for draft in resolved.values() if draft.ties is not None and draft.ties.group)
    ours = frozenset(ids.values())
    _Dependencies(change, command, resolved, ids, groups).check()
    awaited = {one.job_id for draft in resolved.values() for one in _depends_on(draft)} & ours
    new = [
        _new(change, number, draft, ids[number], awaited=ids[number] in awaited) for number, draft in resolved.items()
    ]
    return Batch(len(drafts), known, same, new, replaced, groups)


def has_key(change: Change, job: Job, key: str) -> bool:
    """Whether `job`, which took a unique key last, still has it."""
    ties = job.spec.ties
    if ties is None or ties.unique is None or ties.unique.key != key:
        return False
    period = ties.unique.period
    return job.state not in TERMINAL or (period is not None and change.now < job.create_time + period)


def _new(change: Change, number: int, draft: Draft, job_id: str, *, awaited: bool) -> New:
    return New(number, job_id, draft, draft.resolve(change.defaults(draft.kind, draft.asked.queue)), awaited)


def _first_job(change: Change, draft: Draft) -> Job | None:
    """The job that an earlier request with this request_id made."""
    request = change.tx.request(draft.request_id)
    if request is None:
        return None
    if request.fingerprint != draft.fingerprint:
        raise RequestIdReused(draft.request_id, request.job_id)
    job = change.tx.job(request.job_id)
    if job is None:
        raise NotFound("job", request.job_id)
    return job


def _holder(change: Change, unique: Unique, replaced: list[Job]) -> Job | None:
    """The job that has the key and is the answer; None where a new one is to be made."""
    holder = change.tx.unique(unique.key)
    if holder is None or not has_key(change, holder, unique.key):
        return None
    if unique.conflict is Conflict.REPLACE and holder.state.waiting:
        replaced.append(holder)
        return None
    _refuse_unless_returned(unique, holder.id)
    return holder


def _refuse_unless_returned(unique: Unique, job_id: str) -> None:
    if unique.conflict is not Conflict.RETURN_EXISTING:
        raise UniqueKeyTaken(unique.key, job_id)


def _depends_on(draft: Draft) -> tuple[Dependency, ...]:
    return () if draft.ties is None else draft.ties.depends_on


def _resolved(draft: Draft, refs: Mapping[str, str]) -> Draft:
    """The draft with the job ids of the refs that it names."""
    if draft.ties is None or not draft.ties.depends_on:
        return draft
    depends_on: dict[str, Dependency] = {}
    for one in draft.ties.depends_on:
        if one.ref:
            one = one._replace(job_id=refs[one.ref])
        # Two refs may turn out to be one job: the stricter dependency holds.
        other = depends_on.setdefault(one.target, one)
        depends_on[one.target] = other._replace(
            success=other.success or one.success, patient=other.patient and one.patient
        )
    return draft._replace(ties=draft.ties._replace(depends_on=tuple(depends_on.values())))


class _Dependencies:
    """Checks what the new jobs of a batch depend on: that it is there, and that nobody waits for himself in the end."""

    def __init__(
        self,
        change: Change,
        command: Submit,
        drafts: Mapping[int, Draft],
        ids: Mapping[int, str],
        groups: frozenset[str],
    ) -> None:
        self._change = change
        self._batch = command.batch
        self._drafts = drafts
        self._numbers = {f"jobs/{job_id}": number for number, job_id in ids.items()}
        self._groups = groups

    def check(self) -> None:
        """Raises InvalidArgument, with reason DEPENDENCY_CYCLE where that is what is wrong."""
        wrong = [
            (self._path(number, f"depends_on[{place}].{field}"), what)
            for number, draft in self._drafts.items()
            for place, one in enumerate(_depends_on(draft))
            for field, what in self._missing(one)
        ]
        if wrong:
            raise InvalidArgument(*wrong[:100])
        waits = {
            name: ([one.target for one in _depends_on(self._drafts[number])], self._group(number))
            for name, number in self._numbers.items()
        }
        for way in cycles(self._change, waits):
            # Told from the first new job on.
            first = way.index(min((name for name in way if name in self._numbers), key=self._numbers.__getitem__))
            way = [*way[first:-1], *way[: first + 1]]
            closes = f"closes a cycle: {shown(way, self._shown)}"
            raise InvalidArgument((self._edge(way[0], way[1]), closes), reason="DEPENDENCY_CYCLE")

    def _edge(self, name: str, target: str) -> str:
        number = self._numbers[name]
        for place, one in enumerate(_depends_on(self._drafts[number])):
            if one.target == target:
                kind = "ref" if one.ref else "group" if one.group else "job_id"
                return self._path(number, f"depends_on[{place}].{kind}")
        return self._path(number, "group")

    def _group(self, number: int) -> str:
        ties = self._drafts[number].ties
        return "" if ties is None else ties.group

    def _missing(self, dependency: Dependency) -> Iterator[tuple[str, str]]:
        if dependency.group:
            if dependency.group not in self._groups and not any(self._change.tx.group(dependency.group)):
                yield "group", f"names a group without jobs, {dependency.group!r}"
        elif dependency.target not in self._numbers and self._change.tx.job(dependency.job_id) is None:
            yield "job_id", f"names no job that is there, {dependency.job_id!r}"

    def _shown(self, name: str) -> str:
        """As the caller knows it: a new job by its ref."""
        number = self._numbers.get(name)
        if number is None:
            return name
        return self._drafts[number].ref or (f"requests[{number}]" if self._batch else "this job")

    def _path(self, number: int, field: str) -> str:
        return f"requests[{number}].spec.{field}" if self._batch else f"spec.{field}"


def shown(way: Sequence[str], name: Callable[[str], str] = str) -> str:
    """A way in words, without the middle of a long one."""
    names = [name(one) for one in way]
    if len(names) > _SHOWN:
        half = _SHOWN // 2
        names = [*names[:half], f"({len(names) - 2 * half} more)", *names[-half:]]
    return " → ".join(names)


def cycles(change: Change, waits: Mapping[str, tuple[Sequence[str], str]]) -> Iterator[list[str]]:
    """The ways on which jobs that are about to wait would wait for themselves; each ends where it begins. `waits` has
    what each job, as jobs/ID, depends on, and its group, "" for none."""
    graph = _Waits(change, waits)
    ended: set[str] = set()
    for name, (targets, _) in waits.items():
        if targets and name not in ended and (way := graph.cycle(name, ended)):
            yield way


class _Waits:
    """Who waits for whom, once some jobs wait that do not yet."""

    def __init__(self, change: Change, waits: Mapping[str, tuple[Sequence[str], str]]) -> None:
        self._change = change
        self._waits = waits
        self._members: dict[str, list[str]] = {}
        for name, (_, group) in waits.items():
            if group:
                self._members.setdefault(group, []).append(name)
        # What waits already can wait for one of these only through a group.
        self._looks_back = any(change.tx.is_group_awaited(group) for group in self._members)

    def cycle(self, start: str, ended: set[str]) -> list[str]:
        """A way from somewhere back to there, found from `start`; empty where there is none. What leads to none is
        added to `ended`, so that nothing is gone through twice."""
        way = [start]
        on_way = {start}
        left = [iter(self._of(start))]
        while left:
            target = next(left[-1], None)
            if target is None:
                left.pop()
                ended.add(way[-1])
                on_way.discard(way.pop())
            elif target in on_way:
                return [*way[way.index(target) :], target]
            elif target not in ended:
                way.append(target)
                on_way.add(target)
                left.append(iter(self._of(target)))
        return []

    def _of(self, name: str) -> Sequence[str]:
        if name in self._waits:
            return self._waits[name][0]
        kind, _, rest = name.partition("/")
        if kind == "groups":
            mine = self._members.get(rest, [])
            return [*mine, *self._change.tx.waits_of_group(rest)] if self._looks_back else mine
        job = self._change.tx.job(rest) if self._looks_back else None
        if job is None or job.state in TERMINAL or job.spec.ties is None:
            return []
        return self._change.tx.unmet(job.seq, len(job.spec.ties.depends_on))
