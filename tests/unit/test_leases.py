"""Who is gone, by what one server has seen of the others; and the thread that looks."""

import threading

import pytest
from structlog.testing import capture_logs

from slotd_server import leases
from slotd_server.domain.errors import StoreFull, StoreUnavailable
from slotd_server.domain.job import SECOND
from slotd_server.domain.server import Contact, Member, News, Status
from slotd_server.leases import Attendance, Keeper, Watch
from tests.unit.driver import FakeClock

LEASE = 12 * SECOND
NOBODY_TELLS = Status("", "", "", 0, 0, 0, False, {})
PATIENCE = 20


def member(name: str, renewals: int) -> Member:
    return Member(name, 0, 0, renewals, LEASE, NOBODY_TELLS)


class Looks:
    """A watch that looks every second."""

    def __init__(self) -> None:
        self.watch = Watch("me", LEASE)
        self.now = 0

    def after(self, seconds: float, *members: Member) -> list[str]:
        """Who is gone after so many more seconds, in which these were all there was to see."""
        gone: list[str] = []
        for _ in range(round(seconds)):
            self.now += SECOND
            gone = [one.id for one in self.watch.see(members, self.now)]
        return gone


class TestWatch:
    def test_one_that_stands_still_for_a_lease_is_gone(self) -> None:
        looks = Looks()
        assert looks.after(12, member("other", 5)) == []
        assert looks.after(1, member("other", 5)) == ["other"]

    def test_one_that_renews_is_there_whatever_the_time(self) -> None:
        looks = Looks()
        assert all(looks.after(11, member("other", renewals)) == [] for renewals in range(20))

    def test_a_lease_begins_anew_with_each_renewal(self) -> None:
        looks = Looks()
        looks.after(10, member("other", 5))
        assert looks.after(12, member("other", 6)) == []
        assert looks.after(1, member("other", 6)) == ["other"]

    def test_it_never_finds_itself_gone(self) -> None:
        assert Looks().after(60, member("me", 5)) == []

    def test_each_has_the_lease_that_it_told(self) -> None:
        looks = Looks()
        longer = member("longer", 1)._replace(lease=3 * LEASE)
        assert looks.after(13, longer, member("other", 1)) == ["other"]

    def test_an_outage_of_the_store_expires_nobody(self) -> None:
        looks = Looks()
        looks.after(11, member("other", 5))
        looks.watch.interrupted()
        assert looks.after(12, member("other", 5)) == []
        assert looks.after(1, member("other", 5)) == ["other"]

    def test_a_pause_of_the_observer_expires_nobody(self) -> None:
        looks = Looks()
        looks.after(11, member("other", 5))
        looks.now += 3600 * SECOND
        assert looks.after(12, member("other", 5)) == []
        assert looks.after(1, member("other", 5)) == ["other"]

    def test_one_that_left_and_came_back_begins_anew(self) -> None:
        looks = Looks()
        looks.after(12, member("other", 5))
        looks.after(1)
        assert looks.after(12, member("other", 5)) == []


class Store:
    """A shared store that a test plays. `listen` waits until the test lets it go on."""

    owner = "me"
    lease = LEASE

    def __init__(self) -> None:
        self.contact: Contact | Exception = Contact((), News(0, False))
        self.renewed = threading.Semaphore(0)
        self.messages: list[News] = []
        self.woken = threading.Semaphore(0)
        self.cut: list[str] = []

    def renew(self, status: Status) -> Contact:
        self.renewed.release()
        if isinstance(self.contact, Exception):
            raise self.contact
        return self.contact

    def listen(self, seconds: float) -> list[News]:
        self.woken.acquire(timeout=PATIENCE)
        messages, self.messages = self.messages, []
        return messages

    def cut_off(self, server: str) -> None:
        self.cut.append(server)

    def wake(self) -> None:
        self.woken.release()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def store() -> Store:
    return Store()


class Ears:
    """What a keeper tells."""

    def __init__(self) -> None:
        self.news: list[News] = []
        self.gone: list[Member] = []
        self.heard = threading.Semaphore(0)

    def hear(self, news: News) -> None:
        self.news.append(news)
        self.heard.release()

    def wait(self, times: int = 1) -> None:
        for _ in range(times):
            assert self.heard.acquire(timeout=PATIENCE)


@pytest.fixture
def ears() -> Ears:
    return Ears()


@pytest.fixture
def keeper(store: Store, clock: FakeClock, ears: Ears) -> Keeper:
    return Keeper(
        store,  # type: ignore[arg-type]
        clock,
        poll=SECOND,
        status=lambda: NOBODY_TELLS,
        met=lambda members: None,
        heard=ears.hear,
        gone=ears.gone.append,
    )


class TestKeeper:
    def test_what_it_sees_is_told(self, keeper: Keeper, store: Store, clock: FakeClock, ears: Ears) -> None:
        store.contact = Contact((member("me", 1), member("other", 1)), News(7, True))
        for _ in range(14):
            keeper.look()
            clock.advance(SECOND)
        assert set(ears.news) == {News(7, True)}
        # Until somebody has buried it.
        assert [one.id for one in ears.gone] == ["other", "other"]
        assert store.cut == ["other", "other"]

    def test_one_that_others_thought_gone_has_something_to_do(self, keeper: Keeper, store: Store, ears: Ears) -> None:
        store.contact = Contact((member("other", 1),), News(7, False))
        keeper.look()
        assert ears.news == [News(7, False, overdue=True)]

    def test_it_looks_when_its_time_has_come_and_listens_in_between(
        self, keeper: Keeper, store: Store, clock: FakeClock, ears: Ears
    ) -> None:
        store.contact = Contact((member("me", 1),), News(1, False))
        keeper.start()
        ears.wait()
        store.messages = [News(2, True), News(3, False)]
        store.wake()
        ears.wait(2)
        clock.advance(SECOND)
        store.wake()
        ears.wait()
        keeper.stop()
        assert ears.news == [News(1, False), News(2, True), News(3, False), News(1, False)]

    def test_in_a_hurry_it_looks_at_once(self, keeper: Keeper, store: Store, ears: Ears) -> None:
        store.contact = Contact((member("me", 1),), News(1, False))
        keeper.start()
        ears.wait()
        keeper.hurry()
        ears.wait()
        keeper.stop()

    @pytest.mark.parametrize("error", [StoreUnavailable(), StoreFull()], ids=["away", "full"])
    def test_while_the_store_takes_nothing_it_tries_again_and_expires_nobody(
        self,
        keeper: Keeper,
        store: Store,
        clock: FakeClock,
        ears: Ears,
        error: Exception,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(leases, "_RETRY_SECONDS", 0)
        there = Contact((member("me", 1), member("other", 1)), News(1, False))
        store.contact = there
        for _ in range(12):
            keeper.look()
            clock.advance(SECOND)
        store.contact = error
        with capture_logs() as lines:
            keeper.start()
            for _ in range(12 + 3):
                assert store.renewed.acquire(timeout=PATIENCE)
            store.contact = there
            ears.wait(13)
            keeper.stop()
        assert ears.gone == []
        assert [(line["log_level"], line["error"]) for line in lines] == [("warning", str(error))]

    @pytest.mark.parametrize("place", ["renew", "listen", "heard"])
    def test_what_nobody_has_thought_of_is_told_once_and_does_not_end_it(
        self, keeper: Keeper, store: Store, ears: Ears, place: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(leases, "_RETRY_SECONDS", 0)
        store.contact = Contact((member("me", 1),), News(1, False))
        whose, name = (keeper, "_heard") if place == "heard" else (store, place)
        well = getattr(whose, name)
        tried = threading.Semaphore(0)
        mended = threading.Event()

        def fail(argument: object) -> object:
            password = "hunter2"
            tried.release()
            if not mended.is_set():
                raise ValueError("filedescriptor out of range", len(password))
            return well(argument)

        monkeypatch.setattr(whose, name, fail)
        with capture_logs() as lines:
            keeper.start()
            for _ in range(4):
                assert tried.acquire(timeout=PATIENCE)
            mended.set()
            ears.wait()
            keeper.stop()
        assert [line["log_level"] for line in lines] == ["error"]
        assert "descriptor out of range" in lines[0]["exception"]
        # What renders an exception by itself would show the variables.
        assert "exc_info" not in lines[0]
        assert "hunter2" not in str(lines)

    def test_what_fails_is_told_again_once_all_went_well(
        self, keeper: Keeper, store: Store, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(leases, "_RETRY_SECONDS", 0)
        there = Contact((member("me", 1),), News(1, False))
        away = StoreUnavailable()
        script: list[Contact | Exception] = [there, away, away, StoreFull(), away, there, away, there]
        over = threading.Event()

        def renew(status: Status) -> Contact:
            if not script:
                over.set()
                return there
            answer = script.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

        def listen(seconds: float) -> list[News]:
            clock.advance(SECOND)
            return []

        monkeypatch.setattr(store, "renew", renew)
        monkeypatch.setattr(store, "listen", listen)
        with capture_logs() as lines:
            keeper.start()
            assert over.wait(PATIENCE)
            keeper.stop()
        assert [line["error"] for line in lines] == [str(away), str(StoreFull()), str(away)]

    def test_where_it_ends_late_nobody_may_be_left_to_tell(
        self, keeper: Keeper, ears: Ears, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The store hung for so long that the others have not waited for it."""
        within, asked = threading.Event(), threading.Event()

        def nobody_is_left(news: News) -> None:
            within.set()
            assert asked.wait(PATIENCE)
            ears.hear(news)
            raise RuntimeError("Event loop is closed")

        monkeypatch.setattr(keeper, "_heard", nobody_is_left)
        monkeypatch.setattr(keeper._store, "wake", asked.set)
        with capture_logs() as lines:
            keeper.start()
            assert within.wait(PATIENCE)
            keeper.stop()
        assert ears.news
        assert lines == []

    def test_it_can_be_ended_twice_and_before_it_began(self, keeper: Keeper) -> None:
        keeper.stop()
        keeper.stop()


class TestAttendance:
    def test_one_that_is_silent_for_a_lease_is_absent_and_not_expected_any_more(self) -> None:
        attendance = Attendance(LEASE)
        attendance.heard("w1", 0)
        assert [attendance.absent(now * SECOND) for now in range(0, 15, 3)] == [[], [], [], [], ["w1"]]
        assert attendance.absent(15 * SECOND) == []

    def test_one_that_speaks_is_there(self) -> None:
        attendance = Attendance(LEASE)
        for now in range(0, 40, 2):
            if now % 10 == 0:
                attendance.heard("w1", now * SECOND)
            assert attendance.absent(now * SECOND) == []

    def test_one_that_has_left_is_not_missed(self) -> None:
        attendance = Attendance(LEASE)
        attendance.heard("w1", 0)
        attendance.left("w1")
        assert [attendance.absent(now * SECOND) for now in range(0, 20, 3)] == [[]] * 7

    def test_what_this_server_could_not_hear_is_nobody_s_silence(self) -> None:
        """It was paused for longer than half a lease: all begin anew."""
        attendance = Attendance(LEASE)
        attendance.heard("w1", 0)
        attendance.absent(0)
        assert attendance.absent(100 * SECOND) == []
        looks = [attendance.absent((100 + more) * SECOND) for more in range(3, 15, 3)]
        assert looks == [[], [], [], ["w1"]]
