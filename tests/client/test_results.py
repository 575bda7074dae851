"""What a handler gets of the jobs that its own depended on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest

import slotd

Encoded = tuple[str, bytes]


def context(load_results: Callable[[], Mapping[str, Encoded | None]]) -> slotd.JobContext:
    return slotd.JobContext(
        job_id="a",
        attempt=1,
        kind="echo",
        queue="default",
        labels={},
        deadline=None,
        announce=lambda: None,
        load_results=load_results,
    )


def test_results_are_decoded_as_payloads_are() -> None:
    found = {
        "cut": ("application/json", b'{"pieces": [1, 2]}'),
        "note": ("text/plain", "grün".encode()),
        "image": ("image/png", b"\x89PNG"),
        "failed": None,
    }
    results = context(lambda: found).results
    assert results == {"cut": {"pieces": [1, 2]}, "note": "grün", "image": b"\x89PNG", "failed": None}
    assert list(results) == list(found)
    assert len(results) == 4
    assert "cut" in results
    assert "sew" not in results
    assert results.get("sew", "nothing") == "nothing"
    assert repr(results) == "Results(['cut', 'note', 'image', 'failed'])"
    with pytest.raises(KeyError, match="sew"):
        results["sew"]


def test_they_are_loaded_once_and_only_when_they_are_looked_at() -> None:
    loads: list[str] = []

    def load() -> dict[str, Encoded | None]:
        loads.append(threading.current_thread().name)
        return {"cut": ("application/json", b"1")}

    ctx = context(load)
    results = ctx.results
    assert loads == []
    with ThreadPoolExecutor(4, "handler") as pool:
        assert list(pool.map(lambda _: ctx.results["cut"], range(50))) == [1] * 50
    assert results["cut"] == 1
    assert len(loads) == 1
    assert loads[0].startswith("handler")


def test_nobody_else_s_change_is_seen() -> None:
    results = context(lambda: {"cut": ("application/json", b"[1]")}).results
    with pytest.raises(TypeError):
        results["cut"] = 2  # type: ignore[index]
    assert results["cut"] is results["cut"]


def test_a_result_that_is_not_what_it_says_is_named_and_keeps_no_other_back() -> None:
    results = context(lambda: {"bad": ("application/json", b"{"), "good": ("application/json", b"1")}).results
    with pytest.raises(slotd.DecodeError, match=r"^the result of 'bad': not JSON"):
        results["bad"]
    assert results["good"] == 1


def test_a_job_without_dependencies_has_no_results() -> None:
    ctx = slotd.JobContext(
        job_id="a", attempt=1, kind="echo", queue="default", labels={}, deadline=None, announce=lambda: None
    )
    assert ctx.results == {}
