"""Server-Sent Events: what a stream tells, as an EventSource and as `curl` read it."""

import http.client
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

import pytest

from slotd import v1
from slotd_server.domain.errors import CursorExpired, Draining
from slotd_server.web.events import Events
from tests.fundamentals.handlers import gate
from tests.service import LocalService, Start, reach
from tests.web.asking import SECONDS, answered, ask

UNKNOWN_ID = "01890a5d-ac96-774b-bcce-b302099a8057"


class Told(NamedTuple):
    """One event of the stream."""

    id: str
    name: str
    data: Any


class Source:
    """Reads /events as an EventSource does."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self._response = response

    def __iter__(self) -> Iterator[Told]:
        fields: dict[str, str] = {}
        while line := self._response.readline().decode():
            name, _, value = line.rstrip("\n").partition(": ")
            if name:
                fields[name] = value
            else:
                yield Told(fields.get("id", ""), fields.get("event", "message"), json.loads(fields["data"]))
                fields = {}


@contextmanager
def listening(url: str, last: str = "", **query: Any) -> Iterator[Source]:
    """An open stream."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=SECONDS)
    try:
        connection.request(
            "GET", f"/events?{urlencode(query, doseq=True)}", headers={"last-event-id": last} if last else {}
        )
        response = connection.getresponse()
        assert (response.status, response.getheader("content-type")) == (200, "text/event-stream")
        assert response.getheader("cache-control") == "no-store"
        with response:
            yield Source(response)
    finally:
        connection.close()


def cursor_now(service: LocalService) -> str:
    return service.at.jobs.List(v1.ListRequest(page_size=1)).cursor


def states(told: list[Told]) -> list[str]:
    return [event["job"]["state"] for one in told for event in one.data.get("events", ())]


def until_synced(source: Source) -> list[Told]:
    found = []
    for told in source:
        found.append(told)
        if told.data.get("synced"):
            break
    return found


def test_a_stream_tells_what_there_is_then_what_happens(service: LocalService) -> None:
    client = service.at.client
    job = client.submit("gated", "told", labels={"of": "told"})
    reach(client, job, v1.JOB_STATE_RUNNING)
    with listening(service.url, label="of=told") as source:
        told = until_synced(source)
        assert states(told) == ["JOB_STATE_RUNNING"]
        # Resumed in the midst of a snapshot it would have to begin anew, so only what comes after it has an id.
        assert [bool(one.id) for one in told] == [False, True]
        assert told[-1].id == told[-1].data["cursor"]
        gate("told").set()
        following = next(iter(source))
    assert states([following]) == ["JOB_STATE_SUCCEEDED"]
    assert following.id == following.data["cursor"]
    assert following.name == "message"


def test_a_stream_of_jobs_ends_with_the_last_of_them(service: LocalService) -> None:
    job = service.at.client.submit("idle")
    with listening(service.url, job=job.id) as source:
        assert states(list(source))[-1] == "JOB_STATE_SUCCEEDED"


def test_a_stream_is_resumed_by_the_id_that_came_last(service: LocalService) -> None:
    client = service.at.client
    begin = cursor_now(service)
    jobs = [client.submit_and_wait("idle", group="resumed") for _ in range(2)]
    with listening(service.url, cursor=begin, group="resumed") as source:
        whole = until_synced(source)
    ids = {event["job"]["id"] for one in whole for event in one.data.get("events", ())}
    assert ids == {job.id for job in jobs}
    # The id counts, not the cursor in the address that the page has had since it was opened.
    last = next(one.id for one in whole if one.data.get("events"))
    with listening(service.url, last=last, cursor=begin, group="resumed") as source:
        rest = until_synced(source)
    after = int(next(one.data["revision"] for one in whole if one.id == last))
    assert states(whole)[len(states(whole)) - len(states(rest)) :] == states(rest)
    assert all(int(event["revision"]) > after for one in rest for event in one.data.get("events", ()))


def test_a_resumed_stream_of_jobs_that_have_nothing_left_to_say_is_over(service: LocalService) -> None:
    job = service.at.client.submit("idle")
    with listening(service.url, job=job.id) as source:
        last = list(source)[-1].id
    answer = ask(service.url, "GET", f"/events?job={job.id}", last_event_id=last)
    assert (answer.status, answer.body) == (204, b"")


def test_a_resumed_stream_of_a_job_that_goes_on_is_not_over(service: LocalService) -> None:
    client = service.at.client
    job = client.submit("gated", "goes on")
    reach(client, job, v1.JOB_STATE_RUNNING)
    with listening(service.url, cursor=cursor_now(service), job=job.id) as source:
        assert until_synced(source)[-1].data["synced"]
        gate("goes on").set()
        assert states(list(source)) == ["JOB_STATE_SUCCEEDED"]


def test_filters_and_forms(service: LocalService) -> None:
    client = service.at.client
    wanted = client.submit_and_wait("reverse", b"abc", queue="sse", labels={"a": "1", "b": "x=y"})
    client.submit_and_wait("idle", queue="sse", labels={"a": "1"})
    query: dict[str, Any] = {
        "queue": ["sse", "other"],
        "kind": "reverse",
        "state": ["succeeded", "JOB_STATE_FAILED"],
        "view": "full",
    }
    with listening(service.url, **query, label=["a=1", "b=x=y"], delivery="latest", progress="1") as source:
        (event,) = until_synced(source)[0].data["events"]
    assert (event["type"], event["job"]["id"]) == ("EVENT_TYPE_SNAPSHOT", wanted.id)
    assert event["job"]["result"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("state=rnning", "state"),
        ("state=", "state"),
        ("label=novalue", "label"),
        ("delivery=every&delivery=latest", "delivery"),
        ("view=most", "view"),
        ("progress=yes", "progress"),
        ("stat=running", "stat"),
        ("queue=/", "filter.queues[0]"),
        ("job=nonsense", "filter.job_ids[0]"),
        ("cursor=nonsense", "cursor"),
    ],
)
def test_what_is_wrong_with_a_query_is_named(service: LocalService, query: str, field: str) -> None:
    answer = ask(service.url, "GET", f"/events?{query}")
    assert (answer.status, answer.json["code"]) == (400, "invalid_argument")
    assert set(answer.violations) == {field}


def test_an_error_before_the_first_message_is_one_of_http(service: LocalService) -> None:
    answer = ask(service.url, "GET", f"/events?job={UNKNOWN_ID}")
    assert (answer.status, answer.json["code"], answer.reason) == (404, "not_found", "JOB_NOT_FOUND")
    answer = ask(service.url, "GET", "/events?cursor=nonsense", last_event_id="other")
    assert answer.status == 400


def test_head_opens_no_stream(start: Start) -> None:
    service = start(http="127.0.0.1:0", max_streams=1)
    with listening(service.url) as source:
        until_synced(source)
        answer = ask(service.url, "HEAD", "/events")
        assert (answer.status, answer.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
        assert ask(service.url, "POST", "/events").status == 405


def test_a_caller_who_is_gone_frees_its_place(start: Start) -> None:
    service = start(http="127.0.0.1:0", max_streams=1, heartbeat=60)
    for _ in range(5):
        with listening(service.url) as source:
            until_synced(source)
            refused = ask(service.url, "GET", "/events")
            assert (refused.status, refused.reason) == (429, "TOO_MANY_STREAMS")
        # The service hears of it a moment later.
        while ask(service.url, "GET", f"/events?job={UNKNOWN_ID}").status == 429:
            pass


def test_a_server_that_stops_closes_without_a_word_so_that_an_event_source_comes_back(start: Start) -> None:
    service = start(http="127.0.0.1:0")
    with listening(service.url) as source:
        last = until_synced(source)[-1]
        service.ask_to_stop()
        rest = list(source)
    assert [one.name for one in rest] == ["message"]
    assert rest[-1].id == last.id


class Scripted:
    """A servicer whose stream ends with an error."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def Stream(self, request: v1.StreamRequest, call: object) -> AsyncIterator[bytes]:
        yield v1.StreamResponse(revision=7, cursor="seven", synced=True).SerializeToString()
        raise self._error


async def test_a_later_error_is_an_event_and_the_end() -> None:
    answer = await answered(Events(Scripted(CursorExpired())), "GET", "/events")
    first, error, end = answer.body.decode().split("\n\n")
    assert (answer.status, end) == (200, "")
    assert first.startswith("id: seven\ndata: ")
    name, _, data = error.partition("\ndata: ")
    assert name == "event: error"
    told = json.loads(data)
    assert (told["code"], told["details"][0]["debug"]["reason"]) == ("out_of_range", "CURSOR_EXPIRED")


async def test_draining_is_no_error() -> None:
    answer = await answered(Events(Scripted(Draining())), "GET", "/events")
    assert answer.body.decode().count("\n\n") == 1
    assert "error" not in answer.body.decode()
