"""The services over HTTP as curl, a browser's page and a hostile caller ask them."""

import gzip
import json
import re
import socket
import struct
import time
from base64 import b64encode
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

import grpc
import pytest
from google.rpc.status_pb2 import Status

from slotd import spec, v1
from tests.rpc.wire import refusal
from tests.service import Endpoint, LocalService, Spawn, Start, reach
from tests.web.asking import JOBS, QUEUES, SECONDS, Answer, ask, post
from tests.web.channel import Codec, HttpChannel

MIB = 1 << 20
SUBMIT = json.dumps({"spec": {"kind": "idle"}})
FORM = "application/x-www-form-urlencoded"


def framed(message: bytes, flags: int = 0) -> bytes:
    return struct.pack(">BI", flags, len(message)) + message


def frames(data: bytes) -> list[tuple[int, bytes]]:
    """The messages of a stream, each behind its flags."""
    found = []
    while data:
        flags, length = struct.unpack(">BI", data[:5])
        found.append((flags, data[5 : 5 + length]))
        data = data[5 + length :]
    return found


def code(answer: Answer) -> tuple[int, str, str]:
    return answer.status, answer.json["code"], answer.reason


@pytest.mark.parametrize("content_type", [None, FORM, "application/json", "Application/JSON; charset=utf-8"])
def test_what_curl_sends_by_itself_is_json(service: LocalService, content_type: str | None) -> None:
    headers = {} if content_type is None else {"content_type": content_type}
    answer = ask(service.url, "POST", JOBS + "Submit", SUBMIT, accept="*/*", user_agent="curl/8.5.0", **headers)
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert service.at.client.get(answer.json["job"]["id"]).spec.kind == "idle"
    assert answer.json["job"]["spec"]["retry"]["maxAttempts"] == 3


def test_no_body_is_an_empty_message(service: LocalService) -> None:
    assert "revision" in ask(service.url, "POST", QUEUES + "GetStats").json


@pytest.mark.parametrize("content_type", ["", FORM, "text/plain", "multipart/form-data"])
def test_what_a_form_of_a_browser_can_send_is_taken_from_no_browser(service: LocalService, content_type: str) -> None:
    token = {"cookie": "slotd-token=secret", "x_slotd_token": "secret"}
    given = {"content_type": content_type} if content_type else {}
    answer = ask(service.url, "POST", JOBS + "Submit", SUBMIT, origin=service.url, **token, **given)
    assert code(answer) == (415, "invalid_argument", "UNSUPPORTED_CONTENT_TYPE")


@pytest.mark.parametrize(
    ("method", "content_type"),
    [
        ("Submit", "text/plain"),
        ("Submit", "application/grpc"),
        ("Submit", "application/grpc+proto"),
        ("Submit", "application/grpc-web-text"),
        ("Submit", "application/connect+json"),
        ("Stream", "application/json"),
        ("Stream", FORM),
    ],
)
def test_a_content_type_that_a_method_does_not_take(service: LocalService, method: str, content_type: str) -> None:
    answer = ask(service.url, "POST", JOBS + method, SUBMIT, content_type=content_type)
    assert code(answer) == (415, "invalid_argument", "UNSUPPORTED_CONTENT_TYPE")
    assert ("GET /events" in answer.json["message"]) == (method == "Stream")


@pytest.mark.parametrize(
    ("message", "fields"),
    [
        ({"spec": {"kind": "idle", "priorty": 1}}, {"spec.priorty"}),
        ({"sepc": {}, "spec": {"knd": "idle"}}, {"sepc", "spec.knd"}),
        ({"spec": {"kind": "idle", "retry": {"tries": 2}}}, {"spec.retry.tries"}),
        ({"spec": {"kind": "idle", "dependsOn": [{"jobId": "x"}, {"job": "x"}]}}, {"spec.depends_on[1].job"}),
        ({"spec": {"kind": "idle", "labels": {"any": "thing"}, "lables": {}}}, {"spec.lables"}),
        ({"spec": {"kind": "idle", "payload": {"data": "{}"}}}, {"spec.payload.data"}),
        ({"spec": {"kind": "idle", "payload": {"data": 7}, "dependsOn": {}}}, {"spec.payload.data", "spec.depends_on"}),
        ({"spec": []}, {"spec"}),
        ([], {"request"}),
    ],
)
def test_a_field_that_is_wrong_is_named(service: LocalService, message: Any, fields: set[str]) -> None:
    answer = post(service.url, JOBS + "Submit", message)
    assert code(answer) == (400, "invalid_argument", "MALFORMED_MESSAGE")
    assert set(answer.violations) == fields


@pytest.mark.parametrize(
    "body",
    [
        "{",
        "nonsense",
        "null",
        '"text"',
        "1e999",
        '{"spec": {"kind": 7}}',
        '{"spec": {"kind": "idle", "priority": 1.5}}',
        '{"spec": {"kind": "idle", "priority": 99999999999999999999}}',
        '{"spec": {"kind": "idle", "timeout": "soon"}}',
        '{"spec": {"kind": "idle", "timeout": 5}}',
        '{"spec": {"kind": "idle", "scheduleTime": "today"}}',
        '{"spec": {"kind": "\\ud800"}}',
        '{"spec": {"kind": "idle", "kind": "other"}}',
        '{"spec": {"kind": "idle", "labels": {"a": {}}}}',
        "[" * 100_000,
        '{"spec":' * 100_000,
        b"\xff\xfe",
    ],
)
def test_what_is_not_the_json_of_the_request(service: LocalService, body: str | bytes) -> None:
    answer = ask(service.url, "POST", JOBS + "Submit", body, content_type="application/json")
    assert code(answer) == (400, "invalid_argument", "MALFORMED_MESSAGE")
    assert len(answer.body) < 4096


def test_names_of_fields_may_be_those_of_the_protos(service: LocalService) -> None:
    answer = post(service.url, JOBS + "Submit", {"spec": {"kind": "idle"}, "validate_only": True})
    assert answer.json["job"].get("id", "") == ""


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_calls_are_posted(service: LocalService, method: str) -> None:
    answer = ask(service.url, method, JOBS + "Submit?message=%7B%7D&encoding=json")
    assert (answer.status, answer.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize(
    "path", [JOBS + "Explode", JOBS, JOBS + "Submit/", "/slotd.v1.JobService/../JobService/Submit"]
)
def test_a_method_that_there_is_not(service: LocalService, path: str) -> None:
    assert code(post(service.url, path, {})) == (404, "unimplemented", "UNKNOWN_METHOD")


def test_work_takes_grpc(service: LocalService) -> None:
    answer = ask(service.url, "POST", "/slotd.v1.WorkerService/Work", content_type="application/connect+json")
    (flags, end), *more = frames(answer.body)
    assert (answer.status, flags, more) == (200, 2, [])
    error = json.loads(end)["error"]
    assert (error["code"], error["details"][0]["debug"]["reason"]) == ("unimplemented", "ONLY_OVER_GRPC")


def test_a_header_that_is_not_ascii_is_nothing_to_the_call(service: LocalService) -> None:
    connection = socket.create_connection((urlsplit(service.url).hostname or "", urlsplit(service.url).port or 0))
    with connection:
        request = f"POST {JOBS}List HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0\r\n"
        connection.sendall(request.encode() + b"X-Name: J\xfcrgen\r\n\r\n")
        assert connection.recv(15) == b"HTTP/1.1 200 OK"


def test_grpc_web(service: LocalService) -> None:
    submit = framed(v1.SubmitRequest(spec=spec("idle")).SerializeToString())
    headers = {"content_type": "application/grpc-web+proto", "x_grpc_web": "1"}
    answer = ask(service.url, "POST", JOBS + "Submit", submit, **headers)
    assert answer.headers["content-type"] == "application/grpc-web+proto"
    (_, message), (flags, trailers) = frames(answer.body)
    submitted = v1.SubmitResponse.FromString(message)
    assert (flags, trailers) == (0x80, b"grpc-status: 0\r\n")
    stream = v1.StreamRequest(cursor=submitted.cursor, filter=v1.JobFilter(job_ids=[submitted.job.id]))
    *messages, _ = frames(ask(service.url, "POST", JOBS + "Stream", framed(stream.SerializeToString()), **headers).body)
    events = [event for _, one in messages for event in v1.StreamResponse.FromString(one).events]
    assert events[-1].job.state == v1.JOB_STATE_SUCCEEDED
    bad = framed(v1.GetRequest(id="nonsense").SerializeToString())
    ((flags, trailers),) = frames(ask(service.url, "POST", JOBS + "Get", bad, **headers).body)
    told = dict(line.split(": ", 1) for line in trailers.decode().splitlines())
    assert (flags, told["grpc-status"]) == (0x80, "3")
    assert "grpc-status-details-bin" in told


@pytest.mark.parametrize("codec", ["json", "proto"])
def test_errors_are_those_of_grpc(service: LocalService, codec: Codec) -> None:
    def ended(jobs: v1.JobServiceStub) -> tuple[Status, Status]:
        request = v1.SubmitRequest(spec=v1.JobSpec(kind="idle", queue="/"), request_id="x" * 129)
        stream = v1.StreamRequest(cursor="nonsense")
        return refusal(lambda: jobs.Submit(request)).status, refusal(lambda: jobs.Stream(stream)).status

    assert ended(v1.JobServiceStub(HttpChannel(service.url, codec))) == ended(service.at.jobs)


def test_a_compressed_request_and_a_compressed_answer(service: LocalService) -> None:
    body = gzip.compress(json.dumps({"spec": {"kind": "idle", "labels": {"a": "b"}}}).encode())
    headers = {"content_type": "application/json", "content_encoding": "gzip", "accept_encoding": "gzip, br"}
    answer = ask(service.url, "POST", JOBS + "Submit", body, **headers)
    assert answer.headers["content-encoding"] == "gzip"
    assert json.loads(gzip.decompress(answer.body))["job"]["spec"]["labels"] == {"a": "b"}


@pytest.mark.parametrize(
    ("body", "encoding", "expected"),
    [
        (b"not gzip", "gzip", (400, "invalid_argument", "MALFORMED_MESSAGE")),
        (gzip.compress(SUBMIT.encode(), mtime=0)[:-9], "gzip", (400, "invalid_argument", "MALFORMED_MESSAGE")),
        (SUBMIT.encode(), "br", (501, "unimplemented", "UNIMPLEMENTED")),
    ],
)
def test_a_compression_that_can_not_be_undone(
    service: LocalService, body: bytes, encoding: str, expected: tuple[int, str, str]
) -> None:
    headers = {"content_type": "application/json", "content_encoding": encoding}
    assert code(ask(service.url, "POST", JOBS + "Submit", body, **headers)) == expected


def test_a_batch_of_the_largest_size(service: LocalService) -> None:
    data = b64encode(bytes(MIB - 64)).decode()
    requests = [{"spec": {"kind": "idle", "queue": "q", "payload": {"data": data}}}] * 16
    answer = post(service.url, JOBS + "SubmitBatch", {"requests": requests, "x": 1})
    assert set(answer.violations) == {"x"}
    answer = post(service.url, JOBS + "SubmitBatch", {"requests": requests})
    assert answer.status == 200
    assert len(answer.json["jobs"]) == 16
    answer = post(service.url, JOBS + "SubmitBatch", {"requests": requests + requests[:1]})
    assert code(answer) == (429, "resource_exhausted", "TOO_LARGE")


def test_a_request_is_bounded_however_small_it_came(spawn: Spawn) -> None:
    service = spawn(http="127.0.0.1:0")
    before = service.resident()
    # A thousandth of the bytes that it stands for.
    packed = gzip.compress(bytes(MIB)) * 1024
    kinds = {
        "application/json": ("Submit", packed, {"content_encoding": "gzip"}),
        "application/connect+proto": ("Stream", framed(packed, 1), {"connect_content_encoding": "gzip"}),
        "application/grpc-web+proto": ("Submit", framed(packed, 1), {"grpc_encoding": "gzip"}),
    }
    for kind, (method, body, headers) in kinds.items():
        answer = ask(service.url, "POST", JOBS + method, body, content_type=kind, **headers)
        assert b"resource_exhausted" in answer.body or b"grpc-status: 8" in answer.body, kind
    assert service.resident() - before < 256 * MIB
    answer = ask(service.url, "POST", JOBS + "Submit", bytes(33 * MIB), content_type="application/json")
    assert code(answer) == (429, "resource_exhausted", "TOO_LARGE")


def test_a_call_ends_at_its_deadline(service: LocalService) -> None:
    job = service.at.client.submit("gated", "never")
    answer = post(service.url, JOBS + "Wait", {"id": job.id}, connect_timeout_ms="1")
    assert code(answer) == (504, "deadline_exceeded", "DEADLINE_EXCEEDED")


def opened(jobs: v1.JobServiceStub) -> Any:
    """A stream, or None where there is no place for it."""
    stream = jobs.Stream(v1.StreamRequest())
    try:
        assert next(stream).synced
    except grpc.RpcError:
        return None
    return stream


@pytest.mark.parametrize("codec", ["json", "proto"])
def test_a_caller_who_is_gone_frees_its_place(start: Start, codec: Codec) -> None:
    service = start(http="127.0.0.1:0", max_streams=1, heartbeat=60)
    jobs = v1.JobServiceStub(HttpChannel(service.url, codec))
    for _ in range(5):
        # The service hears a moment later that the one before is gone.
        while (stream := opened(jobs)) is None:
            pass
        assert opened(service.at.jobs) is None
        stream.cancel()


def test_a_wait_whose_caller_is_gone_holds_nobody_up(start: Start) -> None:
    service = start(http="127.0.0.1:0")
    job = service.at.client.submit("patient")
    reach(service.at.client, job, v1.JOB_STATE_RUNNING)
    place = urlsplit(service.url)
    with socket.create_connection((place.hostname or "", place.port or 0)) as connection:
        body = json.dumps({"id": job.id})
        connection.sendall(
            f"POST {JOBS}Wait HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
        )
    began = time.monotonic()
    service.stop()
    assert time.monotonic() - began < 2.5


def test_readers_that_do_not_read_cost_little_and_miss_nothing(spawn: Spawn) -> None:
    service = spawn(http="127.0.0.1:0")
    at = Endpoint.at(service.address)
    at.client.update_queue("paused", paused=True)
    cursor = at.jobs.List(v1.ListRequest(page_size=1)).cursor
    asked = framed(json.dumps({"cursor": cursor, "view": "JOB_VIEW_FULL"}).encode())
    with ExitStack() as stack:
        readers = [
            stack.enter_context(silent(service.url, "POST", JOBS + "Stream", asked, "application/connect+json")),
            stack.enter_context(silent(service.url, "GET", f"/events?view=full&cursor={cursor}")),
        ]
        # More than lies between the service and a reader, in the buffers of two kernels.
        for _ in range(8):
            at.client.submit("reverse", bytes(MIB), queue="paused")
        before = service.resident()
        for _ in range(5):
            at.client.submit_batch([spec("idle", queue="paused")] * 1000)
        assert service.resident() - before < 64 * MIB
        last = at.queues.GetStats(v1.GetStatsRequest()).revision
        for reader in readers:
            told = b""
            while f'"revision":"{last}"}}'.encode() not in told[-100:]:
                part = reader.recv(1 << 20)
                assert part, "it was cut"
                told += part
            revisions = [int(one) for one in re.findall(rb'\{"revision":"(\d+)","type"', told)]
            assert revisions == list(range(revisions[0], last + 1))
            assert len(revisions) == 5008
    at.close()


def silent(url: str, method: str, path: str, body: bytes = b"", content_type: str = "") -> socket.socket:
    """A call that has been answered, and whose caller reads no more than that."""
    place = urlsplit(url)
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
    connection.settimeout(SECONDS)
    connection.connect((place.hostname, place.port))
    head = f"{method} {path} HTTP/1.0\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
    connection.sendall(f"{head}Content-Type: {content_type}\r\n\r\n".encode() + body)
    assert connection.recv(15) == b"HTTP/1.1 200 OK"
    return connection
