"""The values of a scenario: references to what came before, and what is too long or too fresh to be written down.

`${name.path.to.it}` is a part of an answer that was kept under `name`. A step of the path is a key, an index (from the
end where it is negative), `#` (the index that `${i}` has), or `*` for each element of a list. A string that is one
reference stands for the value itself, of whatever type; in a longer one the value is put in as text.

An object whose first key begins with `%` is made:

| object | is |
| --- | --- |
| `{"%do": [steps]}` | the payload of a job that does these steps, as `script` says |
| `{"%json": value}` | the value as JSON, in base64: `data` of a payload |
| `{"%base64": "text"}` | the text in UTF-8, in base64 |
| `{"%bytes": n}` | n bytes, no two neighbours alike, in base64 |
| `{"%text": "é", "times": n}` | the text n times |
| `{"%list": n, "of": value}` | n values, in each of which `${i}` counts from 0 |
| `{"%joined": [lists]}` | one list of several |
| `{"%reversed": list}` | the list from its end |
| `{"%after": seconds}` | a timestamp so far from now |
"""

import base64
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

_REFERENCE = re.compile(r"\$\{([^}]+)\}")


class UnknownReference(Exception):
    """A reference to what there is not: the scenario is wrong, or an answer lacks a field that the next call needs."""


def pick(value: Any, path: str) -> Any:
    """The part of `value` to which `path` leads. Raises UnknownReference."""
    if not path:
        return value
    first, _, rest = path.partition(".")
    if first == "*" and isinstance(value, list):
        return [pick(each, rest) for each in value]
    try:
        return pick(value[int(first)] if isinstance(value, list) else value[first], rest)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise UnknownReference(f"there is no {first!r} in {_short(value)}") from error


def expand(value: Any, known: Mapping[str, Any]) -> Any:
    """`value` with all references replaced by what is `known`, and all made values made. Raises UnknownReference."""
    if isinstance(value, str):
        return _refer(value, known)
    if isinstance(value, list):
        return [expand(each, known) for each in value]
    if isinstance(value, dict):
        name = next(iter(value), "")
        if name.startswith("%"):
            return _make(name, value, known)
        return {_text(_refer(key, known)): expand(each, known) for key, each in value.items()}
    return value


def _refer(text: str, known: Mapping[str, Any]) -> Any:
    if whole := _REFERENCE.fullmatch(text):
        return _known(whole[1], known)
    return _REFERENCE.sub(lambda found: _text(_known(found[1], known)), text)


def _known(path: str, known: Mapping[str, Any]) -> Any:
    return pick(known, path.replace("#", str(known.get("i", "#"))))


def _make(name: str, value: dict[str, Any], known: Mapping[str, Any]) -> Any:
    if name == "%list":
        return [expand(value["of"], {**known, "i": number}) for number in range(expand(value[name], known))]
    argument = expand(value[name], known)
    match name:
        case "%do":
            return {"contentType": "application/json", "data": _json_base64({"do": argument})}
        case "%json":
            return _json_base64(argument)
        case "%base64":
            return _base64(argument.encode())
        case "%bytes":
            return _base64((bytes(range(251)) * (argument // 251 + 1))[:argument])
        case "%text":
            return argument * value["times"]
        case "%joined":
            return [each for part in argument for each in part]
        case "%reversed":
            return argument[::-1]
        case "%after":
            moment = datetime.now(UTC) + timedelta(seconds=argument)
            return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        case _:
            raise UnknownReference(f"nothing is made by {name}")


def _json_base64(value: Any) -> str:
    return _base64(json.dumps(value, ensure_ascii=False).encode())


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 200 else f"{text[:200]}…"
