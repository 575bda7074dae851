"""Whether the process is busy, by clocks that are set by hand."""

from slotd_server.busy import Busy


class Clocks:
    def __init__(self) -> None:
        self.wall = 100.0
        self.used = 7.0
        self.busy = Busy(lambda: self.wall, lambda: self.used)

    def spend(self, wall: float, used: float) -> bool:
        self.wall += wall
        self.used += used
        return self.busy()


def test_it_is_idle_at_first() -> None:
    assert not Clocks().busy()


def test_it_is_busy_when_most_of_a_core_was_its_own() -> None:
    assert Clocks().spend(0.1, 0.09)


def test_it_is_not_when_less_was() -> None:
    assert not Clocks().spend(0.1, 0.07)


def test_two_cores_are_more_than_one() -> None:
    assert Clocks().spend(0.1, 0.2)


def test_a_short_while_says_nothing() -> None:
    clocks = Clocks()
    assert not clocks.spend(0.01, 0.01)
    assert not clocks.spend(0.01, 0.01)
    assert clocks.spend(0.09, 0.09), "all of it counts, from the last time that it was measured"
    assert clocks.spend(0.01, 0), "what was said holds until it is measured again"


def test_after_a_long_sleep_it_is_idle() -> None:
    clocks = Clocks()
    assert clocks.spend(0.1, 0.1)
    assert not clocks.spend(60, 0.1)
