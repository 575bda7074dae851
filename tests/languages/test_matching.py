"""The patterns of the scenario match what they say, and nothing else."""

import base64
from typing import Any

import pytest

from tests.languages.matching import Mismatch, check, matches


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


TIMESTAMP = "google.protobuf.Timestamp"
MOMENT = "2026-01-02T03:04:05.600Z"


@pytest.mark.parametrize(
    ("pattern", "value", "other"),
    [
        (1, 1, 2),
        (1, 1.0, "1"),
        (1, 1, True),
        (False, False, 0),
        (None, None, ""),
        ("a", "a", "A"),
        ({"a": 1}, {"a": 1, "b": 2}, {"b": 2}),
        ({"a": {"b": 1}}, {"a": {"b": 1}}, {"a": 1}),
        ([1, 2], [1, 2], [2, 1]),
        ([1, 2], [1, 2], [1, 2, 3]),
        ([], [], [1]),
        ({"a": {"$set": True}}, {"a": "x"}, {"a": ""}),
        ({"a": {"$set": True}}, {"a": 1}, {}),
        ({"a": {"$unset": True}}, {}, {"a": 1}),
        ({"a": {"$unset": True}}, {"a": "JOB_STATE_UNSPECIFIED"}, {"a": "JOB_STATE_QUEUED"}),
        ({"$unset": True}, False, True),
        ({"$unset": True}, [], [0]),
        ({"$type": "string"}, "", 1),
        ({"$type": "number"}, 1.5, True),
        ({"$type": "boolean"}, True, 1),
        ({"$type": "list"}, [], {}),
        ({"$type": "object"}, {}, []),
        ({"$type": "integer"}, "-12", "1.5"),
        ({"$type": "uuid"}, "01890000-0000-7000-8000-000000000000", "0189"),
        ({"$type": "timestamp"}, MOMENT, "2026-01-02 03:04:05"),
        ({"$regex": "a+"}, "aa", "aab"),
        ({"$contains": "b"}, "abc", "ac"),
        ({"$contains": {"a": 1}}, [{"a": 2}, {"a": 1}], [{"a": 2}]),
        ({"$has": [1, 2]}, [0, 1, 0, 2], [2, 1]),
        ({"$has": [1, 1]}, [1, 1], [1]),
        ({"$each": {"$above": 1}}, [2, 3], [2, 1]),
        ({"$length": 2}, [1, 2], [1]),
        ({"$length": {"$at_least": 2}}, "ab", "a"),
        ({"$in_any_order": [1, 2, 2]}, [2, 1, 2], [1, 1, 2]),
        ({"$any": [1, 2]}, 2, 3),
        ({"$all": [{"$above": 1}, {"$below": 3}]}, 2, 3),
        ({"$not": 1}, 2, 1),
        ({"$above": "9007199254740992"}, "9007199254740993", "9007199254740992"),
        ({"$below": "1.5s"}, "1.499s", "1.500s"),
        ({"$at_least": MOMENT}, MOMENT, "2026-01-02T03:04:05.599999Z"),
        ({"$at_most": 2}, "2", "3"),
        ({"$same": "1.5s"}, "1.500s", "1.501s"),
        ({"$same": MOMENT}, "2026-01-02T03:04:05.600000Z", "2026-01-02T03:04:05Z"),
        ({"$same": 1}, 1.0, "one"),
        ({"$at": "a.-1", "is": 2}, {"a": [1, 2]}, {"a": [2, 1]}),
        ({"$at": "*.id", "is": ["x", "y"]}, [{"id": "x"}, {"id": "y"}], [{"id": "x"}, {}]),
        ({"$increasing": "n"}, [{"n": "9"}, {"n": "10"}], [{"n": "9"}, {"n": "9"}]),
        ({"$unique": "n"}, [{"n": 1}, {"n": 2}], [{"n": 1}, {"n": 1}]),
        ({"$json": {"a": "é"}}, encoded(b'{"a":"\\u00e9", "b": 1}'), encoded(b"{")),
        ({"$json": None}, encoded(b"null"), encoded(b"0")),
        ({"$text": "é"}, encoded("é".encode()), encoded(b"\xff")),
        ({"$text": ""}, "", "no base64"),
        ({"$message": TIMESTAMP, "json": MOMENT}, "2026-01-02T03:04:05.6Z", "2026-01-02T03:04:05Z"),
        (
            {"$message": TIMESTAMP, "binary": True, "json": "1970-01-01T00:00:01Z"},
            encoded(b"\x08\x01"),
            encoded(b"\x08"),
        ),
    ],
)
def test_a_pattern_matches_one_and_not_the_other(pattern: Any, value: Any, other: Any) -> None:
    check(pattern, value)
    assert not matches(pattern, other)


def test_a_mismatch_names_the_place_and_both_sides() -> None:
    with pytest.raises(Mismatch, match=r'answer\.jobs\[1\]\.state: expected "QUEUED", got "RUNNING"'):
        check({"jobs": [{}, {"state": "QUEUED"}]}, {"jobs": [{}, {"state": "RUNNING"}]})
