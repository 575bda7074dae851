"""The page that Prometheus reads: what was counted, and what is so just now."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator
from itertools import chain
from typing import Any, NamedTuple, Protocol

from prometheus_client import ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, InfoMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from slotd_server.domain import commands as ask
from slotd_server.domain.errors import ServiceError
from slotd_server.domain.states import TERMINAL, State
from slotd_server.metrics.collect import Metrics
from slotd_server.metrics.jobs import OUTCOMES, JobTally
from slotd_server.metrics.tallies import ByQueueAndKind, Histogram
from slotd_server.requests import Stats
from slotd_server.slots import LedgerView

_QUEUE_AND_KIND = ("queue", "kind")


class Streams(Protocol):
    """The streams that are open on this server."""

    @property
    def open(self) -> int:
        """How many they are."""

    def lag(self) -> int:
        """How many events behind the newest the slowest of them is."""


class _Now(NamedTuple):
    """Slots, and jobs, at one time."""

    slots: LedgerView
    stats: Stats


class Exposition:
    """`call` asks the writer, who may take `look_seconds` to answer a scrape."""

    def __init__(
        self,
        metrics: Metrics,
        call: Callable[[ask.Command], Awaitable[Any]],
        streams: Streams,
        version: str,
        *,
        look_seconds: float = 2.0,
    ) -> None:
        self._metrics = metrics
        self._call = call
        self._streams = streams
        self._version = version
        self._look_seconds = look_seconds
        self._process = ProcessCollector(registry=None)

    async def expose(self) -> bytes:
        """The page. Without what only the store knows, where that does not answer in time."""
        now = await self._look()
        # What only the event loop may look at is looked at here.
        streams = list(self._of_streams())
        return await asyncio.to_thread(self._render, now, streams)

    async def _look(self) -> _Now | None:
        try:
            async with asyncio.timeout(self._look_seconds):
                # One after the other into the writer's inbox: nearly always one change answers both.
                slots, stats = self._call(ask.ListSlots()), self._call(ask.ListQueues())
                return _Now(*await asyncio.gather(slots, stats))
        except (TimeoutError, ServiceError):
            return None

    def _render(self, now: _Now | None, streams: list[Metric]) -> bytes:
        parts = chain(self._of_jobs(), self._of_commits(), self._of_calls(), streams, self._of_now(now))
        info = InfoMetricFamily("slotd_build", "The version that runs.", {"version": self._version})
        return generate_latest(_Page([info, *parts, *self._process.collect()]))

    def _of_jobs(self) -> Iterator[Metric]:
        tallies = self._metrics.jobs.tallies
        submitted = CounterMetricFamily("slotd_jobs_submitted", "Jobs created.", labels=_QUEUE_AND_KIND)
        ended = CounterMetricFamily(
            "slotd_jobs_ended", "Jobs that became terminal, by the state.", labels=(*_QUEUE_AND_KIND, "state")
        )
        attempts = CounterMetricFamily(
            "slotd_attempts_ended", "Attempts that ended, by how.", labels=(*_QUEUE_AND_KIND, "outcome")
        )
        for pair, tally in tallies.each():
            submitted.add_metric(pair, tally.submitted)
            # From the first job on, each series is there, so that the first failure is a rise and no beginning.
            for state in sorted(TERMINAL):
                ended.add_metric((*pair, state.name.lower()), tally.ended[state])
            for outcome in OUTCOMES:
                attempts.add_metric((*pair, outcome), tally.attempts[outcome])
        yield from (submitted, ended, attempts)
        yield _by_queue_and_kind(
            "slotd_submit_seconds",
            "How long Submit and SubmitBatch took to answer, for each queue and kind in the call.",
            self._metrics.submit_seconds,
            lambda histogram: histogram,
        )
        times: dict[str, tuple[str, Callable[[JobTally], Histogram]]] = {
            "slotd_wait_seconds": ("From when a job could first run to its attempt's start.", lambda tally: tally.wait),
            "slotd_run_seconds": ("From an attempt's start to its end.", lambda tally: tally.run),
            "slotd_end_to_end_seconds": (
                "From a job's creation to its terminal state.",
                lambda tally: tally.end_to_end,
            ),
        }
        for name, (what, of) in times.items():
            yield _by_queue_and_kind(name, what, tallies, of)

    def _of_commits(self) -> Iterator[Metric]:
        metrics = self._metrics
        yield _one("slotd_commit_commands", "Commands carried out by one commit.", metrics.commit_commands)
        yield _one("slotd_commit_seconds", "How long a change took, its commit included.", metrics.commit_seconds)
        yield _one("slotd_commit_sync_seconds", "How long the store took to commit a change.", metrics.sync_seconds)
        errors = CounterMetricFamily(
            "slotd_store_errors", "Changes that the store did not take, by reason.", labels=("reason",)
        )
        for reason, number in sorted({**dict.fromkeys(_STORE_REASONS, 0), **metrics.store_errors.copy()}.items()):
            errors.add_metric((reason,), number)
        yield errors

    def _of_calls(self) -> Iterator[Metric]:
        calls = CounterMetricFamily(
            "slotd_rpc", "Calls that ended, by status code.", labels=("service", "method", "code", "transport")
        )
        ended = dict(self._metrics.calls)
        for service, method, _, transport in list(ended):
            # There before the first one, so that it is a rise.
            ended.setdefault((service, method, "INTERNAL", transport), 0)
        for labels, number in sorted(ended.items()):
            calls.add_metric(labels, number)
        yield calls
        seconds = HistogramMetricFamily(
            "slotd_rpc_seconds", "How long calls took, streams left out.", labels=("service", "method")
        )
        for method_of, histogram in sorted(self._metrics.call_seconds.copy().items()):
            seconds.add_metric(method_of, histogram.buckets(), histogram.total)
        yield seconds

    def _of_streams(self) -> Iterator[Metric]:
        yield GaugeMetricFamily("slotd_streams", "Streams that are open.", self._streams.open)
        yield GaugeMetricFamily(
            "slotd_stream_lag_events",
            "How many events behind the newest the slowest stream is.",
            self._streams.lag(),
        )

    def _of_now(self, now: _Now | None) -> Iterator[Metric]:
        yield GaugeMetricFamily("slotd_store_up", "1 where the store answered this scrape.", int(now is not None))
        if now is None:
            return
        yield _slots(now.slots)
        connected = [pool for pool in now.slots.pools if pool.pool.worker is not None and pool.pool.connected]
        yield GaugeMetricFamily("slotd_workers", "Workers that are connected to this server.", len(connected))
        yield self._jobs(now.stats)

    def _jobs(self, stats: Stats) -> Metric:
        found = GaugeMetricFamily("slotd_jobs", "Jobs in the store, by state.", labels=("queue", "state"))
        numbers: Counter[tuple[str, str]] = Counter()
        for (queue, _), counters in stats.counters.items():
            label = self._metrics.labels.queue(queue)
            for state, number in zip(State, counters, strict=False):
                numbers[label, state.name.lower()] += number
        for labels, number in sorted(numbers.items()):
            found.add_metric(labels, number)
        return found


_STORE_REASONS = ("STORE_BROKEN", "STORE_FULL", "STORE_UNAVAILABLE")


class _Page(Collector):
    """What is given, as a collector."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def _by_queue_and_kind(
    name: str, what: str, tallies: ByQueueAndKind[Any], of: Callable[[Any], Histogram]
) -> HistogramMetricFamily:
    found = HistogramMetricFamily(name, what, labels=_QUEUE_AND_KIND)
    for pair, tally in tallies.each():
        histogram = of(tally)
        found.add_metric(pair, histogram.buckets(), histogram.total)
    return found


def _one(name: str, what: str, histogram: Histogram) -> HistogramMetricFamily:
    return HistogramMetricFamily(name, what, histogram.buckets(), histogram.total)


def _slots(view: LedgerView) -> Metric:
    """The server's own, and those of its workers together."""
    found = GaugeMetricFamily("slotd_slots", "Slots of this server and its workers.", labels=("pool", "state"))
    for name, remote in (("server", False), ("workers", True)):
        pools = [pool for pool in view.pools if (pool.pool.worker is not None) == remote]
        found.add_metric((name, "free"), sum(pool.free for pool in pools))
        found.add_metric((name, "running"), sum(pool.running for pool in pools))
        found.add_metric((name, "zombie"), sum(pool.zombie for pool in pools))
    return found
