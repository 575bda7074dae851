"""What is counted of jobs, commits and calls, and the page that Prometheus reads."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from prometheus_client.parser import text_string_to_metric_families

from slotd_server.domain import commands as ask
from slotd_server.domain.errors import StoreBroken, StoreFull, StoreUnavailable
from slotd_server.domain.job import SECOND
from slotd_server.lifecycle import Committed
from slotd_server.metrics.collect import Metrics
from slotd_server.metrics.exposition import Exposition
from slotd_server.metrics.tallies import COMMANDS, JOB_SECONDS, OTHER, Histogram, Labels
from slotd_server.observers import Observers
from tests.unit.driver import BROKEN, DONE, HOPELESS, START, TIMEOUT, Driver, FullableTransaction, snooze
from tests.unit.scripted import PATIENCE, scripted

MakeDriver = Callable[..., Driver]


class OpenStreams(NamedTuple):
    """Streams as somebody may have opened them."""

    open: int = 0
    behind: int = 0

    def lag(self) -> int:
        return self.behind


class Page:
    """The samples of a page, by name and labels."""

    def __init__(self, text: bytes) -> None:
        self.families = list(text_string_to_metric_families(text.decode()))
        self.samples = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in self.families
            for sample in family.samples
        }

    def __getitem__(self, name: str) -> float:
        """The one sample of that name."""
        (value,) = [value for (found, _), value in self.samples.items() if found == name]
        return value

    def of(self, name: str, **labels: str) -> float | None:
        """The sample of that name with exactly these labels."""
        return self.samples.get((name, frozenset(labels.items())))

    def has(self, name: str) -> bool:
        return any(found == name for found, _ in self.samples)


class Watched:
    """A driver and what metrics make of its events."""

    def __init__(self, driver: Driver) -> None:
        self.driver = driver
        self.metrics = Metrics()
        self._seen = 0

    @property
    def page(self) -> Page:
        """As it is now; its events are counted once each."""
        events = self.driver.events(self._seen)
        self._seen = events[-1].revision if events else self._seen
        self.metrics.jobs.count(events)
        return Page(_rendered(self.metrics))

    def sum(self, name: str, **labels: str) -> float:
        """Of the histogram's observations; there is at least one."""
        labels = {"queue": "default", "kind": "work"} | labels
        page = self.page
        assert page.of(f"slotd_{name}_seconds_count", **labels)
        return page.of(f"slotd_{name}_seconds_sum", **labels) or 0.0


@pytest.fixture
def watched(make_driver: MakeDriver) -> Watched:
    """A server with one slot."""
    return Watched(make_driver(1))


def _rendered(metrics: Metrics) -> bytes:
    """A page without a store."""

    def call(_: ask.Command) -> asyncio.Future[Any]:
        raise StoreUnavailable

    return asyncio.run(Exposition(metrics, call, OpenStreams(), "1.2.3").expose())


class TestClocks:
    def test_a_job_waits_from_its_submission_to_its_start(self, watched: Watched) -> None:
        blocker = watched.driver.submit("other")
        watched.driver.submit()
        watched.driver.clock.advance(3 * SECOND)
        watched.driver.finish(blocker)
        assert watched.sum("wait") == 3

    def test_one_for_later_waits_from_its_time(self, watched: Watched) -> None:
        watched.driver.submit(schedule_time=START + 60 * SECOND)
        watched.driver.pass_time(62 * SECOND)
        assert watched.sum("wait") == 2

    def test_a_retry_waits_from_the_end_of_its_backoff(self, watched: Watched) -> None:
        job = watched.driver.submit(initial_backoff=10 * SECOND, jitter=0.0)
        watched.driver.pass_time(100 * SECOND)
        watched.driver.finish(job, BROKEN)
        watched.driver.pass_time(14 * SECOND)
        assert watched.sum("wait") == 4

    def test_a_retry_without_backoff_waits_from_the_end_of_the_attempt_before(self, watched: Watched) -> None:
        job = watched.driver.submit(initial_backoff=0)
        watched.driver.pass_time(100 * SECOND)
        watched.driver.finish(job, BROKEN)
        assert watched.sum("wait") == 0

    def test_one_that_somebody_retried_waits_from_then(self, watched: Watched) -> None:
        job = watched.driver.submit()
        watched.driver.finish(job, HOPELESS)
        watched.driver.clock.advance(1000 * SECOND)
        watched.driver.answer(ask.Retry(job.id), claim=False)
        watched.driver.pass_time(5 * SECOND)
        assert watched.sum("wait") == 5

    def test_each_attempt_runs_from_its_start_to_its_end(self, watched: Watched) -> None:
        job = watched.driver.submit(initial_backoff=0)
        watched.driver.clock.advance(2 * SECOND)
        watched.driver.finish(job, BROKEN)
        watched.driver.clock.advance(3 * SECOND)
        watched.driver.finish(job)
        assert watched.sum("run") == 5
        assert watched.page.of("slotd_run_seconds_count", queue="default", kind="work") == 2

    def test_a_zombie_runs_until_its_attempt_is_over(self, watched: Watched) -> None:
        job = watched.driver.submit(max_attempts=1)
        watched.driver.clock.advance(2 * SECOND)
        watched.driver.overrun(job)
        watched.driver.clock.advance(50 * SECOND)
        watched.driver.finish(job)
        assert watched.sum("run") == 2

    def test_end_to_end_is_from_creation_to_the_end_whatever_came_between(self, watched: Watched) -> None:
        job = watched.driver.submit(schedule_time=START + 10 * SECOND, initial_backoff=0)
        watched.driver.pass_time(10 * SECOND)
        watched.driver.clock.advance(SECOND)
        watched.driver.finish(job, BROKEN)
        watched.driver.clock.advance(SECOND)
        watched.driver.finish(job)
        assert watched.sum("end_to_end") == 12

    def test_a_clock_set_back_makes_nothing_negative(self, watched: Watched) -> None:
        job = watched.driver.submit()
        watched.driver.clock.step(-60 * SECOND)
        watched.driver.finish(job)
        assert (watched.sum("run"), watched.sum("end_to_end")) == (0, 0)


class TestCounters:
    def test_jobs_are_counted_by_queue_kind_and_end(self, watched: Watched) -> None:
        driver = watched.driver
        driver.finish(driver.submit(queue="mail"))
        driver.finish(driver.submit(queue="mail"), HOPELESS)
        driver.answer(ask.Cancel(driver.submit(queue="mail", claim=False).id), claim=False)
        driver.submit("other")
        page = watched.page
        labels = {"queue": "mail", "kind": "work"}
        assert page.of("slotd_jobs_submitted_total", **labels) == 3
        assert page.of("slotd_jobs_submitted_total", queue="default", kind="other") == 1
        ends = {state: page.of("slotd_jobs_ended_total", **labels, state=state) for state in ("succeeded", "failed")}
        assert ends == {"succeeded": 1, "failed": 1}
        assert page.of("slotd_jobs_ended_total", **labels, state="cancelled") == 1
        assert page.of("slotd_end_to_end_seconds_count", **labels) == 3

    def test_attempts_are_counted_by_how_they_ended(self, watched: Watched) -> None:
        driver = watched.driver
        job = driver.submit(initial_backoff=0, max_attempts=9)
        driver.finish(job, BROKEN)
        driver.finish(job, snooze(0))
        driver.overrun(job, TIMEOUT)
        driver.finish(job)
        driver.apply(ask.GiveBack(driver.lease(job)))
        driver.apply(ask.Finish(driver.lease(job), DONE))
        driver.answer(ask.Cancel(job.id))
        driver.finish(job)
        driver.finish(driver.submit())
        page = watched.page
        outcomes = {
            outcome: page.of("slotd_attempts_ended_total", queue="default", kind="work", outcome=outcome)
            for outcome in ("succeeded", "failed", "cancelled", "timed_out", "snoozed", "given_back", "lost")
        }
        assert outcomes == dict.fromkeys(outcomes, 1) | {"lost": 0}

    def test_attempts_lost_with_their_server_are_counted_where_they_are_recovered(
        self, make_driver: MakeDriver, tmp_path: Path
    ) -> None:
        driver = make_driver(1, path=str(tmp_path / "store.db"))
        driver.submit()
        recovered = driver.restart()
        metrics = Metrics()
        metrics.committed(recovered)
        page = Page(_rendered(metrics))
        assert page.of("slotd_attempts_ended_total", queue="default", kind="work", outcome="lost") == 1
        assert page.of("slotd_jobs_submitted_total", queue="default", kind="work") == 0, "the other server counted it"

    def test_progress_and_cancel_requests_count_nothing(self, watched: Watched) -> None:
        job = watched.driver.submit()
        before = watched.page.samples
        watched.driver.report(job, output=b"so far")
        watched.driver.answer(ask.Cancel(job.id))
        moved = {key: value for key, value in watched.page.samples.items() if before.get(key) != value}
        assert {name for name, _ in moved} <= {"process_cpu_seconds_total", "process_resident_memory_bytes"}

    def test_a_series_is_there_before_its_first_failure(self, watched: Watched) -> None:
        watched.driver.submit()
        assert watched.page.of("slotd_jobs_ended_total", queue="default", kind="work", state="failed") == 0

    def test_submissions_are_timed_once_for_each_queue_and_kind_of_a_call(self, watched: Watched) -> None:
        driver = watched.driver
        jobs = [driver.submit(), driver.submit(), driver.submit("other")]
        watched.metrics.submitted(jobs, 0.25)
        assert watched.sum("submit") == 0.25
        assert watched.sum("submit", kind="other") == 0.25


class TestCommits:
    def test_a_commit_is_counted_with_its_commands_and_times(self, driver: Driver) -> None:
        metrics = Metrics()
        committed = driver.apply(ask.ListSlots(), ask.ListQueues())
        metrics.committed(committed._replace(micros=3_000, commit_micros=2_000))
        page = Page(_rendered(metrics))
        assert (page["slotd_commit_commands_sum"], page["slotd_commit_seconds_sum"]) == (2, 0.003)
        assert page["slotd_commit_sync_seconds_count"] == 0, "it wrote nothing"

    def test_the_sync_is_timed_where_something_was_written(self, driver: Driver) -> None:
        metrics = Metrics()
        driver.submit(claim=False)
        metrics.committed(driver.apply()._replace(commit_micros=2_000))
        assert Page(_rendered(metrics))["slotd_commit_sync_seconds_sum"] == 0.002

    def test_a_change_tells_how_long_it_and_its_commit_took(
        self, driver: Driver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        begin, commit = driver.store.begin, FullableTransaction.commit

        def slow_begin() -> FullableTransaction:
            driver.clock.advance(1_000)
            tx = begin()
            assert isinstance(tx, FullableTransaction)
            return tx

        def slow_commit(tx: FullableTransaction) -> None:
            driver.clock.advance(2_000)
            commit(tx)

        monkeypatch.setattr(driver.store, "begin", slow_begin)
        monkeypatch.setattr(FullableTransaction, "commit", slow_commit)
        committed = driver.apply()
        assert (committed.micros, committed.commit_micros) == (3_000, 2_000)

    def test_what_the_store_does_not_take_is_counted_by_reason(self) -> None:
        metrics = Metrics()
        for error in (StoreFull(), StoreFull(), StoreBroken("gone")):
            metrics.not_taken(error)
        page = Page(_rendered(metrics))
        reasons = ("STORE_FULL", "STORE_BROKEN", "STORE_UNAVAILABLE")
        assert [page.of("slotd_store_errors_total", reason=reason) for reason in reasons] == [2, 1, 0]


class TestCalls:
    def test_calls_are_counted_by_code_and_transport(self) -> None:
        metrics = Metrics()
        metrics.called("grpc", "JobService", "Get", "OK", 0.5)
        metrics.called("http", "JobService", "Get", "NOT_FOUND", 0.25)
        metrics.called("grpc", "JobService", "Stream", "CANCELLED", None)
        page = Page(_rendered(metrics))
        get, stream = ({"service": "JobService", "method": method} for method in ("Get", "Stream"))
        assert page.of("slotd_rpc_total", **get, code="OK", transport="grpc") == 1
        assert page.of("slotd_rpc_total", **get, code="NOT_FOUND", transport="http") == 1
        assert page.of("slotd_rpc_total", **stream, code="CANCELLED", transport="grpc") == 1
        assert page.of("slotd_rpc_seconds_sum", **get) == 0.75
        assert page.of("slotd_rpc_seconds_sum", **stream) is None, "one lasts as long as one likes"

    def test_a_failure_inside_is_a_rise_when_it_comes(self) -> None:
        metrics = Metrics()
        metrics.called("grpc", "JobService", "Get", "OK", 0.5)
        labels = {"service": "JobService", "method": "Get", "transport": "grpc"}
        assert Page(_rendered(metrics)).of("slotd_rpc_total", **labels, code="INTERNAL") == 0
        metrics.called("grpc", "JobService", "Get", "INTERNAL", 0.5)
        assert Page(_rendered(metrics)).of("slotd_rpc_total", **labels, code="INTERNAL") == 1


class Broken:
    """An observer with a fault in it."""

    def committed(self, committed: Committed) -> None:
        raise RuntimeError("what a pity")

    def not_taken(self, error: Exception) -> None:
        raise RuntimeError("what a pity")


class TestWriter:
    async def test_the_writer_tells_of_each_change_and_of_what_the_store_refuses(self, driver: Driver) -> None:
        metrics = Metrics()
        async with scripted(driver, observers=Observers(Broken(), metrics)) as box:
            await box.submit()
            driver.store.fail_commits = 1
            with pytest.raises(StoreFull):
                await box.submit()
            await box.settle()
        assert metrics.store_errors == {"STORE_FULL": 1}
        ((_, tally),) = metrics.jobs.tallies.each()
        assert (tally.submitted, tally.wait.buckets()[-1][1]) == (1, 1)

    async def test_a_page_holds_what_is_so_now(self, driver: Driver) -> None:
        async with scripted(driver) as box:
            for _ in range(3):
                await box.submit()
            await box.call(ask.UpdateSlots(3))
            await box.submit("other", schedule_time=START + 60 * SECOND)
            await box.finish(box.runner.started[0])
            exposition = Exposition(Metrics(), box.dispatcher.call, OpenStreams(2, 7), "1.2.3")
            page = Page(await exposition.expose())
        assert page.of("slotd_build_info", version="1.2.3") == 1
        states = ("free", "running", "zombie")
        assert [page.of("slotd_slots", pool="server", state=state) for state in states] == [1, 2, 0]
        assert [page.of("slotd_slots", pool="workers", state=state) for state in states] == [0, 0, 0]
        counted = ("scheduled", "queued", "running", "succeeded")
        assert [page.of("slotd_jobs", queue="default", state=state) for state in counted] == [1, 0, 2, 1]
        assert (page["slotd_workers"], page["slotd_store_up"]) == (0, 1)
        assert (page["slotd_streams"], page["slotd_stream_lag_events"]) == (2, 7)

    async def test_a_store_that_is_away_costs_only_what_it_alone_knows(self) -> None:
        hanging: list[asyncio.Future[Any]] = []

        def call(_: ask.Command) -> asyncio.Future[Any]:
            hanging.append(asyncio.get_running_loop().create_future())
            return hanging[-1]

        exposition = Exposition(Metrics(), call, OpenStreams(), "1.2.3", look_seconds=0)
        page = Page(await asyncio.wait_for(exposition.expose(), PATIENCE))
        assert page["slotd_store_up"] == 0
        assert not any(page.has(name) for name in ("slotd_slots", "slotd_jobs", "slotd_workers"))
        assert page.has("slotd_streams")
        assert all(future.cancelled() for future in hanging)


class TestBounds:
    def test_queues_and_kinds_beyond_the_first_hundred_are_put_together(self, watched: Watched) -> None:
        job = watched.driver.submit()
        for number in range(150):
            spec = job.spec._replace(queue=f"queue-{number}", kind=f"kind-{number}")
            watched.metrics.submitted([job.evolve(spec=spec)], 1.0)
        page = watched.page
        assert page.of("slotd_submit_seconds_count", queue="queue-99", kind="kind-99") == 1
        assert page.of("slotd_submit_seconds_count", queue="queue-100", kind="kind-100") is None
        assert page.of("slotd_submit_seconds_count", queue=OTHER, kind=OTHER) == 50

    def test_pairs_are_bounded_too(self) -> None:
        labels = Labels()
        pairs = {labels.pair(f"queue-{queue}", f"kind-{kind}") for queue in range(50) for kind in range(50)}
        assert len(pairs) == 1001
        assert labels.pair("queue-0", "kind-0") == ("queue-0", "kind-0"), "who was first stays"

    async def test_jobs_in_queues_beyond_are_summed(self, driver: Driver) -> None:
        metrics = Metrics()
        for number in range(100):
            metrics.labels.queue(f"queue-{number}")
        async with scripted(driver) as box:
            await box.submit(queue="late")
            await box.submit(queue="later")
            page = Page(await Exposition(metrics, box.dispatcher.call, OpenStreams(), "").expose())
        assert page.of("slotd_jobs", queue=OTHER, state="running") == 2


class TestHistograms:
    def test_a_value_on_a_bound_is_within_it(self) -> None:
        histogram = Histogram((1.0, 2.0))
        for value in (1.0, 1.5, 2.0, 9.0):
            histogram.observe(value)
        assert histogram.buckets() == [("1.0", 1), ("2.0", 3), ("+Inf", 4)]
        assert histogram.total == 13.5

    def test_the_bounds_fit_what_jobs_take(self) -> None:
        assert (JOB_SECONDS[0], JOB_SECONDS[-1]) == (0.0005, 3600.0)
        assert all(list(bounds) == sorted(set(bounds)) for bounds in (JOB_SECONDS, COMMANDS))
