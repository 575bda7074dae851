"""References and made values."""

import base64
import json
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest

from tests.languages.values import UnknownReference, expand

KNOWN = {"job": {"id": "x", "attempts": [{"number": 1}, {"number": 2}]}, "i": 1}


@pytest.mark.parametrize(
    ("value", "expanded"),
    [
        ("plain", "plain"),
        ("${job.id}", "x"),
        ("jobs/${job.id}!", "jobs/x!"),
        ("${job.attempts.-1.number}", 2),
        ("n${job.attempts.0.number}", "n1"),
        ("${job.attempts.*.number}", [1, 2]),
        ("${job.attempts.#.number}", 2),
        ({"${job.id}": ["${i}"]}, {"x": [1]}),
        ({"%list": 2, "of": {"n": "${i}"}}, [{"n": 0}, {"n": 1}]),
        ({"%text": "é", "times": 3}, "ééé"),
        ({"%joined": [[1], "${job.attempts.*.number}"]}, [1, 1, 2]),
        ({"%reversed": [1, 2]}, [2, 1]),
        ({"%base64": "é"}, base64.b64encode("é".encode()).decode()),
    ],
)
def test_a_value_is_expanded(value: Any, expanded: Any) -> None:
    assert expand(value, KNOWN) == expanded


def test_payloads_are_made() -> None:
    made = expand({"%do": [{"result": "${job.id}"}]}, KNOWN)
    assert made["contentType"] == "application/json"
    assert json.loads(base64.b64decode(made["data"])) == {"do": [{"result": "x"}]}
    data = base64.b64decode(expand({"%bytes": 1000}, KNOWN))
    assert len(data) == 1000
    assert all(one != other for one, other in pairwise(data))
    later = datetime.fromisoformat(expand({"%after": 3600}, KNOWN)) - datetime.now(UTC)
    assert 3500 < later.total_seconds() <= 3600


@pytest.mark.parametrize("value", ["${nobody}", "${job.name}", "${job.attempts.7}", {"%magic": 1}])
def test_what_is_not_there_is_an_error(value: Any) -> None:
    with pytest.raises(UnknownReference):
        expand(value, KNOWN)
