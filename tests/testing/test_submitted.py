"""What was submitted is found, and where it is not, the failure says what there was instead."""

import re
from collections.abc import Callable
from typing import Any
from unittest.mock import ANY

import pytest

from slotd.testing import Service, assert_not_submitted, assert_submitted

pytestmark = pytest.mark.slotd(slots=0)


@pytest.fixture(autouse=True)
def submitted(slotd_service: Service) -> None:
    client = slotd_service.client
    client.submit("echo", {"to": "ann", "n": 1}, labels={"tenant": "a", "day": "1"})
    client.submit("echo", {"to": "bob", "n": 2}, queue="mail", labels={"tenant": "b"})
    client.submit("where")


def payloads(service: Service, **wanted: Any) -> list[str]:
    found = []
    for job in assert_submitted(service, "echo", **wanted):
        match = re.search(rb'"to":"(\w+)"', job.spec.payload.data)
        assert match is not None
        found.append(match[1].decode())
    return found


def test_those_that_match_are_returned_the_oldest_first(slotd_service: Service) -> None:
    assert payloads(slotd_service) == ["ann", "bob"]
    assert payloads(slotd_service, count=2) == ["ann", "bob"]
    assert payloads(slotd_service, payload={"to": "bob", "n": 2}) == ["bob"]
    assert payloads(slotd_service, payload={"to": ANY, "n": 1}) == ["ann"]
    assert payloads(slotd_service, payload=lambda payload: payload["n"] > 1) == ["bob"]
    assert payloads(slotd_service, queue="default") == ["ann"]
    assert payloads(slotd_service, labels={"tenant": "a"}) == ["ann"]
    assert len(assert_submitted(slotd_service.client, "where", payload=None)) == 1


@pytest.mark.parametrize(
    ("wanted", "heading"),
    [
        ({"payload": 3}, "no job like echo(3) submitted; there were:"),
        (
            {"queue": "post", "labels": {"a": "b"}},
            "no job like echo(anything) in post {'a': 'b'} submitted; there were:",
        ),
        ({"count": 1}, "2 jobs like echo(anything) submitted, not 1; there were:"),
        ({"labels": {"tenant": "a"}, "count": 2}, "1 job like echo(anything) {'tenant': 'a'} submitted, not 2; there"),
    ],
)
def test_a_failure_says_what_there_was(slotd_service: Service, wanted: dict[str, Any], heading: str) -> None:
    with pytest.raises(AssertionError) as caught:
        assert_submitted(slotd_service, "echo", **wanted)
    told = str(caught.value).splitlines()
    assert told[0].startswith(heading)
    assert sorted(told[1:]) == sorted(
        [
            "  echo({'to': 'ann', 'n': 1}) in default {'day': '1', 'tenant': 'a'}, QUEUED",
            "  echo({'to': 'bob', 'n': 2}) in mail {'tenant': 'b'}, QUEUED",
            "  where(None) in default, QUEUED",
        ]
    )


def test_what_was_not_submitted_may_not_be_there(slotd_service: Service) -> None:
    assert_not_submitted(slotd_service, "echo", payload={"to": "eve"})
    with pytest.raises(AssertionError, match=r"1 job like echo\(anything\) in mail submitted, not 0"):
        assert_not_submitted(slotd_service, "echo", queue="mail")


def test_the_failure_points_at_the_test(slotd_service: Service) -> None:
    checks: list[Callable[..., object]] = [assert_submitted, assert_not_submitted]
    for check in checks:
        with pytest.raises(AssertionError) as caught:
            check(slotd_service, "echo" if check is assert_not_submitted else "nothing")
        assert str(caught.traceback.filter(caught)[-1].path) == __file__
