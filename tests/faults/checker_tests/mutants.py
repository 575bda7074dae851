"""Ways to spoil a good history, each with the kind of verdict that must come of it."""

import math
from collections.abc import Callable
from random import Random
from typing import NamedTuple, TypeVar

import msgspec

from slotd.v1 import EVENT_TYPE_CREATED, EVENT_TYPE_DELETED, EVENT_TYPE_SNAPSHOT
from tests.faults.checker.records import (
    Answer,
    Asked,
    Assigned,
    Call,
    Ended,
    Error,
    EventCopy,
    Heard,
    Holder,
    JobCopy,
    Joined,
    Launched,
    LedgerCopy,
    Line,
    Message,
    Outcome,
    Returned,
    Said,
    Servers,
    SpecCopy,
    Started,
    Subscribe,
    Up,
)
from tests.faults.checker.states import CANCELLED, QUEUED, RUNNING, SUCCEEDED, TERMINAL
from tests.faults.checker_tests.play import LEASE, History

L = TypeVar("L", bound=Line)

LATE = 10**9
"""After everything that has happened."""


class Unfit(Exception):
    """The history has no place for this mutant."""


class Place(NamedTuple):
    """A line of a file."""

    file: list[Line]
    number: int

    def put(self, *lines: Line) -> None:
        """These instead."""
        self.file[self.number : self.number + 1] = lines


class Spoiler:
    """A history, and the chance of where to spoil it."""

    def __init__(self, history: History, chance: Random) -> None:
        self.files = history.files
        self.chance = chance

    def lines(self, file: str, kind: type[L]) -> list[tuple[Place, L]]:
        """All of this type, with their places."""
        lines = self.files[file]
        return [(Place(lines, number), line) for number, line in enumerate(lines) if isinstance(line, kind)]

    def choose(self, file: str, kind: type[L], fits: Callable[[L], object] = lambda line: True) -> tuple[Place, L]:
        """One of this type that fits. Raises Unfit."""
        found = [(place, line) for place, line in self.lines(file, kind) if fits(line)]
        if not found:
            raise Unfit
        return self.chance.choice(found)

    def messages(self, name: str, least: int = 1) -> list[tuple[Place, Message]]:
        """Messages with so many events or more that the subscriber was told, snapshots aside. Raises Unfit."""
        file = "log" if name == "log" else "subscribers"
        numbers = {asked.number for _, asked in self.lines(file, Subscribe) if asked.subscriber == name}
        found = [
            (place, line)
            for place, line in self.lines(file, Message)
            if line.number in numbers and not line.snapshot and (len(line.events) or line.count) >= least
        ]
        if not found:
            raise Unfit
        return found

    def events(self) -> list[EventCopy]:
        """Of the log."""
        return [event for _, message in self.lines("log", Message) for event in message.events]

    def last(self, fits: Callable[[EventCopy], object] = lambda event: True) -> EventCopy:
        """The newest event of a job for which that fits. Raises Unfit."""
        newest = {event.job.id: event for event in self.events()}
        found = [event for event in newest.values() if fits(event)]
        if not found:
            raise Unfit
        return self.chance.choice(found)

    def add_call(self, call: Call, end: Answer | Error) -> None:
        """A call after all others, and how it ended."""
        self.files["clients"] += [call, end]

    def answered(self, method: str) -> list[tuple[Call, Place, Answer]]:
        """Calls of a method, each with its answer. Raises Unfit where there is none."""
        calls = {(one.client, one.number): one for _, one in self.lines("clients", Call) if one.method == method}
        found = [
            (calls[one.client, one.number], place, one)
            for place, one in self.lines("clients", Answer)
            if (one.client, one.number) in calls
        ]
        if not found:
            raise Unfit
        return found


_Mutate = Callable[[Spoiler], None]
MUTANTS: dict[str, tuple[_Mutate, str]] = {}
"""By name, each with the kind of verdict that must come of it."""


def _mutant(kind: str) -> Callable[[_Mutate], _Mutate]:
    def register(mutate: _Mutate) -> _Mutate:
        MUTANTS[mutate.__name__] = mutate, kind
        return mutate

    return register


def _with(message: Message, events: list[EventCopy]) -> Message:
    return msgspec.structs.replace(message, events=tuple(events))


def _other(event: EventCopy) -> EventCopy:
    return msgspec.structs.replace(event, job=msgspec.structs.replace(event.job, digest=event.job.digest ^ 1))


def _get(job: str) -> Call:
    return Call("late", 1, "Get", LATE, (job,))


# The log.


@_mutant("log")
def an_event_is_missing_in_the_log(spoiler: Spoiler) -> None:
    place, message = spoiler.chance.choice(spoiler.messages("log", 2))
    events = list(message.events)
    del events[spoiler.chance.randrange(len(events) - 1)]
    place.put(_with(message, events))


@_mutant("log")
def an_event_is_in_the_log_twice(spoiler: Spoiler) -> None:
    place, message = spoiler.chance.choice(spoiler.messages("log"))
    place.put(_with(message, [*message.events, message.events[-1]]))


@_mutant("log")
def two_events_of_the_log_change_places(spoiler: Spoiler) -> None:
    place, message = spoiler.chance.choice(spoiler.messages("log", 2))
    first, second, *rest = message.events
    place.put(_with(message, [second, first, *rest]))


@_mutant("log")
def a_message_of_the_log_is_missing(spoiler: Spoiler) -> None:
    place, _ = spoiler.chance.choice(spoiler.messages("log")[:-1] or spoiler.messages("log"))
    place.put()


@_mutant("log")
def the_end_of_the_log_is_missing(spoiler: Spoiler) -> None:
    place, message = spoiler.messages("log")[-1]
    place.put(_with(message, [*message.events[:-1]]))


@_mutant("log")
def the_log_goes_on_elsewhere(spoiler: Spoiler) -> None:
    place, asked = spoiler.choose("log", Subscribe, lambda one: one.after)
    place.put(msgspec.structs.replace(asked, after=(asked.after or 0) + 1))


@_mutant("path")
def an_event_has_another_state_before(spoiler: Spoiler) -> None:
    place, message = spoiler.chance.choice(spoiler.messages("log"))
    *rest, event = message.events
    place.put(_with(message, [*rest, msgspec.structs.replace(event, previous_state=event.previous_state % 7 + 1)]))


@_mutant("stream-content")
def the_log_has_another_copy(spoiler: Spoiler) -> None:
    place, message = spoiler.chance.choice(spoiler.messages("log"))
    *rest, event = message.events
    place.put(_with(message, [*rest, _other(event)]))


@_mutant("request")
def two_jobs_have_one_request_id(spoiler: Spoiler) -> None:
    known = {spec.digest: spec for _, spec in spoiler.lines("log", SpecCopy)}
    specs = sorted(digest for digest, spec in known.items() if spec.request)
    if len(specs) < 2:
        raise Unfit
    one, other = spoiler.chance.sample(specs, 2)
    for file in spoiler.files:
        for place, spec in spoiler.lines(file, SpecCopy):
            if spec.digest == one:
                place.put(msgspec.structs.replace(spec, request=known[other].request))


# What clients were told.


@_mutant("lost")
def a_job_was_acknowledged_and_is_not_there(spoiler: Spoiler) -> None:
    _, _, answer = spoiler.chance.choice(spoiler.answered("Submit"))
    job = msgspec.structs.replace(answer.jobs[0], id="job-nowhere")
    spoiler.add_call(
        Call("late", 1, "Submit", LATE, asked=(Asked("late/1", "quick", 7),)), Answer("late", 1, LATE + 1, (job,))
    )


@_mutant("lost")
def an_answer_is_of_a_revision_that_is_not_there(spoiler: Spoiler) -> None:
    job = msgspec.structs.replace(spoiler.last().job, revision=len(spoiler.events()) + 1)
    spoiler.add_call(_get(job.id), Answer("late", 1, LATE + 1, (job,)))


@_mutant("copy")
def an_answer_has_another_copy(spoiler: Spoiler) -> None:
    _, place, answer = spoiler.chance.choice(spoiler.answered("Get"))
    job = answer.jobs[0]
    place.put(msgspec.structs.replace(answer, jobs=(msgspec.structs.replace(job, digest=job.digest ^ 1),)))


def _old_copy(spoiler: Spoiler) -> JobCopy:
    """A copy of a job that has moved on since."""
    newest = {event.job.id: event.revision for event in spoiler.events()}
    old = [event.job for event in spoiler.events() if newest[event.job.id] > event.revision]
    if not old:
        raise Unfit
    return spoiler.chance.choice(old)


@_mutant("stale")
def a_read_is_stale(spoiler: Spoiler) -> None:
    job = _old_copy(spoiler)
    spoiler.add_call(_get(job.id), Answer("late", 1, LATE + 1, (job,)))


@_mutant("linearizability")
def a_read_goes_back(spoiler: Spoiler) -> None:
    """What was answered is read once more as it was earlier, by somebody who asked only then."""
    job = _old_copy(spoiler)
    newest = max((event for event in spoiler.events() if event.job.id == job.id), key=lambda event: event.revision)
    spoiler.add_call(_get(job.id), Answer("late", 1, LATE + 1, (newest.job,)))
    spoiler.add_call(Call("late", 2, "Get", LATE + 2, (job.id,)), Answer("late", 2, LATE + 3, (job,)))


@_mutant("linearizability")
def a_job_that_is_there_is_not_found(spoiler: Spoiler) -> None:
    asked = {job.id for _, _, answer in spoiler.answered("Submit") for job in answer.jobs}
    event = spoiler.last(lambda event: event.type != EVENT_TYPE_DELETED and event.job.id in asked)
    spoiler.add_call(_get(event.job.id), Error("late", 1, LATE + 1, "NOT_FOUND", "JOB_NOT_FOUND"))


@_mutant("lost")
def a_delete_is_answered_and_the_job_stays(spoiler: Spoiler) -> None:
    event = spoiler.last(lambda event: event.type != EVENT_TYPE_DELETED)
    spoiler.add_call(Call("late", 1, "Delete", LATE, (event.job.id,)), Answer("late", 1, LATE + 1))


@_mutant("linearizability")
def a_deleted_job_is_read(spoiler: Spoiler) -> None:
    call, _, _ = spoiler.chance.choice(spoiler.answered("Delete"))
    mine = [event for event in spoiler.events() if event.job.id == call.ids[0] and event.type != EVENT_TYPE_DELETED]
    event = mine[-1]
    spoiler.add_call(_get(event.job.id), Answer("late", 1, LATE + 1, (event.job,)))


@_mutant("linearizability")
def what_was_deleted_is_deleted_by_force(spoiler: Spoiler) -> None:
    call, _, _ = spoiler.chance.choice(spoiler.answered("Delete"))
    spoiler.add_call(Call("late", 1, "Delete", LATE, call.ids, force=True), Answer("late", 1, LATE + 1))


@_mutant("linearizability")
def a_cancel_is_answered_and_does_nothing(spoiler: Spoiler) -> None:
    event = spoiler.last(lambda event: event.job.state == QUEUED)
    spoiler.add_call(Call("late", 1, "Cancel", LATE, (event.job.id,)), Answer("late", 1, LATE + 1, (event.job,)))


@_mutant("linearizability")
def a_delete_is_answered_and_does_nothing(spoiler: Spoiler) -> None:
    event = spoiler.last(lambda event: event.job.state in TERMINAL and event.type != EVENT_TYPE_DELETED)
    spoiler.add_call(Call("late", 1, "Delete", LATE, (event.job.id,)), Answer("late", 1, LATE + 1))
    spoiler.add_call(Call("late", 2, "Get", LATE + 2, (event.job.id,)), Answer("late", 2, LATE + 3, (event.job,)))


@_mutant("linearizability")
def a_retry_is_answered_and_does_nothing(spoiler: Spoiler) -> None:
    event = spoiler.last(lambda event: event.job.state == CANCELLED and event.type != EVENT_TYPE_DELETED)
    spoiler.add_call(Call("late", 1, "Retry", LATE, (event.job.id,)), Answer("late", 1, LATE + 1, (event.job,)))


@_mutant("linearizability")
def a_cancel_is_refused_for_a_job_that_waits(spoiler: Spoiler) -> None:
    event = spoiler.last(lambda event: event.job.state == QUEUED)
    spoiler.add_call(_get(event.job.id), Answer("late", 1, LATE + 1, (event.job,)))
    refused = Error("late", 2, LATE + 3, "FAILED_PRECONDITION", "WRONG_STATE")
    spoiler.add_call(Call("late", 2, "Cancel", LATE + 2, (event.job.id,)), refused)
    spoiler.add_call(Call("late", 3, "Get", LATE + 4, (event.job.id,)), Answer("late", 3, LATE + 5, (event.job,)))


@_mutant("request")
def a_request_is_answered_another_job(spoiler: Spoiler) -> None:
    found = spoiler.answered("Submit")
    call, place, answer = spoiler.chance.choice(found)
    others = [
        one.jobs[0] for other, _, one in found if one.jobs[0].id != answer.jobs[0].id and not call.asked[0].unique_key
    ]
    if not others:
        raise Unfit
    place.put(msgspec.structs.replace(answer, jobs=(spoiler.chance.choice(others),)))


@_mutant("refused")
def what_was_refused_is_there(spoiler: Spoiler) -> None:
    created = {spec.request for _, spec in spoiler.lines("log", SpecCopy)}
    names = [one.request_id for _, call in spoiler.lines("clients", Call) for one in call.asked]
    found = [
        (place, answer)
        for call, place, answer in spoiler.answered("Submit")
        if call.asked[0].request_id in created
        and names.count(call.asked[0].request_id) == 1
        and not call.asked[0].unique_key
    ]
    if not found:
        raise Unfit
    place, answer = spoiler.chance.choice(found)
    place.put(Error(answer.client, answer.number, answer.at, "RESOURCE_EXHAUSTED", "QUEUE_FULL"))


@_mutant("content")
def a_job_has_another_payload(spoiler: Spoiler) -> None:
    # Of what a schedule has made nobody knows what was asked.
    found = [(place, answer) for _, place, answer in spoiler.answered("Get") if not answer.jobs[0].schedule]
    if not found:
        raise Unfit
    place, answer = spoiler.chance.choice(found)
    place.put(msgspec.structs.replace(answer, jobs=(msgspec.structs.replace(answer.jobs[0], payload=8),)))


@_mutant("page")
def a_page_is_of_two_revisions(spoiler: Spoiler) -> None:
    """One of its jobs is as it was before another of them was as it is there."""
    ends: dict[int, int] = {}
    newest: dict[str, int] = {}
    for event in spoiler.events():
        ends[newest.get(event.job.id, 0)] = newest[event.job.id] = event.revision
    found = [
        (place, answer, number, event.job)
        for _, place, answer in spoiler.answered("List")
        for number, job in enumerate(answer.jobs)
        for event in spoiler.events()
        if event.job.id == job.id
        and any(other is not job and ends.get(event.revision, math.inf) <= other.revision for other in answer.jobs)
    ]
    if not found:
        raise Unfit
    place, answer, number, old = spoiler.chance.choice(found)
    jobs = list(answer.jobs)
    jobs[number] = old
    place.put(msgspec.structs.replace(answer, jobs=tuple(jobs)))


def _without(spoiler: Spoiler, fits: Callable[[Call], bool]) -> None:
    """Nobody has made the calls for which that fits."""
    gone = {(one.client, one.number) for _, one in spoiler.lines("clients", Call) if fits(one)}
    spoiler.files["clients"] = [
        line
        for line in spoiler.files["clients"]
        if not (isinstance(line, Call | Answer | Error) and (line.client, line.number) in gone)
    ]


@_mutant("unasked")
def a_job_is_cancelled_and_nobody_asked(spoiler: Spoiler) -> None:
    specs = {spec.digest: spec for _, spec in spoiler.lines("log", SpecCopy)}
    asked = {digest for digest, spec in specs.items() if spec.request and not spec.unique_key}
    event = spoiler.last(lambda event: event.job.state == CANCELLED and event.job.spec in asked)
    _without(spoiler, lambda call: (call.method == "Cancel" or call.force) and event.job.id in call.ids)


@_mutant("unasked")
def a_job_is_deleted_and_nobody_asked(spoiler: Spoiler) -> None:
    event = spoiler.last(lambda event: event.type == EVENT_TYPE_DELETED)
    _without(spoiler, lambda call: call.method == "Delete" and event.job.id in call.ids)


@_mutant("unasked")
def a_job_is_made_and_nobody_asked(spoiler: Spoiler) -> None:
    _, spec = spoiler.choose("log", SpecCopy, lambda one: one.request)
    _without(spoiler, lambda call: any(asked.request_id == spec.request for asked in call.asked))


def _fired(spoiler: Spoiler, many: int) -> list[JobCopy]:
    """Of so many jobs that schedules made, the first copies. Raises Unfit."""
    found = [event.job for event in spoiler.events() if event.type == EVENT_TYPE_CREATED and event.job.schedule]
    if len(found) < many:
        raise Unfit
    return spoiler.chance.sample(found, many)


def _remake(spoiler: Spoiler, job_id: str, **changes: object) -> None:
    """The log has had this job otherwise from its beginning."""
    for place, message in spoiler.messages("log"):
        events = [
            msgspec.structs.replace(event, job=msgspec.structs.replace(event.job, **changes))
            if event.job.id == job_id
            else event
            for event in message.events
        ]
        place.put(_with(message, events))


@_mutant("firing")
def a_schedule_makes_two_jobs_for_one_time(spoiler: Spoiler) -> None:
    one, other = _fired(spoiler, 2)
    _remake(spoiler, one.id, fire=other.fire)


@_mutant("unasked")
def a_job_is_of_no_schedule(spoiler: Spoiler) -> None:
    _remake(spoiler, _fired(spoiler, 1)[0].id, schedule="")


@_mutant("unasked")
def a_job_of_a_schedule_is_for_no_time(spoiler: Spoiler) -> None:
    _remake(spoiler, _fired(spoiler, 1)[0].id, fire=0)


# What subscribers were told.


@_mutant("stream-gap")
def a_message_is_missing(spoiler: Spoiler) -> None:
    messages = spoiler.messages("every")
    place, _ = spoiler.chance.choice(messages[:-1] or messages)
    place.put()


@_mutant("stream-gap")
def an_event_is_missing(spoiler: Spoiler) -> None:
    place, message = spoiler.chance.choice(spoiler.messages("every"))
    events = list(message.events)
    del events[spoiler.chance.randrange(len(events))]
    place.put(_with(message, events))


@_mutant("stream-gap")
def an_event_is_missing_in_a_sum(spoiler: Spoiler) -> None:
    place, message = spoiler.chance.choice(spoiler.messages("digests", 2))
    first, last = message.revisions
    place.put(msgspec.structs.replace(message, count=message.count - 1, revisions=(first, last - 1)))


@_mutant("stream-double")
def a_message_comes_twice(spoiler: Spoiler) -> None:
    place, message = spoiler.chance.choice(spoiler.messages("every"))
    place.put(message, message)


@_mutant("stream-double")
def events_come_in_another_order(spoiler: Spoiler) -> None:
    place, message = spoiler.chance.choice(spoiler.messages("every", 2))
    first, second, *rest = message.events
    place.put(_with(message, [second, first, *rest]))


@_mutant("stream-content")
def a_subscriber_is_told_otherwise(spoiler: Spoiler) -> None:
    place, message = spoiler.chance.choice(spoiler.messages("every"))
    place.put(_with(message, [_other(message.events[0]), *message.events[1:]]))


@_mutant("stream-content")
def a_sum_is_another(spoiler: Spoiler) -> None:
    place, message = spoiler.chance.choice(spoiler.messages("digests"))
    place.put(msgspec.structs.replace(message, sum=message.sum ^ 1))


@_mutant("stream-content")
def a_subscriber_is_told_what_does_not_match(spoiler: Spoiler) -> None:
    numbers = {one.number for _, one in spoiler.lines("subscribers", Subscribe) if one.subscriber == "narrow"}
    told = {event.revision for _, message in spoiler.messages("narrow") for event in message.events}
    begins = next(line.revision for _, line in spoiler.lines("subscribers", Message) if line.number in numbers)
    found = [
        (place, message, event)
        for place, message in spoiler.messages("narrow")
        for event in spoiler.events()
        if event.revision not in told and max(begins, message.events[0].revision) < event.revision < message.revision
    ]
    if not found:
        raise Unfit
    place, message, event = spoiler.chance.choice(found)
    place.put(_with(message, sorted([*message.events, event], key=lambda one: one.revision)))


def _reconnect(spoiler: Spoiler, change: int) -> None:
    number = min(
        (one.number for _, one in spoiler.lines("subscribers", Subscribe) if one.subscriber == "digests"), default=0
    )
    place, asked = spoiler.choose(
        "subscribers",
        Subscribe,
        lambda one: one.subscriber == "digests" and one.number != number and (one.after or 0) + change >= 0,
    )
    place.put(msgspec.structs.replace(asked, after=(asked.after or 0) + change))


@_mutant("stream-gap")
def a_cursor_leads_too_far(spoiler: Spoiler) -> None:
    _reconnect(spoiler, 1)


@_mutant("stream-double")
def a_cursor_leads_back(spoiler: Spoiler) -> None:
    _reconnect(spoiler, -1)


@_mutant("snapshot")
def a_snapshot_lacks_a_job(spoiler: Spoiler) -> None:
    place, message = spoiler.choose("subscribers", Message, lambda line: line.snapshot and line.count)
    place.put(msgspec.structs.replace(message, count=message.count - 1))


@_mutant("snapshot")
def a_snapshot_has_another_copy(spoiler: Spoiler) -> None:
    place, message = spoiler.choose("subscribers", Message, lambda line: line.snapshot and line.count)
    place.put(msgspec.structs.replace(message, sum=message.sum ^ 1))


@_mutant("snapshot")
def a_snapshot_is_of_two_revisions(spoiler: Spoiler) -> None:
    place, message = spoiler.choose("subscribers", Message, lambda line: line.snapshot)
    place.put(msgspec.structs.replace(message, revision=message.revision - 1))


@_mutant("snapshot")
def a_snapshot_tells_otherwise(spoiler: Spoiler) -> None:
    place, message = spoiler.choose("subscribers", Message, lambda line: line.snapshot and line.events)
    place.put(_with(message, [_other(message.events[0]), *message.events[1:]]))


@_mutant("lost")
def a_subscriber_was_told_more_than_there_is(spoiler: Spoiler) -> None:
    place, message = spoiler.messages("every")[-1]
    place.put(msgspec.structs.replace(message, revision=len(spoiler.events()) + 1))


@_mutant("lost")
def a_snapshot_is_of_more_than_there_is(spoiler: Spoiler) -> None:
    beyond = len(spoiler.events()) + 1
    _, message = spoiler.choose("subscribers", Message, lambda line: line.snapshot)
    for place, line in spoiler.lines("subscribers", Message):
        if line.number == message.number and (line.snapshot or line.synced):
            place.put(msgspec.structs.replace(line, revision=beyond))


@_mutant("stream-double")
def a_subscriber_is_sent_back(spoiler: Spoiler) -> None:
    place, message = spoiler.chance.choice(spoiler.messages("every"))
    place.put(message, msgspec.structs.replace(message, revision=message.revision - 1, events=()))


@_mutant("stream-double")
def latest_goes_back(spoiler: Spoiler) -> None:
    place, message = spoiler.chance.choice(spoiler.messages("latest", 2))
    place.put(_with(message, [*reversed(message.events)]))


@_mutant("stream-gap")
def latest_leaves_out_an_end(spoiler: Spoiler) -> None:
    found = [
        (place, message, event)
        for place, message in spoiler.messages("latest")
        for event in message.events
        if event.job.state in TERMINAL and event.type not in (EVENT_TYPE_DELETED, EVENT_TYPE_SNAPSHOT)
    ]
    if not found:
        raise Unfit
    place, message, event = spoiler.chance.choice(found)
    place.put(_with(message, [one for one in message.events if one is not event]))


@_mutant("stream-end")
def a_stream_ends_by_itself(spoiler: Spoiler) -> None:
    asked = [one for _, one in spoiler.lines("subscribers", Subscribe) if one.subscriber == "every"]
    spoiler.files["subscribers"].append(Ended(asked[-1].number, LATE, "OK"))


# What handlers noted.


@_mutant("run-unclaimed")
def a_function_is_called_twice(spoiler: Spoiler) -> None:
    _, started = spoiler.choose("handlers", Started)
    for at in range(3):
        spoiler.files["handlers"].append(msgspec.structs.replace(started, at=LATE + at))


@_mutant("run-unclaimed")
def a_function_is_called_for_a_job_that_was_not_claimed(spoiler: Spoiler) -> None:
    _, started = spoiler.choose("handlers", Started)
    spoiler.files["handlers"].append(msgspec.structs.replace(started, at=LATE, attempt=started.attempt + 50))


@_mutant("run-unclaimed")
def a_function_ends_that_did_not_begin(spoiler: Spoiler) -> None:
    ended = {(line.job, line.attempt, line.pid) for _, line in spoiler.lines("handlers", Returned)}
    place, _ = spoiler.choose("handlers", Started, lambda line: (line.job, line.attempt, line.pid) in ended)
    place.put()


@_mutant("run-unclaimed")
def a_function_is_called_on_another_server(spoiler: Spoiler) -> None:
    place, started = spoiler.choose("handlers", Started)
    other = 1001 if started.pid != 1001 else 1002
    for there, line in spoiler.lines("handlers", Returned):
        if (line.pid, line.job, line.attempt) == (started.pid, started.job, started.attempt):
            there.put(msgspec.structs.replace(line, pid=other))
            break
    place.put(msgspec.structs.replace(started, pid=other))


@_mutant("run-unfinished")
def what_succeeded_has_not_run_to_its_end(spoiler: Spoiler) -> None:
    ended = {event.job.id for event in spoiler.events() if event.job.state == SUCCEEDED}
    last = {line.job: line for _, line in spoiler.lines("handlers", Returned) if line.ok and line.job in ended}
    if not last:
        raise Unfit
    gone = spoiler.chance.choice(sorted(last.values(), key=lambda line: line.at))
    spoiler.files["handlers"].remove(gone)


@_mutant("run-overlap")
def two_attempts_run_at_the_same_time(spoiler: Spoiler) -> None:
    lost = {
        attempt.worker or attempt.server
        for event in spoiler.events()
        for attempt in event.job.attempts
        if attempt.reason in ("SERVER_LOST", "WORKER_LOST")
    }
    gone = {up.pid for _, up in spoiler.lines("servers", Up) if up.server in lost}
    gone |= {joined.pid for _, joined in spoiler.lines("workers", Joined) if joined.worker in lost}
    returned = spoiler.lines("handlers", Returned)
    found = [
        (place, one, started)
        for place, one in returned
        for _, started in spoiler.lines("handlers", Started)
        if started.job == one.job and started.at > one.at and not {one.pid, started.pid} & gone
    ]
    if not found:
        raise Unfit
    place, one, started = spoiler.chance.choice(found)
    # One moment after the other has begun.
    ends = msgspec.structs.replace(one, at=started.at + 1)
    place.put(ends)


def _never_end(spoiler: Spoiler) -> None:
    """All functions go on for as long as there is a record."""
    if not spoiler.lines("handlers", Returned):
        raise Unfit
    for number, (place, returned) in enumerate(spoiler.lines("handlers", Returned)):
        place.put(msgspec.structs.replace(returned, at=LATE + number))


@_mutant("run-slots")
def more_functions_run_than_there_are_slots(spoiler: Spoiler) -> None:
    _never_end(spoiler)


@_mutant("run-claims")
def functions_run_together_that_claim_the_same(spoiler: Spoiler) -> None:
    _never_end(spoiler)


# What workers noted.


@_mutant("worker-slots")
def a_worker_is_sent_more_than_it_has_slots(spoiler: Spoiler) -> None:
    """It has offered none."""
    _, heard = spoiler.choose("workers", Heard, lambda one: one.assigned)
    for place, said in spoiler.lines("workers", Said):
        if said.worker == heard.worker and said.slots:
            place.put(msgspec.structs.replace(said, slots=0))


@_mutant("worker-claim")
def a_job_is_sent_to_a_worker_twice(spoiler: Spoiler) -> None:
    place, heard = spoiler.choose("workers", Heard, lambda one: one.assigned)
    place.put(heard, heard)


@_mutant("worker-claim")
def a_job_is_sent_to_a_worker_that_has_not_claimed_it(spoiler: Spoiler) -> None:
    place, heard = spoiler.choose("workers", Heard, lambda one: one.assigned)
    (one,) = heard.assigned
    place.put(msgspec.structs.replace(heard, assigned=(Assigned(one.job, one.fence + 50, one.attempt),)))


@_mutant("run-unclaimed")
def a_worker_calls_a_function_again_by_one_claim(spoiler: Spoiler) -> None:
    """The second of two claims of an attempt was in truth the first once more."""
    by_attempt: dict[tuple[int, str, int], int] = {}
    for place, launched in spoiler.lines("workers", Launched):
        key = launched.pid, launched.job, launched.attempt
        if key in by_attempt:
            place.put(msgspec.structs.replace(launched, fence=by_attempt[key]))
            return
        by_attempt[key] = launched.fence
    _, launched = spoiler.choose("workers", Launched)
    started = Started(launched.pid, LATE, launched.job, launched.attempt, "quick")
    spoiler.files["workers"].append(launched)
    spoiler.files["handlers"].append(started)


@_mutant("worker-lost")
def a_worker_loses_an_attempt_over_a_server_s_death(spoiler: Spoiler) -> None:
    """It is not welcome with what it has."""
    place, heard = spoiler.choose("workers", Heard, lambda one: one.kept)
    place.put(msgspec.structs.replace(heard, kept=()))
    _end_late(spoiler, {lease.job for lease in heard.kept})


@_mutant("worker-lost")
def an_attempt_is_taken_from_a_worker_that_is_there(spoiler: Spoiler) -> None:
    """It was heard of half a lease before."""
    given = {(one.job, heard.worker) for _, heard in spoiler.lines("workers", Heard) for one in heard.assigned}
    found = [
        (place, message, event)
        for place, message in spoiler.messages("log")
        for event in message.events
        if event.previous_state == RUNNING != event.job.state
        and event.job.attempts[-1].reason == "WORKER_LOST"
        and (event.job.id, event.job.attempts[-1].worker) in given
    ]
    if not found:
        raise Unfit
    place, message, lost = spoiler.chance.choice(found)
    late = msgspec.structs.replace(lost, time=LEASE // 2 // 1000)
    place.put(_with(message, [late if event is lost else event for event in message.events]))


@_mutant("settled")
def what_was_settled_ends_only_later(spoiler: Spoiler) -> None:
    settled = {lease.job for _, heard in spoiler.lines("workers", Heard) for lease in heard.settled}
    if not settled:
        raise Unfit
    _end_late(spoiler, settled)


def _end_late(spoiler: Spoiler, jobs: set[str]) -> None:
    """All attempts of these end only after everything that has happened."""
    for place, message in spoiler.messages("log"):
        events = [
            msgspec.structs.replace(event, time=LATE)
            if event.job.id in jobs and event.previous_state == RUNNING != event.job.state
            else event
            for event in message.events
        ]
        place.put(_with(message, events))


@_mutant("settled")
def a_worker_s_job_has_another_result(spoiler: Spoiler) -> None:
    ended = {event.job.id for event in spoiler.events() if event.job.state == SUCCEEDED}

    def succeeded(said: Said) -> bool:
        return any(one.how == "succeeded" and one.job in ended for one in said.finishes)

    place, said = spoiler.choose("workers", Said, succeeded)
    (one,) = said.finishes
    place.put(msgspec.structs.replace(said, finishes=(Outcome(one.job, one.fence, one.how, 7),)))


# What servers said.


@_mutant("ledger")
def a_ledger_does_not_add_up(spoiler: Spoiler) -> None:
    place, ledger = spoiler.choose("servers", LedgerCopy)
    place.put(msgspec.structs.replace(ledger, free=ledger.free + 1))


@_mutant("ledger")
def a_ledger_names_one_that_does_not_run(spoiler: Spoiler) -> None:
    place, ledger = spoiler.choose("servers", LedgerCopy, lambda one: one.running)
    holders = [one for one in ledger.holders if one.zombie]
    more = tuple(Holder(f"job-no-{number}", 1) for number in range(ledger.running))
    place.put(msgspec.structs.replace(ledger, holders=(*more, *holders)))


@_mutant("ledger")
def a_ledger_leaves_one_out(spoiler: Spoiler) -> None:
    place, ledger = spoiler.choose("servers", LedgerCopy, lambda one: one.running)
    holders = list(ledger.holders)
    holders.remove(next(one for one in holders if not one.zombie))
    less = msgspec.structs.replace(ledger, running=ledger.running - 1, free=ledger.free + 1, holders=tuple(holders))
    place.put(less)


@_mutant("servers")
def a_server_is_named_twice(spoiler: Spoiler) -> None:
    place, told = spoiler.choose("servers", Servers)
    place.put(msgspec.structs.replace(told, servers=(*told.servers, told.servers[-1])))


@_mutant("servers")
def no_server_is_the_one_that_answers(spoiler: Spoiler) -> None:
    place, told = spoiler.choose("servers", Servers)
    place.put(msgspec.structs.replace(told, servers=told.servers[:0]))


@_mutant("ledger")
def a_ledger_counts_otherwise_than_it_names(spoiler: Spoiler) -> None:
    place, ledger = spoiler.choose("servers", LedgerCopy, lambda one: one.holders)
    place.put(msgspec.structs.replace(ledger, holders=ledger.holders[1:]))


@_mutant("lost")
def a_ledger_is_of_more_than_there_is(spoiler: Spoiler) -> None:
    place, ledger = spoiler.choose("servers", LedgerCopy)
    place.put(msgspec.structs.replace(ledger, revision=len(spoiler.events()) + 1))
