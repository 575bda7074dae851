"""Clients that ask without end, whatever happens to the service, and record what they asked and were told."""

import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle
from random import Random
from typing import Any

import grpc

from slotd.v1 import CancelGroupRequest, JobServiceStub, ListRequest, SubmitRequest
from tests.faults.checker.records import OUTCOME_UNKNOWN
from tests.faults.process import PATIENCE
from tests.faults.recorder import Recorder, RecordingClient
from tests.faults.suite.requests import Requests

_REFUSED = frozenset({"FAILED_PRECONDITION", "NOT_FOUND", "ALREADY_EXISTS", "RESOURCE_EXHAUSTED"})
"""What may be answered where others cancel, retry and delete the same jobs, or the disk is full."""

_NOT_MADE = _REFUSED | {"INVALID_ARGUMENT"}
"""Also of jobs that were to depend on what is gone by now."""

_FULL = "RESOURCE_EXHAUSTED"
_PAUSE = 0.05
_LONGEST_WAIT = 2.0
_WANDERLUST = 0.2
"""How often a client asks another server though nothing is wrong with its own: else all would flock to one."""
_KNOWN = 200

_OPTIONS = [
    # A pool of its own for each channel, else all channels of a process share one connection.
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.min_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 200),
]


def channel(address: str) -> grpc.Channel:
    """A connection of its own, that comes back quickly."""
    return grpc.insecure_channel(address, _OPTIONS)


@contextmanager
def connected(address: str) -> Iterator[grpc.Channel]:
    """Such a connection, once it is there: it gives an attempt up as quickly as it tries again, which a loaded machine
    may be too slow for."""
    with channel(address) as wire:
        grpc.channel_ready_future(wire).result(PATIENCE)
        yield wire


class Tally:
    """What the clients have been told so far, all together; others may wait for more of it."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._changed = threading.Condition()

    def add(self, what: str) -> None:
        with self._changed:
            self.counts[what] += 1
            self._changed.notify_all()

    def wait_more(self, what: str, more: int = 1) -> None:
        """Until there are so many more than now. Raises AssertionError where they do not come."""
        self.waiting_for(what, more)()

    def waiting_for(self, what: str, more: int = 1) -> Callable[[], None]:
        """Waits, once it is called, until there are so many more than now."""
        with self._changed:
            wanted = self.counts[what] + more

        def wait() -> None:
            with self._changed:
                came = self._changed.wait_for(lambda: self.counts[what] >= wanted, PATIENCE)
            assert came, f"{self.counts[what]} {what}, and not {wanted} within {PATIENCE} s"

        return wait


class Client:
    """Asks until it is stopped. What has no answer is asked again, on the next server, under the same request_id. With
    `only_submits` it submits and does nothing else, with `batch` so many at once."""

    def __init__(
        self,
        recorder: Recorder,
        name: str,
        addresses: Sequence[str],
        chance: Random,
        tally: Tally,
        known: deque[str],
        *,
        only_submits: bool = False,
        batch: int = 0,
        timeout: float = 10.0,
    ) -> None:
        self.failure: BaseException | None = None
        self._chance = chance
        self._tally = tally
        self._known = known
        self._only_submits = only_submits
        self._batch = batch
        self._requests = Requests(name, chance)
        self._channels = [channel(address) for address in addresses]
        self._stubs = cycle(JobServiceStub(one) for one in self._channels)
        self._client = RecordingClient(recorder, name, next(self._stubs), timeout)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends after what is under way; `join` waits for that."""
        self._stopping.set()

    def join(self) -> None:
        """Waits for its end. Raises what went wrong."""
        assert self.end(), f"{self._thread.name} hangs"
        if self.failure is not None:
            raise self.failure

    def end(self) -> bool:
        """Waits for its end, and hangs up. Whether it has ended."""
        if self._thread.ident is not None:
            self._thread.join(2 * PATIENCE)
        for one in self._channels:
            one.close()
        return not self._thread.is_alive()

    def _run(self) -> None:
        acts: tuple[tuple[Callable[[], None], int], ...] = (
            (self._submit, 50),
            (self._submit_batch, 5),
            (self._wait, 20),
            (self._get, 15),
            (self._list, 2),
            (self._cancel, 8),
            (self._cancel_group, 1),
            (self._retry, 8),
            (self._delete, 8),
        )
        if self._batch:
            acts = ((self._submit_many, 1),)
        elif self._only_submits:
            acts = ((self._submit_plain, 1),)
        doers, weights = zip(*acts, strict=True)
        try:
            while not self._stopping.is_set():
                if self._chance.random() < _WANDERLUST:
                    self._client.move_to(next(self._stubs))
                (act,) = self._chance.choices(doers, weights)
                act()
        except BaseException as error:  # noqa: BLE001 - raised by `join`
            self.failure = error

    def _submit(self) -> None:
        self._submit_one(self._requests.tied(list(self._known)))

    def _submit_plain(self) -> None:
        self._submit_one(self._requests.plain("quick"))

    def _submit_one(self, request: SubmitRequest) -> None:
        self._insist([request], lambda: [self._client.submit(request)])

    def _submit_batch(self) -> None:
        requests = self._requests.batch()
        self._insist(requests, lambda: self._client.submit_batch(requests))

    def _submit_many(self) -> None:
        """Jobs that nothing holds up; the next come when the last of these has ended."""
        requests = [self._requests.plain("quick", "default") for _ in range(self._batch)]
        self._insist(requests, lambda: self._client.submit_batch(requests))
        self._wait()

    def _insist(self, requests: Sequence[SubmitRequest], send: Callable[[], Sequence[Any]]) -> None:
        """Until it is known what became of it."""
        while not self._stopping.is_set():
            try:
                jobs = send()
            except grpc.RpcError as error:
                if self._unknown(error, _NOT_MADE):
                    continue
                return
            self._known.extend(job.id for job in jobs)
            for _ in requests:
                self._tally.add("acknowledged")
            return

    def _unknown(self, error: grpc.RpcError, expected: frozenset[str]) -> bool:
        """Whether it may have happened; then the next server is asked, in a moment. Raises what is not expected."""
        code = error.code().name
        if code in OUTCOME_UNKNOWN:
            self._tally.add("unanswered")
            self._client.move_to(next(self._stubs))
            self._stopping.wait(_PAUSE)
            return True
        if code not in expected:
            raise error
        self._tally.add("full" if code == _FULL else "refused")
        if code == _FULL:
            self._stopping.wait(_PAUSE)
        return False

    def _try(self, act: Callable[[str], object]) -> None:
        """Once, with one of the jobs that are known."""
        if not self._known:
            return
        try:
            act(self._chance.choice(list(self._known)))
        except grpc.RpcError as error:
            self._unknown(error, _REFUSED)
        else:
            self._tally.add("answered")

    def _get(self) -> None:
        self._try(self._client.get)

    def _wait(self) -> None:
        # The newest: so there never wait many more than can be run.
        self._try(lambda _: self._client.wait(self._known[-1], _LONGEST_WAIT))

    def _cancel(self) -> None:
        self._try(self._client.cancel)

    def _retry(self) -> None:
        self._try(self._client.retry)

    def _delete(self) -> None:
        force = self._chance.random() < 0.5
        self._try(lambda job_id: self._client.delete(job_id, force=force))

    def _list(self) -> None:
        self._try(lambda _: self._client.list(ListRequest(page_size=100)))

    def _cancel_group(self) -> None:
        self._try(lambda _: self._client.call("CancelGroup", CancelGroupRequest(name=self._chance.choice("gh"))))


class Load:
    """Several clients, who know of each other's jobs."""

    def __init__(
        self, recorder: Recorder, addresses: Sequence[str], chance: Random, count: int = 3, **options: Any
    ) -> None:
        self.tally = Tally()
        known: deque[str] = deque(maxlen=_KNOWN)
        self._clients = []
        for number in range(count):
            turned = [*addresses[number % len(addresses) :], *addresses[: number % len(addresses)]]
            one = Random(chance.getrandbits(64))
            self._clients.append(Client(recorder, f"client-{number}", turned, one, self.tally, known, **options))

    def start(self) -> None:
        for client in self._clients:
            client.start()

    def stop(self) -> None:
        """Returns when nothing is asked any more. Raises what went wrong."""
        for client in self._clients:
            client.stop()
        for client in self._clients:
            client.join()

    def abandon(self) -> None:
        """Ends them, whatever has become of them. Idempotent."""
        for client in self._clients:
            client.stop()
        for client in self._clients:
            client.end()

    def check(self) -> None:
        """Raises what has gone wrong so far."""
        for client in self._clients:
            if client.failure is not None:
                raise client.failure
