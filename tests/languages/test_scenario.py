"""The scenario is whole, and nothing in it is lost on the orchestrator: a driver that lies is found out."""

import json
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.languages import scenario
from tests.languages.driver import Driver, DriverFailed
from tests.languages.languages import language
from tests.languages.play import Failed, play
from tests.languages.scenario import ScenarioError, sections
from tests.languages.stage import Stage

Answer = dict[str, Any]
Lie = Callable[[str, Answer], Answer]


def test_every_operation_that_a_driver_has_is_asked_for() -> None:
    asked = json.dumps([case.steps for section in sections().values() for case in section.cases])
    assert [op for op in scenario.OPERATIONS if f'"{op}"' not in asked] == []


@pytest.mark.parametrize(
    ("steps", "wrong"),
    [
        ([{"cal": "get"}], "nothing known"),
        ([{"call": "got"}], "no driver can got"),
        ([{"call": "get", "expected": {}}], "expected says nothing"),
        ([{"times": 2, "steps": [{"start": "got"}]}], "step 1, step 1: no driver can got"),
    ],
)
def test_a_step_that_means_nothing_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, steps: Any, wrong: str
) -> None:
    (tmp_path / "1-x.json").write_text(json.dumps({"title": "x", "cases": [{"name": "x", "steps": steps}]}))
    monkeypatch.setattr(scenario, "FOLDER", tmp_path)
    with pytest.raises(ScenarioError, match=wrong):
        sections()


class Liar:
    """Hands on what a driver says, but for a lie."""

    def __init__(self, driver: Driver, lie: Lie) -> None:
        self._driver = driver
        self._lie = lie

    def send(self, op: str, arguments: Mapping[str, Any]) -> "Future[Answer]":
        told: Future[Answer] = Future()
        self._driver.send(op, arguments).add_done_callback(lambda done: told.set_result(self._lie(op, done.result())))
        return told


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    stage = Stage(tmp_path_factory.mktemp("stage"))
    yield stage
    stage.close()


def in_events(change: Callable[[list[Any]], list[Any]]) -> Lie:
    """A lie about the events of the first read that has several."""
    done = threading.Event()

    def lie(op: str, answer: Answer) -> Answer:
        events = answer.get("ok", {}).get("events", [])
        if op != "stream_read" or len(events) < 2 or done.is_set():
            return answer
        done.set()
        return {**answer, "ok": {**answer["ok"], "events": change(events)}}

    return lie


def in_errors(change: Mapping[str, Any]) -> Lie:
    def lie(op: str, answer: Answer) -> Answer:
        return {**answer, "error": answer["error"] | change} if "error" in answer else answer

    return lie


def in_text(old: str, new: str) -> Lie:
    def lie(op: str, answer: Answer) -> Answer:
        changed = json.loads(json.dumps(answer, ensure_ascii=False).replace(old, new))
        assert isinstance(changed, dict)
        return changed

    return lie


CUT = "resumption: cut again"
RESTART = "resumption: over a restart"
INVALID = "errors: INVALID_ARGUMENT names"
NOT_FOUND = "errors: NOT_FOUND"
EXHAUSTED = "errors: RESOURCE_EXHAUSTED"


@pytest.mark.parametrize(
    ("case", "lie"),
    [
        pytest.param(CUT, in_events(lambda events: events[1:]), id="an event is dropped"),
        pytest.param(CUT, in_events(lambda events: [events[0], *events]), id="an event comes twice"),
        pytest.param(CUT, in_events(lambda events: events[::-1]), id="events change places"),
        pytest.param(RESTART, in_events(lambda events: [*events[:1], *events[2:]]), id="a gap at a restart"),
        pytest.param(INVALID, in_errors({"code": "UNKNOWN"}), id="another code"),
        pytest.param(INVALID, in_errors({"reason": ""}), id="no reason"),
        pytest.param(INVALID, in_errors({"violations": []}), id="no violations"),
        pytest.param(NOT_FOUND, in_errors({"resource": None}), id="no resource"),
        pytest.param(EXHAUSTED, in_errors({"retry_seconds": None}), id="no time to retry"),
        pytest.param(EXHAUSTED, in_errors({"quotas": []}), id="no quotas"),
        pytest.param("errors: FAILED_PRECONDITION", in_errors({"preconditions": []}), id="no preconditions"),
        pytest.param("submit: the same request_id with other", in_errors({"metadata": {}}), id="no metadata"),
        pytest.param("submit: a priority of 0", in_text('"priority": 0', '"priority": 5'), id="0 is taken for unset"),
        pytest.param("payloads: Unicode", in_text("第一", "??"), id="text is mangled"),
        pytest.param("messages: wrappers", in_text("9223372036854775807", "9223372036854775800"), id="64 bits are not"),
        pytest.param("messages: Timestamp", in_text("999999999Z", "999999Z"), id="nanoseconds are cut"),
        pytest.param("paging: all pages", in_text('"jobs": [{', '"jobs": [{}, {'), id="a job too many"),
    ],
)
def test_a_driver_that_lies_is_found_out(stage: Stage, tmp_path: Path, case: str, lie: Lie) -> None:
    name, _, start = case.partition(": ")
    section = sections()[name]
    chosen = replace(section, cases=tuple(each for each in section.cases if each.name.startswith(start)))
    driver = Driver([str(language("python").driver)], tmp_path / "driver.log")
    try:
        play(chosen, driver, stage)
        with pytest.raises(Failed):
            play(chosen, Liar(driver, lie), stage)
    finally:
        driver.end()


@pytest.mark.parametrize(
    ("program", "told"),
    [
        ("import sys; sys.stdin.readline(); sys.exit('no luck')", "no luck"),
        ("print('hello', flush=True); input()", "no answer: b'hello"),
        ("""print('{"id": 77, "ok": {}}', flush=True); input()""", "no answer"),
    ],
    ids=["ends", "chats", "answers what was not asked"],
)
def test_a_driver_that_fails_is_told_of(tmp_path: Path, program: str, told: str) -> None:
    driver = Driver([sys.executable, "-c", program], tmp_path / "log")
    try:
        with pytest.raises(DriverFailed, match=told):
            driver.send("connect", {"address": "x"}).result(30)
    finally:
        driver.end()


def test_a_driver_that_does_not_end_well_is_told_of(tmp_path: Path) -> None:
    driver = Driver([sys.executable, "-c", "import sys; sys.stdin.read(); sys.exit(3)"], tmp_path / "log")
    with pytest.raises(DriverFailed, match="status 3"):
        driver.close()
