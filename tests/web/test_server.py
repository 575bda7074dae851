"""The HTTP server around all that: where it listens, how it starts and stops, and what it says of itself."""

import socket
import sys
from urllib.parse import urlsplit

import pytest

from slotd import v1
from slotd_server.app import StartError
from slotd_server.settings import SettingsError, load
from slotd_server.web.server import HttpServer
from tests.fundamentals.handlers import gate
from tests.service import LocalService, Spawn, Start, reach
from tests.web.asking import JOBS, ask, post, raw
from tests.web.channel import HttpChannel


def test_the_second_line_says_where_the_page_is(spawn: Spawn) -> None:
    service = spawn(http="127.0.0.1:0")
    assert ask(service.url, "GET", "/healthz").body == b"ok\n"


def test_without_it_nothing_answers_http(start: Start) -> None:
    assert start().url == ""


@pytest.mark.parametrize(
    ("listen", "url", "reached"),
    [
        ("127.0.0.1:0", "http://127.0.0.1:", "127.0.0.1"),
        ("[::1]:0", "http://[::1]:", "::1"),
        ("localhost:0", "http://localhost:", "127.0.0.1"),
        ("0.0.0.0:0", "http://0.0.0.0:", "127.0.0.1"),
    ],
)
def test_where_it_listens(start: Start, listen: str, url: str, reached: str) -> None:
    service = start(http=listen)
    assert service.url.startswith(url)
    port = urlsplit(service.url).port
    assert port
    with socket.create_connection((reached, port)) as connection:
        connection.sendall(b"GET /readyz HTTP/1.0\r\nHost: localhost\r\n\r\n")
        assert connection.recv(15) == b"HTTP/1.1 200 OK"


@pytest.mark.parametrize(
    ("listen", "why"),
    [
        ("7480", "HOST:PORT"),
        ("localhost", "HOST:PORT"),
        ("localhost:http", "HOST:PORT"),
        ("localhost:65536", "HOST:PORT"),
        ("::1:7480", "HOST:PORT"),
        ("unix:/tmp/slotd", "HOST:PORT"),
        ("192.0.2.1:7480", "cannot listen on 192.0.2.1:7480 for HTTP"),
    ],
)
def test_where_it_can_not_listen(start: Start, listen: str, why: str) -> None:
    with pytest.raises(StartError, match=why):
        start(http=listen)


def test_a_port_that_is_taken(start: Start) -> None:
    taken = urlsplit(start(http="127.0.0.1:0").url).netloc
    with pytest.raises(StartError, match=f"cannot listen on {taken} for HTTP"):
        start(http=taken)


def test_what_it_takes_may_be_missing(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "slotd_server.web.server", None)
    assert start().at.client.submit_and_wait("idle").state == v1.JOB_STATE_SUCCEEDED
    with pytest.raises(StartError, match=r"install 'slotd\[web\]'"):
        start(http="127.0.0.1:0")


def test_two_servers_of_one_process(start: Start) -> None:
    first, second = start(http="127.0.0.1:0"), start(http="127.0.0.1:0")
    job = post(first.url, JOBS + "Submit", {"spec": {"kind": "idle"}}).json["job"]
    assert post(second.url, JOBS + "Get", {"id": job["id"]}).status == 404


def test_a_server_that_drains_is_not_ready_and_answers_until_the_end(start: Start) -> None:
    service = start(http="127.0.0.1:0", drain_timeout=20)
    client = service.at.client
    job = client.submit("gated", "drains")
    reach(client, job, v1.JOB_STATE_RUNNING)
    assert ask(service.url, "GET", "/readyz").body == b"serving\n"
    stream = v1.JobServiceStub(HttpChannel(service.url, "proto")).Stream(v1.StreamRequest(cursor=cursor_now(service)))
    assert next(stream).synced
    service.ask_to_stop()
    while (answer := ask(service.url, "GET", "/readyz")).status == 200:
        pass
    assert (answer.status, answer.body) == (503, b"draining\n")
    assert ask(service.url, "GET", "/healthz").status == 200
    refused = post(service.url, JOBS + "Submit", {"spec": {"kind": "idle"}})
    assert (refused.status, refused.reason) == (503, "DRAINING")
    gate("drains").set()
    assert [event.job.state for event in next(stream).events] == [v1.JOB_STATE_SUCCEEDED]
    service.wait_stopped()


def test_a_reader_that_does_not_read_does_not_hold_up_the_end(start: Start) -> None:
    service = start(http="127.0.0.1:0", drain_timeout=20)
    client = service.at.client
    client.update_queue("paused", paused=True)
    for _ in range(16):
        client.submit("idle", bytes(1 << 20), queue="paused")
    place = urlsplit(service.url)
    with socket.create_connection((place.hostname or "", place.port or 0)) as connection:
        connection.sendall(b"GET /events?view=full HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert connection.recv(15) == b"HTTP/1.1 200 OK"
        service.ask_to_stop()
        service.ask_to_stop()
        service.wait_stopped()


def test_headers_without_an_end(service: LocalService) -> None:
    told = raw(service.url, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + b"X-More: of the same\r\n" * 1_000)
    assert told.startswith(b"HTTP/1.1 4")


def test_sockets_that_were_never_used_are_given_back() -> None:
    first = HttpServer("127.0.0.1:0")
    first.close()
    second = HttpServer(f"127.0.0.1:{first.port}")
    second.close()


@pytest.mark.parametrize("origin", ["*", "example.com", "https://example.com/", "https://Example.com", "null"])
def test_an_origin_that_is_none(origin: str) -> None:
    with pytest.raises(SettingsError, match="http_origins"):
        load({"http_origins": (origin,)}, {})


def test_hosts_and_origins_may_be_several() -> None:
    settings = load({"http_origins": ("https://a.example", "http://[::1]:5173")}, {"SLOTD_HTTP_HOSTS": "a, b"})
    assert (settings.http_hosts, settings.http_origins) == (("a", "b"), ("https://a.example", "http://[::1]:5173"))


def cursor_now(service: LocalService) -> str:
    return service.at.jobs.List(v1.ListRequest(page_size=1)).cursor
