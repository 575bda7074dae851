"""What pages of others can do to somebody who has the dashboard: nothing. And what the dashboard loads: itself."""

import threading
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.dashboard.complaints import Complaints
from tests.dashboard.conftest import Visit
from tests.service import LocalService

SUBMIT = "/slotd.v1.JobService/Submit"
LIST = "/slotd.v1.JobService/List"
BODY = '{"spec": {"kind": "idle"}}'

PAGES = ("/", "/jobs", "/queues", "/schedules", "/workers", "/submit")


class _Stranger(BaseHTTPRequestHandler):
    """A page of somebody else."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>stranger</title><link rel=icon href='data:,'>")

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def stranger(visit: Visit, service: LocalService, complaints: Complaints) -> Iterator[Page]:
    """A page of another origin, in the browser of somebody who has the dashboard open too."""
    # 404: for an answer that is no page the browser looks for an icon at an address of its own choice.
    complaints.expect("403|404|CORS|ERR_FAILED|ERR_BLOCKED_BY_RESPONSE|frame-ancestors|Framing")
    with ThreadingHTTPServer(("127.0.0.1", 0), _Stranger) as server:
        thread = threading.Thread(target=partial(server.serve_forever, 0.02))
        thread.start()
        page = visit(service.url)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        other = page.context.new_page()
        other.goto(f"http://127.0.0.1:{server.server_port}/")
        yield other
        server.shutdown()
        thread.join()


def jobs(service: LocalService) -> int:
    return len(service.at.client.list_page().jobs)


def test_a_page_of_another_origin_reads_nothing(service: LocalService, stranger: Page) -> None:
    service.at.client.submit_and_wait("idle")
    for path, options in (
        (LIST, {"method": "POST", "body": "{}", "headers": {"content-type": "application/json"}}),
        (LIST, {"method": "POST", "body": "{}"}),
        ("/events", {}),
        ("/metrics", {}),
        ("/", {}),
    ):
        answer = stranger.evaluate(
            "([url, options]) => fetch(url, { credentials: 'include', ...options })"
            ".then((answer) => answer.text(), (error) => error.name)",
            [service.url + path, options],
        )
        assert answer == "TypeError", path


def test_a_page_of_another_origin_changes_nothing(service: LocalService, stranger: Page) -> None:
    url = service.url + SUBMIT
    answer = stranger.evaluate(
        "([url, body]) => fetch(url, { method: 'POST', mode: 'no-cors', credentials: 'include', body })"
        ".then(({ type }) => type, ({ name }) => name)",
        [url, BODY],
    )
    assert answer in ("opaque", "TypeError")
    assert stranger.evaluate("([url, body]) => navigator.sendBeacon(url, body)", [url, BODY])
    assert jobs(service) == 0


def test_a_form_of_another_origin_changes_nothing(service: LocalService, stranger: Page) -> None:
    with stranger.expect_response(service.url + SUBMIT) as answered:
        stranger.evaluate(
            """([url, body]) => {
              const form = document.createElement("form");
              Object.assign(form, { method: "POST", action: url, enctype: "text/plain" });
              const field = document.createElement("input");
              // As text this is JSON: {"spec": {"kind": "idle"}, "requestId": "="}.
              Object.assign(field, { name: body.slice(0, -1) + ', "requestId": "', value: '"}' });
              form.append(field);
              document.body.append(form);
              form.submit();
            }""",
            [service.url + SUBMIT, BODY],
        )
    assert answered.value.status == 403
    expect(stranger.locator("body")).to_contain_text("ORIGIN_NOT_ALLOWED")
    assert jobs(service) == 0


def test_it_can_not_be_put_into_a_frame(service: LocalService, stranger: Page) -> None:
    stranger.evaluate(
        """(url) => new Promise((loaded) => {
          const frame = document.createElement("iframe");
          Object.assign(frame, { src: url, onload: loaded });
          document.body.append(frame);
        })""",
        service.url,
    )
    framed = stranger.frames[1]
    assert not framed.url.startswith(service.url)
    assert framed.get_by_role("heading", level=1, name="Overview").count() == 0


def test_a_page_of_this_origin_without_the_token_changes_nothing(
    service: LocalService, visit: Visit, complaints: Complaints
) -> None:
    complaints.expect("403")
    page = visit(service.url)
    answer = page.evaluate(
        "([url, body]) => fetch(url, { method: 'POST', body, headers: { 'content-type': 'application/json' } })"
        ".then((answer) => answer.json())",
        [SUBMIT, BODY],
    )
    assert answer["details"][0]["debug"]["reason"] == "TOKEN_REQUIRED"
    assert jobs(service) == 0


def test_the_content_policy_lets_no_script_in_that_is_not_the_page_s_own(
    service: LocalService, visit: Visit, complaints: Complaints
) -> None:
    complaints.expect("Content Security Policy")
    page = visit(service.url)
    refused = page.evaluate(
        """() => new Promise((refused) => {
          addEventListener("securitypolicyviolation", ({ effectiveDirective }) => refused(effectiveDirective));
          const script = document.createElement("script");
          script.textContent = "window.entered = true";
          document.body.append(script);
          if (window.entered) refused("nothing");
        })"""
    )
    assert refused == "script-src-elem"


def test_no_page_loads_anything_from_elsewhere(service: LocalService, visit: Visit) -> None:
    asked: set[str] = set()
    page = visit(service.url)
    page.on("request", lambda request: asked.add(urlsplit(request.url).netloc))
    for path in PAGES:
        page.goto(service.url + path)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert asked == {urlsplit(service.url).netloc}
