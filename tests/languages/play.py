"""Plays a section: has a driver do the steps, works the service, and holds the answers against the patterns."""

import json
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any, NamedTuple

import grpc
from google.protobuf import json_format
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message

import slotd
from slotd import v1
from slotd.v1 import worker_service_pb2, worker_service_pb2_grpc
from tests.languages.driver import PATIENCE, DriverFailed, Speaker
from tests.languages.matching import Mismatch, check, matches
from tests.languages.scenario import Case, Section, verb
from tests.languages.stage import Stage
from tests.languages.values import UnknownReference, expand

NOBODY = "01890000-0000-7000-8000-000000000000"


class Failed(Exception):
    """Steps that came out otherwise than they should. The message has a line for each."""


class NotOffered(Exception):
    """The driver says that its client does not do this at all."""


def play(section: Section, driver: Speaker, stage: Stage) -> str:
    """Plays all cases of a section; returns the version of the client.

    Raises Failed, with all cases that failed, NotOffered, and DriverFailed.
    """
    version, failures = "", []
    for case in section.cases:
        stage.prepare(case.settings)
        playing = _Playing(driver, stage, f"{section.name}-{next(stage.plays)}")
        try:
            version = playing.connect(case)
            playing.do(case.steps)
        except (Mismatch, UnknownReference, slotd.Error, grpc.RpcError) as error:
            failures.append(f"{section.name}: {case.name}, step {playing.place()}: {error}")
        except DriverFailed as error:
            failures.append(f"{section.name}: {case.name}, step {playing.place()}: {error}")
            raise DriverFailed("\n".join(failures)) from error
    if failures:
        raise Failed("\n".join(failures))
    return version


class _Asked(NamedTuple):
    """A call whose answer is to come, within so many seconds."""

    op: str
    arguments: dict[str, Any]
    coming: Future[dict[str, Any]]
    seconds: float


class _Stream:
    """A stream as the driver told of it."""

    def __init__(self, request: v1.StreamRequest) -> None:
        self.request = request
        self.events: list[v1.JobEvent] = []


class _Playing:
    """One case that is being played."""

    def __init__(self, driver: Speaker, stage: Stage, tag: str) -> None:
        self._driver = driver
        self._stage = stage
        self._known: dict[str, Any] = {
            "address": stage.address,
            "proxy": stage.proxy,
            "gates": str(stage.gates),
            "tag": tag,
            "nobody": NOBODY,
        }
        self._started: dict[str, _Asked] = {}
        self._streams: dict[str, _Stream] = {}
        self._steps: list[int] = [0]

    def place(self) -> str:
        """The number of the present step; `3.2` is the second one inside the third."""
        return ".".join(map(str, self._steps))

    def connect(self, case: Case) -> str:
        """A new client; returns its version."""
        answer = self._call("connect", {"address": self._known[case.through]})
        check({"ok": {"language": {"$type": "string"}, "version": {"$type": "string"}}}, answer)
        version = answer["ok"]["version"]
        assert isinstance(version, str)
        return version

    def do(self, steps: list[dict[str, Any]]) -> None:
        for number, step in enumerate(steps, start=1):
            self._steps[-1] = number
            self._do(step)

    def _do(self, step: dict[str, Any]) -> None:
        what = verb(step)
        if what == "times":
            self._repeat(self._value(step["times"]), step["steps"])
            return
        argument = self._value(step[what])
        found: Any = None
        match what:
            case "call":
                arguments = self._value(step.get("with", {}))
                answer = self._call(argument, arguments)
                while step.get("patiently") and answer.get("error", {}).get("code") == "UNAVAILABLE":
                    answer = self._call(argument, arguments)
                found = self._judge(step, answer)
            case "start":
                self._started[self._value(step["as"])] = self._send(argument, self._value(step.get("with", {})))
                return
            case "finish":
                found = self._judge(step, self._answer(self._started.pop(argument)))
            case "check":
                found = argument
                check(self._value(step["expect"]), found, "value")
            case "service":
                getattr(self._stage, argument)()
            case "open":
                self._stage.open(argument)
            case "reach":
                found = self._reach(argument, self._value(step["expect"]))
            case "queue":
                self._set_queue(argument)
            case "drain_worker":
                self._drain(argument)
            case "replay":
                self._replay(self._streams[argument])
            case "most_running":
                check(self._value(step["expect"]), self._most_running(argument), "jobs that ran at once")
            case _:
                raise AssertionError(f"{what} is a step of the scenario's, and nothing is done")
        self._keep(step, found)

    def _repeat(self, times: int, steps: list[dict[str, Any]]) -> None:
        self._steps.append(0)
        for number in range(times):
            self._known["i"] = number
            self.do(steps)
        self._steps.pop()

    def _value(self, value: Any) -> Any:
        return expand(value, self._known)

    def _keep(self, step: dict[str, Any], found: Any) -> None:
        if "as" in step:
            self._known[self._value(step["as"])] = found
        if "collect" in step:
            self._known.setdefault(step["collect"], []).append(found)

    def _send(self, op: str, arguments: dict[str, Any]) -> _Asked:
        if op == "stream_open":
            request = json_format.ParseDict(arguments["request"], v1.StreamRequest())
            self._streams[arguments["stream"]] = _Stream(request)
        allowed = float(arguments.get("timeout") or 0) + float(arguments.get("drain_seconds") or 0)
        return _Asked(op, arguments, self._driver.send(op, arguments), PATIENCE + allowed)

    def _call(self, op: str, arguments: dict[str, Any]) -> dict[str, Any]:
        return self._answer(self._send(op, arguments))

    def _answer(self, asked: _Asked) -> dict[str, Any]:
        try:
            answer = asked.coming.result(asked.seconds)
        except TimeoutError:
            raise DriverFailed(f"the driver did not answer {asked.op} within {asked.seconds:.0f} s") from None
        if asked.op == "stream_read" and "ok" in answer:
            told = answer["ok"].get("events", [])
            self._streams[asked.arguments["stream"]].events += [_parsed(each, v1.JobEvent()) for each in told]
        return answer

    def _judge(self, step: dict[str, Any], answer: dict[str, Any]) -> Any:
        if "refused" in step:
            if "error" not in answer:
                raise Mismatch(f"expected an error, got {_short(answer.get('ok'))}")
            check(self._value(step["refused"]), answer["error"], "error")
            return answer["error"]
        if "ok" not in answer:
            error = answer.get("error")
            if isinstance(error, dict) and error.get("reason") == "DRIVER_CANNOT":
                raise NotOffered(str(error.get("message")))
            raise Mismatch(f"expected an answer, got the error {_short(error)}")
        if "expect" in step:
            check(self._value(step["expect"]), answer["ok"])
        return answer["ok"]

    def _reach(self, job_id: str, pattern: Any) -> Any:
        """Waits until the job is as the pattern says; it may have been so, and be otherwise by now."""
        seen: Any = None
        with self._stage.client.stream(job_ids=job_id, view=v1.JOB_VIEW_FULL, include_progress=True) as events:
            too_late = threading.Timer(PATIENCE, events.close)
            too_late.start()
            try:
                for event in events:
                    seen = json_format.MessageToDict(event.job)
                    if matches(pattern, seen):
                        return seen
            finally:
                too_late.cancel()
        raise Mismatch(f"job {job_id} never got there; it is {_short(seen)}")

    def _set_queue(self, fields: dict[str, Any]) -> None:
        queue = json_format.ParseDict(fields, v1.Queue())
        mask = FieldMask(paths=[each.name for each, _ in queue.ListFields() if each.name != "name"])
        v1.QueueServiceStub(self._stage.channel).UpdateQueue(
            v1.UpdateQueueRequest(queue=queue, update_mask=mask), wait_for_ready=True
        )

    def _drain(self, worker_id: str) -> None:
        stub = worker_service_pb2_grpc.WorkerServiceStub(self._stage.channel)
        stub.DrainWorker(worker_service_pb2.DrainWorkerRequest(worker_id=worker_id), wait_for_ready=True)

    def _replay(self, stream: _Stream) -> None:
        """What the driver told is what the log has: nothing missing, nothing twice, nothing in another order."""
        if not stream.request.cursor or not stream.events:
            raise Mismatch("a stream without a cursor, or of which nothing was read, can't be replayed")
        written = self._stage.replay(stream.request, stream.events[-1].revision)
        told = stream.events
        for number, (one, other) in enumerate(zip(written, told, strict=False)):
            if one != other:
                raise Mismatch(
                    f"event {number} of the stream: the log has {_event(one)}, the client told {_event(other)}"
                )
        if len(written) != len(told):
            raise Mismatch(f"the log has {len(written)} events, the client told {len(told)}")

    def _most_running(self, request: Mapping[str, Any]) -> int:
        revision = v1.QueueServiceStub(self._stage.channel).GetStats(v1.GetStatsRequest(), wait_for_ready=True).revision
        running: set[str] = set()
        most = 0
        for event in self._stage.replay(json_format.ParseDict(dict(request), v1.StreamRequest()), revision):
            if event.job.state == v1.JOB_STATE_RUNNING:
                running.add(event.job.id)
            else:
                running.discard(event.job.id)
            most = max(most, len(running))
        return most


def _parsed(told: Any, message: v1.JobEvent) -> v1.JobEvent:
    try:
        return json_format.ParseDict(told, message)
    except json_format.ParseError as error:
        raise Mismatch(f"no {message.DESCRIPTOR.full_name}: {error}: {_short(told)}") from error


def _event(event: Message) -> str:
    return _short(json_format.MessageToDict(event))


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 2_000 else f"{text[:1_000]} … {text[-900:]}"
