"""What a scenario says of an answer: a small language of patterns, themselves JSON.

A scalar is that scalar. An object matches one that has at least its keys, with values that match. A list matches one of
the same length whose elements match in order. An object whose only key begins with `$` is one of these:

| pattern | matches |
| --- | --- |
| `{"$set": true}` | what is there and is no default value |
| `{"$unset": true}` | what is not there, or has its type's default value: some languages write those, others don't |
| `{"$type": "uuid"}` | a string, number, boolean, list, object, integer (an int64's string too), uuid or timestamp |
| `{"$regex": "a+"}` | a string that matches as a whole |
| `{"$contains": pattern}` | a list with an element that matches; with a text also a string that has it |
| `{"$has": [patterns]}` | a list with an element for each of the patterns, in their order, and perhaps more between |
| `{"$each": pattern}` | a list of which every element matches |
| `{"$length": pattern}` | a list or string whose length matches |
| `{"$in_any_order": [patterns]}` | a list with exactly one element for each of the patterns |
| `{"$any": [patterns]}`, `{"$all": [patterns]}`, `{"$not": pattern}` | as they say |
| `{"$above": x}`, `{"$below": x}`, `{"$at_least": x}`, `{"$at_most": x}` | a number, int64, duration or timestamp |
| `{"$same": x}` | the same number, int64, duration or timestamp, however it is written |
| `{"$at": "path", "is": pattern}` | that part of it, found as references are, `*` included |
| `{"$increasing": "path"}` | a list whose elements' values at the path increase strictly |
| `{"$unique": "path"}` | a list whose elements' values at the path are all different |
| `{"$json": pattern}`, `{"$text": pattern}` | base64 of JSON, or of UTF-8 text, that matches |
| `{"$message": "full.Name", "json": …}` | JSON, or base64 of the binary form, that is the same message as `json` |
"""

import base64
import binascii
import json
import re
from collections.abc import Callable
from datetime import datetime
from itertools import pairwise
from typing import Any
from uuid import UUID

from google.protobuf import descriptor_pool, json_format, message_factory
from google.protobuf.message import DecodeError

from tests.languages.values import UnknownReference, pick

# The messages that patterns name have to be known; `slotd.v1` brings along all well-known types but these.
from google.protobuf import any_pb2, empty_pb2, struct_pb2, wrappers_pb2  # noqa: F401  # isort: skip
from slotd import v1  # noqa: F401  # isort: skip


class Mismatch(Exception):
    """An answer that is not as the scenario says. The message names the place and both sides."""


_MISSING = object()
_DEFAULTS: tuple[Any, ...] = (None, "", 0, "0", False, [], {}, "0s")


def check(pattern: Any, value: Any, where: str = "answer") -> None:
    """Raises Mismatch unless `value` matches `pattern`."""
    if isinstance(pattern, dict):
        operator = next(iter(pattern), "")
        if operator.startswith("$"):
            _OPERATORS[operator](pattern, value, where)
            return
        _require(isinstance(value, dict), where, pattern, value)
        for key, expected in pattern.items():
            check(expected, value.get(key, _MISSING), f"{where}.{key}")
    elif isinstance(pattern, list):
        _require(isinstance(value, list) and len(value) == len(pattern), where, pattern, value)
        for number, expected in enumerate(pattern):
            check(expected, value[number], f"{where}[{number}]")
    else:
        # A boolean is no number, and equals one in Python.
        alike = isinstance(pattern, bool) == isinstance(value, bool)
        _require(alike and pattern == value, where, pattern, value)


def matches(pattern: Any, value: Any) -> bool:
    """Whether `value` matches `pattern`."""
    try:
        check(pattern, value)
    except Mismatch:
        return False
    return True


def _require(holds: bool, where: str, pattern: Any, value: Any) -> None:
    if not holds:
        raise Mismatch(f"{where}: expected {_shown(pattern)}, got {_shown(value)}")


def _shown(value: Any) -> str:
    if value is _MISSING:
        return "nothing"
    text = json.dumps(value, ensure_ascii=False, default=repr)
    return text if len(text) <= 2_000 else f"{text[:1_000]} … {text[-900:]}"


def _is_unset(value: Any) -> bool:
    if value is _MISSING or (isinstance(value, str) and value.endswith("_UNSPECIFIED")):
        return True
    return any(value == default and type(value) is type(default) for default in _DEFAULTS)


def _set(pattern: Any, value: Any, where: str) -> None:
    _require(not _is_unset(value), where, pattern, value)


def _unset(pattern: Any, value: Any, where: str) -> None:
    _require(_is_unset(value), where, pattern, value)


def _type(pattern: Any, value: Any, where: str) -> None:
    _require(_TYPES[pattern["$type"]](value), where, pattern, value)


def _regex(pattern: Any, value: Any, where: str) -> None:
    _require(isinstance(value, str) and re.fullmatch(pattern["$regex"], value) is not None, where, pattern, value)


def _contains(pattern: Any, value: Any, where: str) -> None:
    wanted = pattern["$contains"]
    if isinstance(value, str):
        _require(isinstance(wanted, str) and wanted in value, where, pattern, value)
    else:
        _require(isinstance(value, list) and any(matches(wanted, each) for each in value), where, pattern, value)


def _has(pattern: Any, value: Any, where: str) -> None:
    _require(isinstance(value, list), where, pattern, value)
    left = iter(value)
    for wanted in pattern["$has"]:
        _require(any(matches(wanted, each) for each in left), where, pattern, value)


def _each(pattern: Any, value: Any, where: str) -> None:
    _require(isinstance(value, list), where, pattern, value)
    for number, each in enumerate(value):
        check(pattern["$each"], each, f"{where}[{number}]")


def _length(pattern: Any, value: Any, where: str) -> None:
    _require(isinstance(value, list | str), where, pattern, value)
    check(pattern["$length"], len(value), f"length of {where}")


def _in_any_order(pattern: Any, value: Any, where: str) -> None:
    wanted = pattern["$in_any_order"]
    _require(isinstance(value, list) and len(value) == len(wanted), where, pattern, value)
    left = list(value)
    for expected in wanted:
        found = next((each for each in left if matches(expected, each)), _MISSING)
        _require(found is not _MISSING, where, pattern, value)
        left.remove(found)


def _any(pattern: Any, value: Any, where: str) -> None:
    _require(any(matches(each, value) for each in pattern["$any"]), where, pattern, value)


def _all(pattern: Any, value: Any, where: str) -> None:
    for each in pattern["$all"]:
        check(each, value, where)


def _not(pattern: Any, value: Any, where: str) -> None:
    _require(not matches(pattern["$not"], value), where, pattern, value)


def _compared(compare: Callable[[float, float], bool]) -> Callable[[Any, Any, str], None]:
    def operator(pattern: Any, value: Any, where: str) -> None:
        (bound,) = pattern.values()
        try:
            holds = compare(_number(value), _number(bound))
        except ValueError:
            holds = False
        _require(holds, where, pattern, value)

    return operator


def _number(value: Any) -> float:
    """A number, an int64, the seconds of a duration, those of a timestamp since the epoch. Raises ValueError."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no number")
    if re.fullmatch(r"-?\d+", value):
        return int(value)
    if re.fullmatch(r"-?\d+(\.\d+)?s", value):
        return float(value[:-1])
    # Fractions finer than a microsecond are cut: Python's clock has none.
    return datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", value)).timestamp()


def _at(pattern: Any, value: Any, where: str) -> None:
    path = pattern["$at"]
    try:
        found = pick(value, path)
    except UnknownReference as error:
        raise Mismatch(f"{where}: {error}") from error
    check(pattern["is"], found, f"{where}.{path}")


def _increasing(pattern: Any, value: Any, where: str) -> None:
    found = _plucked(pattern["$increasing"], value, where)
    for number, (one, next_one) in enumerate(pairwise(found)):
        _require(_number(one) < _number(next_one), f"{where}[{number + 1}]", pattern, [one, next_one])


def _unique(pattern: Any, value: Any, where: str) -> None:
    found = _plucked(pattern["$unique"], value, where)
    twice = {each for each in found if found.count(each) > 1} if len(set(found)) < len(found) else set()
    _require(not twice, where, pattern, sorted(twice))


def _plucked(path: str, value: Any, where: str) -> list[Any]:
    try:
        found = pick(value, f"*.{path}" if path else "*")
    except UnknownReference as error:
        raise Mismatch(f"{where}: {error}") from error
    assert isinstance(found, list)
    return found


def _json(pattern: Any, value: Any, where: str) -> None:
    try:
        decoded = json.loads(_decoded(value, where))
    except ValueError as error:
        raise Mismatch(f"{where}: not JSON: {_shown(value)}") from error
    check(pattern["$json"], decoded, f"{where} as JSON")


def _text(pattern: Any, value: Any, where: str) -> None:
    try:
        decoded = _decoded(value, where).decode()
    except UnicodeDecodeError as error:
        raise Mismatch(f"{where}: not UTF-8: {_shown(value)}") from error
    check(pattern["$text"], decoded, f"{where} as text")


def _decoded(value: Any, where: str) -> bytes:
    try:
        return base64.b64decode("" if value is _MISSING else value, validate=True)
    except (TypeError, binascii.Error) as error:
        raise Mismatch(f"{where}: not base64: {_shown(value)}") from error


def _message(pattern: Any, value: Any, where: str) -> None:
    kind = message_factory.GetMessageClass(descriptor_pool.Default().FindMessageTypeByName(pattern["$message"]))
    wanted = json_format.ParseDict(pattern["json"], kind())
    # The binary form is asked for by name, for a string may be some messages' JSON too.
    try:
        if pattern.get("binary"):
            found = kind.FromString(_decoded(value, where))
        else:
            found = json_format.Parse(json.dumps(None if value is _MISSING else value), kind())
    except (json_format.ParseError, DecodeError) as error:
        raise Mismatch(f"{where}: no {pattern['$message']}: {error}") from error
    _require(found == wanted, where, pattern, value)


_OPERATORS: dict[str, Callable[[Any, Any, str], None]] = {
    "$set": _set,
    "$unset": _unset,
    "$type": _type,
    "$regex": _regex,
    "$contains": _contains,
    "$has": _has,
    "$each": _each,
    "$length": _length,
    "$in_any_order": _in_any_order,
    "$any": _any,
    "$all": _all,
    "$not": _not,
    "$above": _compared(lambda value, bound: value > bound),
    "$below": _compared(lambda value, bound: value < bound),
    "$at_least": _compared(lambda value, bound: value >= bound),
    "$at_most": _compared(lambda value, bound: value <= bound),
    "$same": _compared(lambda value, bound: value == bound),
    "$at": _at,
    "$increasing": _increasing,
    "$unique": _unique,
    "$json": _json,
    "$text": _text,
    "$message": _message,
}


def _is_uuid(value: Any) -> bool:
    try:
        return isinstance(value, str) and str(UUID(value)) == value
    except ValueError:
        return False


def _is_timestamp(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z", value) is not None


_TYPES: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "list": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
    "integer": lambda value: re.fullmatch(r"-?\d+", str(value)) is not None,
    "uuid": _is_uuid,
    "timestamp": _is_timestamp,
}
