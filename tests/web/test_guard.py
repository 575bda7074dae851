"""Who may ask: hosts, origins and the token, on every method and path."""

import re
from urllib.parse import urlsplit

import pytest
from starlette.responses import PlainTextResponse

from slotd_server.rpc import calls
from slotd_server.web.guard import READS, Guard
from slotd_server.web.policy import HEADERS
from tests.service import LocalService
from tests.web.asking import JOBS, Answer, answered, ask, post, raw
from tests.web.conftest import ORIGINS

SUBMIT = {"spec": {"kind": "idle"}}
TOKEN = "a-token-of-some-length"
METHODS = [f"/{service.full_name}/{method.name}" for service in calls.SERVICES for method in service.methods]

PATHS = [
    ("GET", "/"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/openapi.json"),
    ("GET", "/events"),
    ("GET", "/metrics"),
    ("HEAD", "/"),
    ("OPTIONS", "/slotd.v1.JobService/Submit"),
    ("POST", "/slotd.v1.JobService/Get"),
    ("POST", "/slotd.v1.JobService/Submit"),
    ("DELETE", "/nowhere"),
]


def place(service: LocalService) -> str:
    """HOST:PORT."""
    return urlsplit(service.url).netloc


def code(answer: Answer) -> tuple[int, str]:
    """The status and the reason of a refusal; no reason where it was none."""
    return answer.status, answer.reason if answer.status in (403, 421) else ""


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LocalHost:1",
        "localhost.",
        "slotd.localhost:7480",
        "127.0.0.1",
        "127.8.8.8:9",
        "[::1]",
        "[::1]:7480",
        "jobs.example",
        "Jobs.Example.:443",
    ],
)
def test_a_known_host(service: LocalService, host: str) -> None:
    assert ask(service.url, "GET", "/healthz", host=host).status == 200


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "jobs.example.evil.example",
        "127.0.0.1.evil.example",
        "evil.example:7480",
        "xlocalhost",
        "localhost:port",
        "localhost:",
        "localhost@evil.example",
        "evil.example/localhost",
        "localhost evil.example",
        "[::1",
        "[::1]x",
        "10.1.2.3",
        "0.0.0.0",
        "[2001:db8::1]",
        "2130706433",
    ],
)
@pytest.mark.parametrize(("method", "path"), [("GET", "/healthz"), ("POST", "/slotd.v1.JobService/Get")])
def test_a_host_that_is_not_known(service: LocalService, host: str, method: str, path: str) -> None:
    assert code(ask(service.url, method, path, host=host)) == (421, "HOST_NOT_ALLOWED")


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_every_method_and_path_is_guarded(service: LocalService, method: str, path: str) -> None:
    refused = ask(service.url, method, path, host="evil.example")
    assert refused.status == 421
    refused = ask(service.url, method, path, origin="http://evil.example")
    assert refused.status == 403
    assert "access-control-allow-origin" not in refused.headers


def test_a_request_without_a_host(service: LocalService) -> None:
    assert raw(service.url, b"GET /healthz HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 421 ")


def test_a_request_with_two_hosts(service: LocalService) -> None:
    request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n"
    assert raw(service.url, request).startswith(b"HTTP/1.1 4")


async def test_whoever_listens_everywhere_is_known_by_every_address_and_by_no_other_name() -> None:
    for address in ("0.0.0.0", "::", ""):
        guard = Guard(PlainTextResponse("in"), address, (), ())
        for host in ("10.1.2.3:7480", "[2001:db8::1]", "0.0.0.0", "localhost"):
            assert (await answered(guard, "GET", "/", host=host)).status == 200, (address, host)
        assert (await answered(guard, "GET", "/", host="evil.example")).status == 421


async def test_the_address_that_is_listened_on_is_known() -> None:
    for address, host in (
        ("192.168.1.5", "192.168.1.5:7480"),
        ("2001:db8::1", "[2001:DB8::1]"),
        ("build-7", "build-7"),
    ):
        guard = Guard(PlainTextResponse("in"), address, (), ())
        assert (await answered(guard, "GET", "/", host=host)).status == 200
        assert (await answered(guard, "GET", "/", host="192.168.1.6")).status == 421


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://localhost:7480", "localhost:7480"),
        ("http://LOCALHOST:7480", "localhost:7480"),
        ("http://jobs.example", "jobs.example"),
        ("http://jobs.example", "jobs.example:80"),
        ("https://jobs.example", "jobs.example"),
        ("https://jobs.example", "jobs.example:443"),
        ("http://[::1]:7480", "[::1]:7480"),
    ],
)
def test_pages_of_the_same_origin_may_read(service: LocalService, origin: str, host: str) -> None:
    assert post(service.url, JOBS + "List", {}, origin=origin, host=host).status == 200


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("null", "localhost:7480"),
        ("", "localhost:7480"),
        ("http://localhost:3000", "localhost:7480"),
        ("http://127.0.0.1:7480", "localhost:7480"),
        ("http://jobs.example:443", "jobs.example"),
        ("https://jobs.example:80", "jobs.example"),
        ("http://evil.example", "jobs.example"),
        ("http://jobs.example.evil.example", "jobs.example"),
        ("http://jobs.example@evil.example", "jobs.example"),
        ("ftp://jobs.example", "jobs.example"),
        ("jobs.example", "jobs.example"),
        ("http://friend.example", "localhost"),
        ("https://friend.example:3000", "localhost"),
        ("http://friend.example:3000.evil.example", "localhost"),
    ],
)
def test_pages_of_other_origins_may_not(service: LocalService, origin: str, host: str) -> None:
    answer = post(service.url, JOBS + "List", {}, origin=origin, host=host, sec_fetch_site="same-origin")
    assert code(answer) == (403, "ORIGIN_NOT_ALLOWED")


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_request_of_another_site_without_its_origin(service: LocalService, site: str) -> None:
    answers = [
        ask(service.url, "GET", "/events", sec_fetch_site=site),
        ask(service.url, "GET", "/", sec_fetch_site=site, sec_fetch_mode="no-cors", sec_fetch_dest="image"),
        ask(service.url, "GET", "/", sec_fetch_site=site, sec_fetch_mode="navigate", sec_fetch_dest="iframe"),
        ask(service.url, "GET", "/metrics", sec_fetch_site=site, sec_fetch_mode="navigate", sec_fetch_dest="document"),
        ask(service.url, "POST", "/", sec_fetch_site=site, sec_fetch_mode="navigate", sec_fetch_dest="document"),
        post(service.url, JOBS + "List", {}, sec_fetch_site=site),
    ]
    assert {code(answer) for answer in answers} == {(403, "ORIGIN_NOT_ALLOWED")}


def test_a_link_to_the_page_may_be_followed(service: LocalService) -> None:
    visit = {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate", "sec_fetch_dest": "document"}
    assert ask(service.url, "GET", "/jobs", accept="text/html", **visit).status in (200, 404)


@pytest.mark.parametrize("path", METHODS)
def test_what_changes_things_needs_the_token_and_nothing_else_does(service: LocalService, path: str) -> None:
    answer = post(service.url, path, {}, origin=service.url)
    assert (code(answer) == (403, "TOKEN_REQUIRED")) == (path not in READS)


def test_what_is_said_to_read_reads() -> None:
    assert {path for path in METHODS if re.search("/(Get|List|Read|Stream|Wait)", path.removeprefix("/slotd"))} == READS


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x_slotd_token": TOKEN},
        {"cookie": f"slotd-token={TOKEN}"},
        {"cookie": "slotd-token=", "x_slotd_token": ""},
        {"cookie": f"slotd-token={TOKEN}", "x_slotd_token": TOKEN[:-1]},
        {"cookie": f"other={TOKEN}", "x_slotd_token": TOKEN},
    ],
)
@pytest.mark.parametrize("browser", ["origin", "sec-fetch-site"])
def test_a_token_that_does_not_match(service: LocalService, headers: dict[str, str], browser: str) -> None:
    said = {"origin": service.url} if browser == "origin" else {"sec_fetch_site": "same-origin"}
    answer = post(service.url, JOBS + "Submit", SUBMIT, **said, **headers)
    assert code(answer) == (403, "TOKEN_REQUIRED")
    assert answer.json["code"] == "permission_denied"


def test_a_token_that_matches(service: LocalService) -> None:
    cookie = f"theme=dark; slotd-token={TOKEN}"
    answer = post(service.url, JOBS + "Submit", SUBMIT, origin=service.url, cookie=cookie, x_slotd_token=TOKEN)
    assert answer.status == 200


def test_programs_and_friends_need_no_token(service: LocalService) -> None:
    assert post(service.url, JOBS + "Submit", SUBMIT).status == 200
    answer = post(service.url, JOBS + "Submit", SUBMIT, origin=ORIGINS[0], sec_fetch_site="cross-site")
    assert answer.status == 200
    assert answer.headers["access-control-allow-origin"] == ORIGINS[0]
    assert "access-control-allow-credentials" not in answer.headers


def test_a_friend_may_ask_what_it_may_send(service: LocalService) -> None:
    asked = {
        "access_control_request_method": "POST",
        "access_control_request_headers": "connect-protocol-version,content-type,x-slotd-token",
    }
    answer = ask(service.url, "OPTIONS", JOBS + "Submit", origin=ORIGINS[0], **asked)
    assert answer.status == 200
    assert answer.headers["access-control-allow-origin"] == ORIGINS[0]
    assert "POST" in answer.headers["access-control-allow-methods"]
    answer = ask(
        service.url, "OPTIONS", JOBS + "Submit", origin=ORIGINS[0], **{**asked, "access_control_request_method": "PUT"}
    )
    assert answer.status == 400


@pytest.mark.parametrize(("method", "path"), [*PATHS, ("GET", "/none.js")])
def test_every_answer_says_what_browsers_may_do_with_it(service: LocalService, method: str, path: str) -> None:
    for headers in ({}, {"host": "evil.example"}):
        if path == "/events" and not headers:
            continue
        answer = ask(service.url, method, path, **headers)
        assert {name.decode(): value.decode() for name, value in HEADERS}.items() <= answer.headers.items()
        assert "'unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] in ("no-store", "no-cache")
