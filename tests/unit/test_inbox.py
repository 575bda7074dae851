"""The writer's inbox: who is waited for, and for how long. What happens while the taker sleeps is scripted."""

import threading
from collections.abc import Callable, Iterable

from slotd_server import inbox
from slotd_server.inbox import Inbox
from tests.unit.scripted import PATIENCE

Put = Callable[[], None]


class Script:
    """Stands for the condition that the taker sleeps on: each sleep is as long as the next acts, none of which is done
    once the taker may wake; at None the time is over."""

    def __init__(self, box: Inbox[int], acts: Iterable[Put | None]) -> None:
        self.sleeps: list[float] = []
        self.rings = 0
        self._lock = box._lock
        self._acts = iter(acts)
        box._changed = self  # type: ignore[assignment]

    def wait_for(self, ready: Callable[[], bool], seconds: float) -> bool:
        if ready():
            return True
        self.sleeps.append(seconds)
        while not ready():
            act = next(self._acts, None)
            if act is None:
                return False
            self._lock.release()
            act()
            self._lock.acquire()
        return True

    def notify(self) -> None:
        self.rings += 1


def box(*there: int, expected: int = 0, busy: bool = True) -> Inbox[int]:
    """An inbox with these patient ones, whose taker has answered so many before they came."""
    made: Inbox[int] = Inbox(lambda: busy)
    made.expect(expected)
    for item in there:
        made.put(item, patient=True)
    return made


def take(of: Inbox[int], seconds: float, most: int) -> list[int]:
    of.wait(seconds)
    return of.take(most)


def calls(to: Inbox[int], item: int) -> Put:
    return lambda: to.put(item, patient=True)


def reports(to: Inbox[int], item: int) -> Put:
    return lambda: to.put(item)


class TestTaking:
    def test_they_are_taken_in_their_order_and_each_once(self) -> None:
        full = box(1, 2, 3)
        assert take(full, 0, 2) == [1, 2]
        assert len(full) == 1
        assert take(full, 0, 2) == [3]
        assert take(full, 0, 2) == []

    def test_it_sleeps_until_one_comes(self) -> None:
        empty = box()
        script = Script(empty, [calls(empty, 1)])
        assert take(empty, 5, 10) == [1]
        assert script.sleeps == [5]
        assert script.rings == 1

    def test_what_is_left_for_somebody_who_comes_wakes_nobody(self) -> None:
        left = box()
        script = Script(left, [lambda: left.leave([1, 2])])
        assert take(left, 5, 10) == [1, 2]
        assert script.rings == 0

    def test_what_was_left_presses_when_somebody_else_comes(self) -> None:
        left = box(expected=10)
        script = Script(left, [])
        left.leave([1, 2])
        assert take(left, 5, 10) == [1, 2]
        assert script.sleeps == [], "they have waited long enough"

    def test_who_is_called_looks_up_for_nothing(self) -> None:
        called = box(expected=10)
        script = Script(called, [called.call])
        assert called.wait(5)
        assert called.take(10) == []
        assert (script.sleeps, script.rings) == ([5], 1)
        assert not called.wait(5), "once"

    def test_a_call_is_not_taken_back_by_whoever_takes_what_is_there(self) -> None:
        called = box()
        script = Script(called, [])
        called.call()
        assert called.take(10) == []
        assert called.wait(5)
        assert script.sleeps == []

    def test_a_thread_that_sleeps_is_woken(self) -> None:
        empty = box()
        taken: list[list[int]] = []
        asleep = threading.Event()
        ready = empty._ready

        def looks() -> bool:
            asleep.set()
            return ready()

        empty._ready = looks  # type: ignore[method-assign]
        taker = threading.Thread(target=lambda: taken.append(take(empty, 1_000_000, 10)), daemon=True)
        taker.start()
        assert asleep.wait(PATIENCE)
        empty.put(1)
        taker.join(PATIENCE)
        assert taken == [[1]]


class TestCompany:
    def test_those_who_were_answered_together_are_taken_together(self) -> None:
        three = box(1, expected=3)
        script = Script(three, [calls(three, 2), calls(three, 3), calls(three, 4)])
        assert take(three, 5, 10) == [1, 2, 3]
        assert script.sleeps == [inbox._GAP]
        assert script.rings == 1, "woken once, when all are there"

    def test_as_long_as_they_keep_coming(self) -> None:
        four = box(1, expected=4)
        script = Script(four, [calls(four, 2), None, calls(four, 3), None, None, calls(four, 4)])
        assert take(four, 5, 10) == [1, 2, 3]
        assert script.sleeps == [inbox._GAP] * 3

    def test_one_alone_does_not_wait(self) -> None:
        one = box(1, expected=1)
        script = Script(one, [])
        assert take(one, 5, 10) == [1]
        assert script.sleeps == []

    def test_nobody_waits_where_the_service_is_not_busy(self) -> None:
        idle = box(1, expected=3, busy=False)
        script = Script(idle, [])
        assert take(idle, 5, 10) == [1]
        assert script.sleeps == []

    def test_who_comes_while_others_are_answered_is_expected_with_them(self) -> None:
        both = box(1)
        both.expect(2)
        Script(both, [calls(both, 2), calls(both, 3), calls(both, 4)])
        assert take(both, 5, 10) == [1, 2, 3]

    def test_no_more_are_waited_for_than_are_enough(self) -> None:
        many = box(0, expected=10 * inbox._ENOUGH)
        Script(many, [calls(many, number) for number in range(1, 10 * inbox._ENOUGH)])
        assert len(take(many, 5, 10 * inbox._ENOUGH)) == inbox._ENOUGH

    def test_what_presses_is_waited_for_by_nobody_and_waits_for_nobody(self) -> None:
        pressed = box(expected=3)
        script = Script(pressed, [reports(pressed, 1)])
        assert take(pressed, 5, 10) == [1]
        assert script.sleeps == [5]

    def test_what_presses_ends_the_wait(self) -> None:
        pressed = box(1, expected=4)
        script = Script(pressed, [calls(pressed, 2), reports(pressed, 3), calls(pressed, 4)])
        assert take(pressed, 5, 10) == [1, 2, 3]
        assert script.rings == 1

    def test_the_next_ones_are_patient_again(self) -> None:
        pressed = box(expected=2)
        pressed.put(1)
        assert take(pressed, 0, 10) == [1]
        pressed.put(2, patient=True)
        Script(pressed, [calls(pressed, 3)])
        assert take(pressed, 0, 10) == [2, 3]
