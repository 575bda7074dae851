"""What every store does for schedules."""

from typing import Any

from slotd_server.domain.job import Payload
from slotd_server.domain.queue import Defaults, Draft
from slotd_server.domain.schedule import Overlap, Schedule, Settings, due_time
from slotd_server.domain.ties import Ties
from slotd_server.store.base import Store
from tests.conformance.recording import NOW, fail, new, start


class TestSchedules:
    def schedule(self, name: str, next_time: int | None, **fields: Any) -> Schedule:
        draft = Draft("work", Payload("x", b"\x00\xff"), (("a", "ü"),), ties=Ties(group="g"), asked=Defaults("q", 3))
        settings = Settings(draft, cron="0 4 * * *", time_zone="Europe/Berlin", overlap=Overlap.ALLOW, jitter=0)
        return Schedule(name, settings, NOW, NOW + 1, next_time, revision=1)._replace(**fields)

    def test_every_field_comes_back_as_it_was(self, store: Store) -> None:
        tx = store.begin()
        schedule = self.schedule("s", NOW + 5, last_time=NOW, recent=("a", "b"), fired=3, skipped=4, lasting=("c",))
        tx.put_schedule(schedule)
        assert tx.schedule("s") == schedule
        tx.commit()
        tx = store.begin()
        assert (tx.schedule("s"), tx.schedule("none")) == (schedule, None)
        tx.rollback()

    def test_they_go_on_and_are_deleted(self, store: Store) -> None:
        tx = store.begin()
        schedule = self.schedule("s", NOW)
        tx.put_schedule(schedule)
        tx.commit()
        tx = store.begin()
        moved = schedule._replace(next_time=NOW + 9, fired=1, recent=("a",), revision=2)
        tx.advance_schedules([moved])
        assert tx.schedule("s") == moved
        tx.commit()
        tx = store.begin()
        tx.delete_schedule("s")
        assert (tx.schedule("s"), tx.next_due(), tx.schedules("", 9)) == (None, None, [])
        tx.commit()

    def test_pages_by_name(self, store: Store) -> None:
        tx = store.begin()
        for name in ("c", "a", "b"):
            tx.put_schedule(self.schedule(name, None))
        assert [one.name for one in tx.schedules("", 2)] == ["a", "b"]
        assert [one.name for one in tx.schedules("b", 2)] == ["c"]
        tx.commit()

    def test_those_that_are_due_in_the_order_of_their_times(self, store: Store) -> None:
        tx = store.begin()
        for name, time in (("a", 30), ("b", 10), ("c", None), ("d", 20)):
            schedule = self.schedule(name, None if time is None else NOW + time)
            tx.put_schedule(schedule)
            assert due_time(schedule) == schedule.next_time
        assert [one.name for one in tx.due_schedules(NOW + 20, 9)] == ["b", "d"]
        assert [one.name for one in tx.due_schedules(NOW + 99, 2)] == ["b", "d"]
        assert tx.due_schedules(NOW + 9, 9) == []
        assert tx.next_due() == NOW + 10
        new(tx, due_time=NOW + 5)
        assert tx.next_due() == NOW + 5
        tx.commit()

    def test_which_jobs_have_not_ended(self, store: Store) -> None:
        tx = store.begin()
        jobs = [new(tx), start(tx, store, new(tx)), fail(tx, start(tx, store, new(tx))), new(tx)]
        ids = [job.id for job in reversed(jobs)]
        assert tx.unended([*ids, "none"]) == [jobs[3], jobs[1], jobs[0]]
        tx.commit()
        tx = store.begin()
        over = fail(tx, jobs[1])
        assert tx.unended([over.id, jobs[0].id]) == [jobs[0]]
        tx.rollback()
