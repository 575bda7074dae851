"""The conformance driver of the Python client: JSON lines on stdin, answers on stdout, all calls at once."""

import base64
import json
import sys
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from google.protobuf import (  # noqa: F401
    any_pb2,
    descriptor_pool,
    duration_pb2,
    empty_pb2,
    json_format,
    message_factory,
    struct_pb2,
    wrappers_pb2,
)
from google.protobuf.message import Message
from google.rpc import error_details_pb2

import slotd
from slotd import v1
from slotd.handlers import Handler
from tests.languages import measure, script

CALLS_AT_ONCE = 64


class Refusal(Exception):
    """What the driver itself has to say against a call."""

    def __init__(self, code: grpc.StatusCode, reason: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason


class Stream:
    """A stream of events, read ahead in a thread; events that a read does not take stay for the next one."""

    def __init__(self, events: slotd.EventStream) -> None:
        self._stream = events
        self._changed = threading.Condition()
        # Each with the cursor that stands behind it.
        self._events: deque[tuple[v1.JobEvent, str]] = deque()
        self._given = events.cursor
        self._latest = events.cursor
        self._synced = False
        self._ended = False
        self._failure: slotd.Error | None = None
        threading.Thread(target=self._run, daemon=True).start()

    def read(self, count: int | None, until: str | None, timeout: float) -> dict[str, Any]:
        def ready() -> bool:
            if self._ended or self._failure is not None:
                return True
            if count is not None and len(self._events) >= count:
                return True
            return until == "synced" and self._synced

        with self._changed:
            if not self._changed.wait_for(ready, timeout):
                raise Refusal(grpc.StatusCode.DEADLINE_EXCEEDED, "", f"only {len(self._events)} events came")
            enough = count is not None and len(self._events) >= count
            if self._failure is not None and not enough:
                raise self._failure
            number = count if count is not None and enough else len(self._events)
            taken = [self._events.popleft() for _ in range(number)]
            self._given = taken[-1][1] if taken else self._given
            if not self._events:
                self._given = self._latest
            return {
                "events": [_json(event) for event, _ in taken],
                "synced": self._synced,
                "cursor": self._given,
                "ended": self._ended and not self._events,
            }

    def close(self) -> None:
        self._stream.close()

    def _run(self) -> None:
        failure: slotd.Error | None = None
        try:
            for message in self._stream.messages():
                with self._changed:
                    self._take(message)
        except slotd.Error as error:
            failure = error
        with self._changed:
            self._failure = failure
            self._ended = failure is None
            self._changed.notify_all()

    def _take(self, message: v1.StreamResponse) -> None:
        for number, event in enumerate(message.events, start=1):
            behind = self._stream.cursor if number == len(message.events) else self._latest
            self._events.append((event, behind))
        self._latest = self._stream.cursor
        self._synced = self._synced or message.synced
        self._changed.notify_all()


class RunningWorker:
    """A worker in a thread of its own."""

    def __init__(self, worker: slotd.Worker) -> None:
        self._worker = worker
        self._thread = threading.Thread(target=worker.run, name="worker")
        self._thread.start()

    def stop(self, drain_seconds: float) -> None:
        """Returns once it has left."""
        self._worker.stop(drain_seconds)
        self._thread.join()


class Driver:
    """One client at a time, and what was opened with it."""

    def __init__(self) -> None:
        self._client: slotd.Client | None = None
        self._timeout: float | None = None
        self._streams: dict[str, Stream] = {}
        self._workers: dict[str, RunningWorker] = {}

    def answer(self, call: dict[str, Any]) -> dict[str, Any]:
        """`{"ok": …}` or `{"error": …}`."""
        arguments = {name: value for name, value in call.items() if name not in ("id", "op")}
        operation: Callable[..., Any] | None = getattr(self, f"do_{call['op']}", None)
        try:
            if operation is None:
                raise Refusal(grpc.StatusCode.UNIMPLEMENTED, "DRIVER_CANNOT", f"the client has no {call['op']}")
            return {"ok": operation(**arguments)}
        except slotd.Error as error:
            return {"error": _error(error)}
        except Refusal as error:
            return {"error": _plain_error(error.code, error.reason, str(error))}
        except Exception as error:  # noqa: BLE001 - the orchestrator is to see it, and the driver to go on
            return {"error": _plain_error(grpc.StatusCode.UNKNOWN, "DRIVER_FAILED", f"{type(error).__name__}: {error}")}

    def close(self) -> None:
        for stream in self._streams.values():
            stream.close()
        self._streams.clear()
        for worker in self._workers.values():
            worker.stop(0)
        self._workers.clear()
        if self._client is not None:
            self._client.close()

    def do_connect(self, address: str) -> Any:
        self.close()
        self._client = slotd.Client(address)
        self._timeout = None
        return {"language": "python", "version": slotd.__version__}

    def do_call_timeout(self, seconds: float | None) -> Any:
        self._timeout = seconds
        return {}

    def do_submit(self, request: Any, traceparent: str = "") -> Any:
        message = _parsed(request, v1.SubmitRequest())
        return _json(self._connected.send_submit(message, traceparent=traceparent, rpc_timeout=self._timeout))

    def do_submit_batch(self, requests: list[Any]) -> Any:
        batch = v1.SubmitBatchRequest(requests=[_parsed(each, v1.SubmitRequest()) for each in requests])
        return _json(self._connected.send_submit_batch(batch, rpc_timeout=self._timeout))

    def do_get(self, job_id: str, view: str | None = None) -> Any:
        chosen = v1.JobView.Value(view) if view else None
        return _json(self._connected.get(job_id, view=chosen, rpc_timeout=self._timeout))

    def do_list(self, request: Any) -> Any:
        wanted = _parsed(request, v1.ListRequest())
        jobs = self._connected.list(
            page_size=wanted.page_size,
            view=wanted.view,
            order_by=wanted.order_by,
            filter=wanted.filter,
            rpc_timeout=self._timeout,
        )
        return {"jobs": [_json(job) for job in jobs]}

    def do_list_page(self, request: Any) -> Any:
        wanted = _parsed(request, v1.ListRequest())
        page = self._connected.list_page(
            page_size=wanted.page_size,
            page_token=wanted.page_token,
            view=wanted.view,
            order_by=wanted.order_by,
            filter=wanted.filter,
            rpc_timeout=self._timeout,
        )
        return _json(page)

    def do_wait(self, job_id: str, timeout: float | None = None) -> Any:
        return _json(self._connected.wait(job_id, timeout))

    def do_cancel(self, job_id: str) -> Any:
        return _json(self._connected.cancel(job_id, rpc_timeout=self._timeout))

    def do_retry(self, job_id: str) -> Any:
        return _json(self._connected.retry(job_id, rpc_timeout=self._timeout))

    def do_delete(self, job_id: str, force: bool = False) -> Any:
        self._connected.delete(job_id, force=force, rpc_timeout=self._timeout)
        return {}

    def do_stream_open(self, stream: str, request: Any) -> Any:
        wanted = _parsed(request, v1.StreamRequest())
        events = self._connected.stream(
            cursor=wanted.cursor,
            delivery=wanted.delivery,
            view=wanted.view,
            include_progress=wanted.include_progress,
            filter=wanted.filter,
        )
        self._streams[stream] = Stream(events)
        return {}

    def do_stream_read(self, stream: str, timeout: float, count: int | None = None, until: str | None = None) -> Any:
        return self._streams[stream].read(count, until, timeout)

    def do_stream_close(self, stream: str) -> Any:
        self._streams.pop(stream).close()
        return {}

    def do_output(self, job_id: str, timeout: float, offset: int = 0, follow: bool = False) -> Any:
        output = self._connected.read_output(job_id, offset=offset, follow=follow)
        late = threading.Event()

        def give_up() -> None:
            late.set()
            output.close()

        timer = threading.Timer(timeout, give_up)
        timer.start()
        try:
            data = b"".join(output)
        finally:
            timer.cancel()
        if late.is_set():
            raise Refusal(grpc.StatusCode.DEADLINE_EXCEEDED, "", f"the output did not end within {timeout} s")
        return {"data": _base64(data), "truncated": output.truncated}

    def do_payload(self, job_id: str) -> Any:
        result = self._connected.get(job_id, rpc_timeout=self._timeout).result
        value = slotd.decode(result)
        return {
            "content_type": result.content_type,
            "value": _base64(value) if isinstance(value, bytes) else value,
        }

    def do_echo_message(self, type: str, json: Any) -> Any:
        kind = message_factory.GetMessageClass(descriptor_pool.Default().FindMessageTypeByName(type))
        data = _parsed(json, kind()).SerializeToString()
        return {"json": _json(kind.FromString(data)), "binary": _base64(data)}

    def do_worker_start(self, worker: str, kinds: list[str], slots: int) -> Any:
        handlers = {kind: Handler(kind, script.run) for kind in kinds}
        started = slotd.Worker(self._connected.address, handlers, slots=slots, name=worker)
        self._workers[worker] = RunningWorker(started)
        started.wait_connected()
        return {"worker_id": started.worker_id}

    def do_measure(self, what: str, **sizes: Any) -> Any:
        if what == "submit":
            return measure.submits(self._connected, **sizes)
        if what == "stream":
            return measure.stream(self._connected, **sizes)
        raise Refusal(grpc.StatusCode.UNIMPLEMENTED, "DRIVER_CANNOT", f"it can't measure {what}")

    def do_worker_stop(self, worker: str, drain_seconds: float) -> Any:
        self._workers.pop(worker).stop(drain_seconds)
        return {}

    @property
    def _connected(self) -> slotd.Client:
        if self._client is None:
            raise Refusal(grpc.StatusCode.FAILED_PRECONDITION, "NOT_CONNECTED", "connect comes first")
        return self._client


def _json(message: Message) -> Any:
    return json_format.MessageToDict(message)


def _parsed(value: Any, message: Any) -> Any:
    return json_format.ParseDict(value, message)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _plain_error(code: grpc.StatusCode, reason: str, message: str) -> dict[str, Any]:
    return {
        "code": code.name,
        "reason": reason,
        "message": message,
        "metadata": {},
        "violations": [],
        "preconditions": [],
        "quotas": [],
        "resource": None,
        "retry_seconds": None,
    }


def _error(error: slotd.Error) -> dict[str, Any]:
    plain = _plain_error(error.code, error.reason, error.message)
    request = error.detail(error_details_pb2.BadRequest)
    precondition = error.detail(error_details_pb2.PreconditionFailure)
    quota = error.detail(error_details_pb2.QuotaFailure)
    resource = error.detail(error_details_pb2.ResourceInfo)
    return plain | {
        "metadata": error.metadata,
        "violations": [
            {"field": each.field, "description": each.description}
            for each in (request.field_violations if request else ())
        ],
        "preconditions": [
            {"type": each.type, "subject": each.subject, "description": each.description}
            for each in (precondition.violations if precondition else ())
        ],
        "quotas": [
            {"subject": each.subject, "description": each.description} for each in (quota.violations if quota else ())
        ],
        "resource": {"type": resource.resource_type, "name": resource.resource_name} if resource else None,
        "retry_seconds": error.retry_after,
    }


def main() -> None:
    """Answers until stdin ends."""
    driver = Driver()
    lock = threading.Lock()

    def answer(call: dict[str, Any]) -> None:
        line = json.dumps({"id": call["id"], **driver.answer(call)}, ensure_ascii=False)
        with lock:
            sys.stdout.buffer.write(line.encode() + b"\n")
            sys.stdout.buffer.flush()

    with ThreadPoolExecutor(CALLS_AT_ONCE) as calls:
        for line in sys.stdin.buffer:
            calls.submit(answer, json.loads(line))
        driver.close()


if __name__ == "__main__":
    main()
