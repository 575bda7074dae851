"""The protocol as a worker speaks it: hello, credit, reports, ends, cuts, leaving. Step by step, without threads."""

import pytest

from slotd.attempts import Failed, Outcome, Snoozed, Succeeded
from slotd.context import Told
from slotd.isolation.base import NOTHING, Lease, Limits
from slotd.v1 import job_pb2
from slotd.v1 import worker_service_pb2 as pb
from slotd.worker.session import FIRST_LEASE, PIECE_BYTES, SETTLE_SECONDS, Phase
from tests.worker.station import DRAIN, LEASE, Station, key, wire


@pytest.fixture
def station() -> Station:
    return Station()


@pytest.fixture
def working() -> Station:
    station = Station()
    station.connect()
    assert station.ask() is None
    return station


def stop(lease: Lease, reason: pb.StopReason.ValueType) -> pb.Stop:
    return pb.Stop(lease=wire(lease), reason=reason)


class TestHello:
    def test_the_first_request_says_who_it_is_and_how_many_slots_it_has(self, station: Station) -> None:
        hello = station.connect()
        assert (hello.hello.worker_id, hello.hello.name, hello.hello.client) == ("w-1", "here", "slotd-test/1")
        assert [kind.kind for kind in hello.hello.kinds] == ["k"]
        assert list(hello.hello.held) == []
        assert hello.slots == 2
        assert not hello.reports
        assert not hello.finishes

    def test_nothing_more_is_said_before_the_welcome(self, station: Station) -> None:
        station.session.connected(station.now)
        station.asked()
        assert station.ask() is None
        station.now += FIRST_LEASE - 1
        assert station.ask() is None
        assert station.session.silence(station.now) > 0

    def test_what_it_holds_is_named_and_the_slots_come_after_the_welcome(self, working: Station) -> None:
        one, two = working.assign("one", "two")
        working.end(two)
        working.asked()
        working.cut()
        hello = working.connect(held=[one, two])
        assert [Lease(held.job_id, held.fence) for held in hello.hello.held] == [one, two]
        assert not hello.HasField("slots")
        assert working.asked().slots == 2

    def test_without_a_welcome_within_the_first_lease_the_call_is_broken_off(self, station: Station) -> None:
        station.session.connected(station.now)
        assert not station.pass_time(FIRST_LEASE - 0.1)
        assert station.pass_time(0.1)


class TestCredit:
    def test_an_assignment_starts_its_function(self, working: Station) -> None:
        (one,) = working.assign("one")
        assert working.functions.started == [one]
        assert working.functions.limits == Limits(100, 1 << 22)

    def test_no_more_functions_than_slots_are_started(self, working: Station) -> None:
        """The server may send one too many, when it takes a slot for free whose function it has given up."""
        working.assign("one", "two")
        (three,) = working.assign("three")
        assert three not in working.functions.started
        (finish,) = working.asked().finishes
        assert key(finish) == three
        assert finish.WhichOneof("outcome") == "released"

    def test_a_slot_is_free_once_its_function_has_returned(self, working: Station) -> None:
        one, _ = working.assign("one", "two")
        working.end(one)
        (three,) = working.assign("three")
        assert three in working.functions.started

    def test_a_new_size_is_told(self, working: Station) -> None:
        working.session.resize(5)
        assert working.asked().slots == 5
        assert working.ask() is None
        working.session.resize(0)
        request = working.asked()
        assert request.HasField("slots")
        assert request.slots == 0

    def test_what_runs_beyond_a_smaller_size_runs_on(self, working: Station) -> None:
        one, two = working.assign("one", "two")
        working.session.resize(1)
        assert working.functions.stopped == []
        working.end(one)
        (three,) = working.assign("three")
        assert three not in working.functions.started
        working.end(two)
        (four,) = working.assign("four")
        assert four in working.functions.started


class TestReports:
    def test_what_is_told_is_reported(self, working: Station) -> None:
        (one,) = working.assign("one")
        working.tell(one, b"abc", (1, 3, "at it"))
        (report,) = working.asked().reports
        assert key(report) == one
        assert (report.output, report.progress.done, report.progress.total, report.progress.message) == (
            b"abc",
            1,
            3,
            "at it",
        )
        assert working.ask() is None

    def test_progress_that_was_not_told_is_not_there(self, working: Station) -> None:
        (one,) = working.assign("one")
        working.tell(one, b"abc")
        assert not working.asked().reports[0].HasField("progress")

    def test_the_next_one_waits_until_the_last_is_taken(self, working: Station) -> None:
        (one,) = working.assign("one")
        working.tell(one, b"1")
        working.asked()
        working.tell(one, b"2")
        working.tell(one, b"3", (1, 2, ""))
        working.tell(one, b"", (2, 2, ""))
        assert working.ask() is None
        assert working.functions.waiting[one].output == b"23", "it was taken too early: its writer no longer waits"
        working.say(taken=[wire(one)])
        (report,) = working.asked().reports
        assert (report.output, report.progress.done) == (b"23", 2)

    def test_attempts_do_not_wait_for_each_other(self, working: Station) -> None:
        one, two = working.assign("one", "two")
        working.tell(one, b"1")
        working.asked()
        working.tell(two, b"2")
        assert [key(report) for report in working.asked().reports] == [two]

    def test_much_output_goes_in_pieces(self, working: Station) -> None:
        (one,) = working.assign("one")
        working.tell(one, b"x" * (2 * PIECE_BYTES + 1))
        sizes = []
        while (request := working.ask()) is not None:
            sizes += [len(report.output) for report in request.reports]
            working.say(taken=[wire(one)])
        assert sizes == [PIECE_BYTES, PIECE_BYTES, 1]

    def test_the_next_piece_waits_like_any_other_report(self, working: Station) -> None:
        (one,) = working.assign("one")
        working.tell(one, b"x" * (PIECE_BYTES + 1))
        working.asked()
        working.tell(one, b"y")
        assert working.ask() is None
        working.say(taken=[wire(one)])
        assert working.asked().reports[0].output == b"xy"

    def test_a_request_does_not_grow_without_bound(self) -> None:
        station = Station(slots=100)
        station.connect()
        leases = station.assign(*map(str, range(20)))
        for lease in leases:
            station.tell(lease, b"x" * PIECE_BYTES)
        seen = []
        while (request := station.ask()) is not None:
            assert request.ByteSize() < 7 << 20
            seen += [key(report) for report in request.reports]
        assert seen == leases

    def test_each_piece_says_where_in_the_job_s_output_it_begins(self, working: Station) -> None:
        """Its attempts share one output: this one begins where the last has ended."""
        lease = Lease("one", 2)
        working.say(assignments=[pb.Assignment(lease=wire(lease), job=job_pb2.Job(output_size=100))])
        working.tell(lease, b"abc")
        (report,) = working.asked().reports
        assert (report.output_offset, report.output) == (100, b"abc")
        working.cut()
        working.connect(held=[lease])
        (report,) = working.asked().reports
        assert (report.output_offset, report.output) == (100, b"abc")
        working.say(taken=[wire(lease)])
        working.tell(lease, progress=(1, 1, ""))
        (report,) = working.asked().reports
        assert not report.HasField("output_offset")
        working.end(lease, told=Told(None, b"de"))
        (finish,) = working.asked().finishes
        assert (finish.output_offset, finish.output) == (103, b"de")

    def test_taken_for_nothing_changes_nothing(self, working: Station) -> None:
        (one,) = working.assign("one")
        working.say(taken=[wire(one), wire(Lease("nobody", 1))])
        assert working.ask() is None


class TestEnds:
    @pytest.mark.parametrize(
        ("outcome", "field", "expected"),
        [
            (Succeeded(None), "succeeded", pb.Succeeded()),
            (
                Failed("NO_LUCK", "it rained", True),
                "failed",
                pb.Failed(reason="NO_LUCK", message="it rained", permanent=True),
            ),
            (Failed("NO_LUCK", "it rained"), "failed", pb.Failed(reason="NO_LUCK", message="it rained")),
        ],
    )
    def test_each_outcome_is_said(self, working: Station, outcome: Outcome, field: str, expected: object) -> None:
        (one,) = working.assign("one")
        working.end(one, outcome)
        (finish,) = working.asked().finishes
        assert finish.WhichOneof("outcome") == field
        assert getattr(finish, field) == expected

    def test_a_result_goes_along(self, working: Station) -> None:
        (one,) = working.assign("one")
        working.end(one, Succeeded(("text/plain", b"yes")))
        result = working.asked().finishes[0].succeeded.result
        assert (result.content_type, result.data) == ("text/plain", b"yes")

    def test_a_snooze_has_its_delay(self, working: Station) -> None:
        (one,) = working.assign("one")
        working.end(one, Snoozed(1.5))
        assert working.asked().finishes[0].snoozed.delay.ToMilliseconds() == 1500

    def test_a_result_that_is_too_large_is_a_failure(self, working: Station) -> None:
        one, two = working.assign("one", "two")
        working.end(one, Succeeded(("x/y", bytes(101))))
        working.end(two, Succeeded(("x/y", bytes(100))))
        first, second = working.asked().finishes
        assert (first.failed.reason, first.failed.permanent) == ("RESULT_TOO_LARGE", True)
        assert second.WhichOneof("outcome") == "succeeded"

    def test_the_last_that_it_told_goes_along(self, working: Station) -> None:
        (one,) = working.assign("one")
        working.tell(one, b"a")
        working.end(one, told=Told((3, 3, ""), b"ab"))
        request = working.asked()
        assert not request.reports
        (finish,) = request.finishes
        assert (finish.output, finish.progress.done) == (b"ab", 3)

    def test_it_does_not_wait_for_a_report_to_be_taken(self, working: Station) -> None:
        (one,) = working.assign("one")
        working.tell(one, b"a")
        working.asked()
        working.end(one, told=Told(None, b"b"))
        assert working.asked().finishes[0].output == b"b"

    def test_what_does_not_fit_goes_before_it(self, working: Station) -> None:
        (one,) = working.assign("one")
        working.end(one, told=Told(None, b"x" * (2 * PIECE_BYTES + 3)))
        request = working.asked()
        assert (len(request.reports[0].output), len(request.finishes)) == (PIECE_BYTES, 0)
        assert working.ask() is None
        working.say(taken=[wire(one)])
        request = working.asked()
        assert len(request.reports[0].output) == PIECE_BYTES
        (finish,) = working.asked().finishes
        assert finish.output == b"xxx"

    def test_once_settled_it_is_forgotten(self, working: Station) -> None:
        (one,) = working.assign("one")
        working.end(one)
        working.asked()
        assert working.session.held == 1
        working.say(settled=[wire(one)])
        assert working.session.held == 0
        working.cut()
        assert not working.connect().hello.held

    def test_one_that_has_not_ended_can_not_be_settled(self, working: Station) -> None:
        (one,) = working.assign("one")
        working.say(settled=[wire(one)])
        working.end(one)
        assert key(working.asked().finishes[0]) == one

    def test_what_it_tells_after_its_end_is_nobody_s(self, working: Station) -> None:
        (one,) = working.assign("one")
        working.end(one)
        working.asked()
        working.tell(one, b"late")
        assert working.ask() is None

    def test_no_request_has_more_than_servers_take_whatever_it_is_made_of(self) -> None:
        crowded = Station(slots=2500)
        crowded.connect()
        leases = crowded.assign(*(str(number) for number in range(2500)))
        for number, lease in enumerate(leases):
            if number % 2:
                crowded.tell(lease, progress=(1, 2, "😀" * 1024))
            else:
                crowded.end(lease, Failed("HANDLER_ERROR", "😀" * 4096))
        sizes = []
        while (request := crowded.ask()) is not None:
            sizes.append(request.ByteSize())
        assert sum(sizes) > 20 << 20
        assert max(sizes) < 5 << 20


class TestStops:
    def test_a_cancelled_one_is_asked_to_stop_and_ends_as_any_other(self, working: Station) -> None:
        (one,) = working.assign("one")
        working.say(stops=[stop(one, pb.STOP_REASON_CANCELLED)])
        assert working.functions.stopped == [(one, False)]
        working.end(one, Failed("CANCELLED", ""))
        assert key(working.asked().finishes[0]) == one

    def test_one_that_is_over_may_be_ended_by_force_and_still_says_when_it_has_returned(self, working: Station) -> None:
        (one,) = working.assign("one")
        working.say(stops=[stop(one, pb.STOP_REASON_ENDED)])
        assert working.functions.stopped == [(one, True)]
        working.end(one)
        assert key(working.asked().finishes[0]) == one

    def test_a_stop_may_come_with_its_assignment(self, working: Station) -> None:
        lease = Lease("one", 1)
        working.say(assignments=[pb.Assignment(lease=wire(lease))], stops=[stop(lease, pb.STOP_REASON_CANCELLED)])
        assert working.functions.stopped == [(lease, False)]

    def test_a_stop_for_what_has_returned_comes_too_late(self, working: Station) -> None:
        (one,) = working.assign("one")
        working.end(one)
        working.say(stops=[stop(one, pb.STOP_REASON_CANCELLED), stop(Lease("nobody", 1), pb.STOP_REASON_ENDED)])
        assert working.functions.stopped == []

    def test_a_lost_one_is_stopped_and_nothing_more_is_said_of_it(self, working: Station) -> None:
        (one,) = working.assign("one")
        working.tell(one, b"a")
        working.say(stops=[stop(one, pb.STOP_REASON_LOST)])
        assert working.functions.stopped == [(one, True)]
        assert working.asked().slots == 1
        working.tell(one, b"b")
        assert working.ask() is None
        working.end(one)
        request = working.asked()
        assert (request.slots, len(request.reports), len(request.finishes)) == (2, 0, 0)

    def test_the_slot_of_a_lost_one_is_taken_until_its_function_returns(self, working: Station) -> None:
        one, two = working.assign("one", "two")
        working.say(stops=[stop(one, pb.STOP_REASON_LOST)])
        assert working.asked().slots == 1
        again = Lease("one", 2)
        working.say(assignments=[pb.Assignment(lease=wire(again))])
        assert again not in working.functions.started
        assert working.asked().finishes[0].WhichOneof("outcome") == "released"
        working.end(one)
        assert working.asked().slots == 2
        assert working.session.lost == 0
        working.end(two)

    def test_a_lost_one_that_has_returned_is_forgotten(self, working: Station) -> None:
        (one,) = working.assign("one")
        working.end(one)
        working.say(stops=[stop(one, pb.STOP_REASON_LOST)])
        assert working.ask() is None
        assert working.session.held == 0
        assert working.functions.stopped == []


class TestCuts:
    def test_an_end_is_said_again_until_it_is_settled(self, working: Station) -> None:
        (one,) = working.assign("one")
        working.tell(one, b"", (1, 1, ""))
        working.end(one, Succeeded(("x/y", b"1")))
        first = working.asked().finishes[0].SerializeToString()
        for _ in range(3):
            working.cut()
            working.connect(held=[one])
            again = working.asked()
            assert again.finishes[0].SerializeToString() == first
        working.say(settled=[wire(one)])
        working.cut()
        assert not working.connect().hello.held

    def test_a_function_that_ends_meanwhile_is_not_forgotten(self, working: Station) -> None:
        (one,) = working.assign("one")
        working.cut()
        working.end(one)
        assert working.ask() is None
        assert len(working.connect(held=[one]).hello.held) == 1
        assert key(working.asked().finishes[0]) == one

    def test_a_report_that_was_not_taken_is_said_again(self, working: Station) -> None:
        (one,) = working.assign("one")
        working.tell(one, b"1")
        working.asked()
        working.tell(one, b"2")
        working.cut()
        working.connect(held=[one])
        (report,) = working.asked().reports
        assert report.output == b"1"
        working.say(taken=[wire(one)])
        assert working.asked().reports[0].output == b"2"

    def test_a_report_that_was_taken_is_not(self, working: Station) -> None:
        (one,) = working.assign("one")
        working.tell(one, b"1")
        working.asked()
        working.say(taken=[wire(one)])
        working.cut()
        working.connect(held=[one])
        request = working.asked()
        assert (request.slots, len(request.reports)) == (2, 0)

    def test_an_end_goes_in_a_request_after_the_report_that_is_said_again(self, working: Station) -> None:
        (one,) = working.assign("one")
        working.tell(one, b"1")
        working.asked()
        working.end(one, told=Told(None, b"2"))
        working.asked()
        working.cut()
        working.connect(held=[one])
        first, second = working.asked(), working.asked()
        assert [report.output for report in first.reports] == [b"1"]
        assert not first.finishes
        assert [finish.output for finish in second.finishes] == [b"2"]
        assert not second.reports

    def test_what_the_welcome_does_not_name_is_lost(self, working: Station) -> None:
        one, two = working.assign("one", "two")
        working.end(two)
        working.asked()
        working.tell(one, b"1")
        working.cut()
        working.connect(held=[])
        assert working.functions.stopped == [(one, True)]
        request = working.asked()
        assert (request.slots, len(request.reports), len(request.finishes)) == (1, 0, 0)
        working.end(one)
        assert working.asked().slots == 2

    def test_a_lost_one_is_not_named_again(self, working: Station) -> None:
        (one,) = working.assign("one")
        working.cut()
        working.connect(held=[])
        working.cut()
        hello = working.connect(held=[])
        assert not hello.hello.held
        assert hello.slots == 1
        working.end(one)
        assert working.asked().slots == 2

    def test_it_may_break_before_the_welcome(self, working: Station) -> None:
        (one,) = working.assign("one")
        working.cut()
        working.session.connected(working.now)
        working.asked()
        working.cut()
        assert working.at(Phase.AWAY)
        assert len(working.connect(held=[one]).hello.held) == 1
        assert working.session.held == 1


class TestClock:
    def test_a_silent_worker_sends_heartbeats(self, station: Station) -> None:
        station.connect(lease=8)
        assert station.ask() is None
        assert station.session.silence(station.now) == 2
        station.now += 1.9
        assert station.ask() is None
        station.now += 0.1
        assert station.asked() == pb.WorkRequest()
        assert station.ask() is None

    def test_a_long_lease_does_not_make_it_silent_for_long(self, station: Station) -> None:
        station.connect(lease=600)
        assert station.session.silence(station.now) == 4

    def test_whatever_it_says_is_a_sign_of_life(self, working: Station) -> None:
        (one,) = working.assign("one")
        working.now += LEASE / 4 - 0.1
        working.tell(one, b"1")
        working.asked()
        working.now += LEASE / 4 - 0.1
        assert working.ask() is None

    def test_a_server_that_says_nothing_for_a_lease_is_left(self, working: Station) -> None:
        assert working.session.next_tick(working.now) == LEASE
        assert not working.pass_time(LEASE - 0.1)
        working.say()
        assert not working.pass_time(LEASE - 0.1)
        assert working.pass_time(0.1)

    def test_the_lease_is_that_of_the_last_welcome(self, working: Station) -> None:
        working.cut()
        working.connect(lease=2)
        assert working.pass_time(2)


class TestLeaving:
    def test_with_nothing_held_it_leaves_at_once(self, working: Station) -> None:
        working.session.drain(working.now, DRAIN)
        assert working.at(Phase.LEAVING)
        assert working.asked() == pb.WorkRequest(leave=True)
        assert working.ask() is None
        working.cut()
        assert working.at(Phase.LEFT)

    def test_what_runs_may_end_and_nothing_new_comes(self, working: Station) -> None:
        (one,) = working.assign("one")
        working.session.drain(working.now, DRAIN)
        assert working.asked().slots == 0
        (two,) = working.assign("two")
        assert two not in working.functions.started
        assert working.asked().finishes[0].WhichOneof("outcome") == "released"
        working.say(settled=[wire(two)])
        assert working.at(Phase.WORKING)
        working.end(one)
        assert working.asked().finishes[0].WhichOneof("outcome") == "succeeded"
        assert working.at(Phase.WORKING)
        working.say(settled=[wire(one)])
        assert working.at(Phase.LEAVING)
        assert working.functions.stopped == []

    def test_the_server_may_ask_for_it(self, working: Station) -> None:
        (one,) = working.assign("one")
        working.say(drain=True)
        assert working.session.draining
        assert working.asked().slots == 0
        assert not working.pass_time(LEASE / 2)
        working.end(one)
        working.say(settled=[wire(one)])
        assert working.at(Phase.LEAVING)

    def test_what_has_not_ended_in_time_is_given_back(self, working: Station) -> None:
        (one,) = working.assign("one")
        working.session.drain(working.now, 5)
        working.asked()
        working.tell(one, b"last words")
        assert working.session.next_tick(working.now) == 5
        working.pass_time(5)
        assert working.functions.stopped == [(one, True)]
        (finish,) = working.asked().finishes
        assert (finish.WhichOneof("outcome"), finish.output) == ("released", b"last words")
        working.end(one)
        assert working.ask() is None
        working.say(settled=[wire(one)])
        assert working.at(Phase.LEAVING)

    def test_a_second_time_is_sooner_never_later(self, working: Station) -> None:
        working.assign("one")
        working.session.drain(working.now, 5)
        working.session.drain(working.now, 50)
        working.pass_time(5)
        assert len(working.functions.stopped) == 1
        other = Station()
        other.connect()
        other.assign("one")
        other.session.drain(other.now, 50)
        other.session.drain(other.now, 0)
        assert len(other.functions.stopped) == 1

    def test_it_waits_for_what_it_said_to_be_kept_but_not_for_ever(self, working: Station) -> None:
        (one,) = working.assign("one")
        working.session.drain(working.now, 0)
        working.asked()
        working.end(one)
        working.pass_time(SETTLE_SECONDS - 0.1)
        assert working.at(Phase.WORKING)
        working.pass_time(0.1)
        assert working.at(Phase.LEAVING)

    def test_it_waits_for_the_end_of_the_call_but_not_for_ever(self, working: Station) -> None:
        working.session.drain(working.now, DRAIN)
        assert not working.pass_time(SETTLE_SECONDS - 0.1)
        assert working.pass_time(0.1)

    def test_away_from_a_server_with_nothing_held_it_is_gone_at_once(self, station: Station) -> None:
        station.session.drain(station.now, DRAIN)
        assert station.at(Phase.LEFT)

    def test_away_from_a_server_it_connects_again_to_say_what_it_has_to(self, working: Station) -> None:
        (one,) = working.assign("one")
        working.cut()
        working.session.drain(working.now, DRAIN)
        working.end(one)
        assert working.at(Phase.AWAY)
        hello = working.connect(held=[one])
        assert len(hello.hello.held) == 1
        request = working.asked()
        assert (request.slots, len(request.finishes)) == (0, 1)
        working.say(settled=[wire(one)])
        assert working.at(Phase.LEAVING)

    def test_what_is_lost_meanwhile_does_not_hold_it_up(self, working: Station) -> None:
        working.assign("one")
        working.session.drain(working.now, DRAIN)
        working.cut()
        working.connect(held=[])
        assert working.at(Phase.LEAVING)

    def test_away_from_any_server_it_gives_up_in_the_end(self, working: Station) -> None:
        working.assign("one")
        working.cut()
        working.session.drain(working.now, 5)
        working.pass_time(5 + SETTLE_SECONDS - 0.1)
        assert working.at(Phase.AWAY)
        working.pass_time(0.1)
        assert working.at(Phase.LEFT)

    def test_a_server_that_does_not_say_welcome_does_not_hold_it_up(self, station: Station) -> None:
        station.session.connected(station.now)
        station.asked()
        station.session.drain(station.now, DRAIN)
        assert not station.pass_time(SETTLE_SECONDS - 0.1)
        assert station.pass_time(0.1)
        station.cut()
        station.pass_time(0)
        assert station.at(Phase.LEFT)

    def test_after_it_has_said_that_it_leaves_nothing_is_started(self, working: Station) -> None:
        working.session.drain(working.now, DRAIN)
        assert working.asked().leave
        working.assign("late")
        assert working.functions.started == []
        assert working.ask() is None

    def test_abandoned_it_stops_all_that_runs(self, working: Station) -> None:
        one, two = working.assign("one", "two")
        working.end(one)
        working.session.abandon()
        assert working.functions.stopped == [(two, True)]
        assert working.at(Phase.LEFT)
        assert working.ask() is None


def test_a_function_that_can_not_be_started_has_finished_at_once() -> None:
    """Some runners say so from within `start`."""
    station = Station()

    def start(lease: Lease, assignment: pb.Assignment, limits: Limits) -> None:
        station.session.finished(lease, Failed("PROCESS_NOT_STARTED", "no memory"), NOTHING)

    station.functions.start = start  # type: ignore[method-assign]
    station.connect()
    for _ in range(5):
        station.assign("one")
        (finish,) = station.asked().finishes
        assert finish.failed.reason == "PROCESS_NOT_STARTED"
        station.say(settled=[finish.lease])
    assert station.session.held == 0
