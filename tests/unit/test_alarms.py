"""The times of attempts: those that have ended are not waited for, nor kept."""

from slotd_server.alarms import Alarm, Alarms
from slotd_server.domain.commands import Lease


def test_the_earliest_comes_first_and_once() -> None:
    one, two = Lease(1, 1), Lease(2, 1)
    alarms = Alarms({one, two})
    alarms.set(30, one, Alarm.TIMEOUT)
    alarms.set(10, two, Alarm.TIMEOUT)
    alarms.set(20, one, Alarm.REPORT)
    assert alarms.next == 10
    assert list(alarms.due(9)) == []
    assert list(alarms.due(20)) == [(two, Alarm.TIMEOUT), (one, Alarm.REPORT)]
    assert alarms.next == 30


def test_nobody_waits_for_those_of_attempts_that_have_ended() -> None:
    one, two = Lease(1, 1), Lease(2, 1)
    running = {one, two}
    alarms = Alarms(running)
    alarms.set(10, one, Alarm.TIMEOUT)
    alarms.set(20, two, Alarm.TIMEOUT)
    alarms.set(30, one, Alarm.GRACE)
    running.discard(one)
    assert alarms.next == 20
    assert list(alarms.due(100)) == [(two, Alarm.TIMEOUT)]
    assert alarms.next is None


def test_no_more_are_kept_than_a_few_for_each_that_runs() -> None:
    running: set[Lease] = set()
    alarms = Alarms(running)
    kept = 0
    for seq in range(20_000):
        lease = Lease(seq, 1)
        running.add(lease)
        alarms.set(1_000_000 + seq, lease, Alarm.TIMEOUT)
        # All but one of a hundred end at once.
        if seq % 100:
            running.discard(lease)
        kept = max(kept, len(alarms))
    assert kept <= 2 * len(running) + 256
    assert [lease for lease, _ in alarms.due(2_000_000)] == sorted(running)
