"""What single values must look like.

A rule looks at a value and answers (path, what is wrong) pairs, with the path as seen from the value; mostly there are
none, and then no path is ever put together. Fields that are not set are not looked at: only `required` asks for them.
"""

import math
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import lru_cache
from operator import attrgetter
from types import MappingProxyType
from typing import Any, TypeAlias

from google.protobuf.descriptor import EnumDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

Violations: TypeAlias = Sequence[tuple[str, str]]
Rule: TypeAlias = Callable[[Any], Violations]

FINE: Violations = ()

LONGEST = 100 * 366 * 86_400
"""Seconds that a duration may have at most: about a century."""

MOST_VIOLATIONS = 100
"""Nobody reads more."""


def _wrong(what: str) -> Violations:
    return (("", what),)


class Fields:
    """The rule of a message: one for each of its fields, None where anything will do. Those in `required` must be set,
    and one of those in `either`, not more; a scalar without presence is set when it is not zero or empty. A key of
    `beside` makes sense beside its value alone."""

    def __init__(
        self,
        kind: type[Message],
        rules: Mapping[str, Rule | None],
        required: Collection[str] = (),
        either: Collection[str] = (),
        beside: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        fields = kind.DESCRIPTOR.fields_by_name
        assert set(rules) == set(fields), f"{kind.DESCRIPTOR.full_name}: {set(rules) ^ set(fields)}"
        self.kind = kind
        self._rules: dict[Any, Rule] = {fields[name]: rule for name, rule in rules.items() if rule}
        self._required = frozenset(fields[name] for name in required)
        self._either = frozenset(fields[name] for name in either)
        self._beside = {fields[name]: fields[other] for name, other in beside.items()}

    def __call__(self, message: Message) -> Violations:
        given = message.ListFields()
        found: list[tuple[str, str]] = []
        rule_of = self._rules.get
        for field, value in given:
            rule = rule_of(field)
            if rule is not None and (wrong := rule(value)):
                found += _below(field.name, wrong)
        if self._required and (missing := self._required.difference(dict(given))):
            found += [(field.name, "is required") for field in sorted(missing, key=attrgetter("number"))]
        if self._either and len(chosen := self._either.intersection(dict(given))) != 1:
            names = ", ".join(sorted(field.name for field in self._either))
            found.append(("", f"must have exactly one of {names}; has {len(chosen)}"))
        if self._beside and not self._beside.keys().isdisjoint(present := dict(given)):
            found += [
                (field.name, f"makes sense beside {other.name} alone")
                for field, other in self._beside.items()
                if field in present and other not in present
            ]
        return found


def _below(name: str, violations: Violations) -> Violations:
    """The violations of a part, as seen from the whole."""
    return [(f"{name}.{path}" if path and path[0] != "[" else name + path, wrong) for path, wrong in violations]


def each(rule: Rule, most: int) -> Rule:
    """At most `most` values, each of which keeps to `rule`."""

    def check(values: Sequence[Any]) -> Violations:
        if len(values) > most:
            return _wrong(f"has {len(values)} values; at most {most} are allowed")
        found: list[tuple[str, str]] = []
        for number, value in enumerate(values):
            if wrong := rule(value):
                found += _below(f"[{number}]", wrong)
                if len(found) >= MOST_VIOLATIONS:
                    break
        return found

    return check


def first(*rules: Rule) -> Rule:
    """What the first of `rules` finds that finds anything."""

    def check(value: Any) -> Violations:
        return next((wrong for rule in rules if (wrong := rule(value))), FINE)

    return check


def every(*rules: Rule) -> Rule:
    """What all of `rules` find."""

    def check(value: Any) -> Violations:
        return [one for rule in rules for one in rule(value)]

    return check


def unlike(what: str, of: Callable[[Any], object]) -> Rule:
    """Values that differ in `what`, which is `of` each of them."""

    def check(values: Sequence[Any]) -> Violations:
        seen: dict[object, int] = {}
        found = []
        for number, value in enumerate(values):
            earlier = seen.setdefault(of(value), number)
            if earlier != number:
                found.append((f"[{number}]", f"has the {what} of [{earlier}] too"))
        return found

    return check


def form(pattern: str, what: str) -> Rule:
    """A text that is all of `pattern`."""
    matches = re.compile(pattern).fullmatch

    def check(value: str) -> Violations:
        return FINE if matches(value) else _wrong(what)

    return check


def between(low: float, high: float) -> Rule:
    """A number from `low` to `high`, both included; not NaN."""

    def check(value: float) -> Violations:
        return FINE if low <= value <= high else _wrong(f"is {value:g}; must be from {low:,g} to {high:,g}")

    return check


def at_least(low: int) -> Rule:
    """A whole number from `low` on."""

    def check(value: int) -> Violations:
        return FINE if value >= low else _wrong(f"is {value}; must be {low} or more")

    return check


def at_most_bytes(most: int) -> Rule:
    """Bytes, not more than so many."""

    def check(value: bytes) -> Violations:
        return FINE if len(value) <= most else _wrong(f"has {len(value)} bytes; at most {most:,} are allowed")

    return check


def one_of(enum: EnumDescriptor) -> Rule:
    """A value that the enum has. A later version's would silently mean its default."""
    known = frozenset(enum.values_by_number)

    def check(value: int) -> Violations:
        return FINE if value in known else _wrong(f"is {value}, which is no {enum.full_name}")

    return check


def multiplier(value: float) -> Violations:
    """1 or more."""
    return FINE if value >= 1 and math.isfinite(value) else _wrong(f"is {value:g}; must be 1 or more, and finite")


def duration(value: Duration) -> Violations:
    """From 0 up."""
    seconds, nanos = value.seconds, value.nanos
    if abs(nanos) > 999_999_999 or (seconds > 0 > nanos) or (seconds < 0 < nanos):
        return _wrong("is not a valid google.protobuf.Duration")
    if seconds < 0 or nanos < 0:
        return _wrong("must not be negative")
    if seconds > LONGEST:
        return _wrong(f"is {seconds} seconds; at most {LONGEST} (a century) are allowed")
    return FINE


def positive_duration(value: Duration) -> Violations:
    """From a microsecond up."""
    if wrong := duration(value):
        return wrong
    return FINE if value.seconds or value.nanos >= 1000 else _wrong("must be a microsecond or more")


def lasting(low: int, high: int) -> Rule:
    """A duration of `low` to `high` seconds, both included."""

    def check(value: Duration) -> Violations:
        if wrong := duration(value):
            return wrong
        fine = value.seconds >= low and (value.seconds, value.nanos) <= (high, 0)
        return FINE if fine else _wrong(f"must be from {low:,} to {high:,} seconds")

    return check


def timestamp(value: Timestamp) -> Violations:
    """Of the years 1 to 9999, as protobuf has it."""
    fine = -62_135_596_800 <= value.seconds <= 253_402_300_799 and 0 <= value.nanos <= 999_999_999
    return FINE if fine else _wrong("is not a valid google.protobuf.Timestamp")


def request_id(value: str) -> Violations:
    """Up to 128 printable characters, the space among them."""
    return FINE if len(value) <= 128 and value.isprintable() else _wrong("must be up to 128 printable characters")


def labels(value: Mapping[str, str]) -> Violations:
    """At most 64 pairs of short texts."""
    if len(value) > 64:
        return _wrong(f"has {len(value)} pairs; at most 64 are allowed")
    found = []
    for key, text in value.items():
        # The one character that not every store can keep in a text.
        if not 0 < len(key) <= 63 or "\0" in key:
            found.append((f"[{_shown(key)}]", "must have a key of 1 to 63 characters, none of them NUL"))
        if len(text) > 255 or "\0" in text:
            found.append((f"[{_shown(key)}]", "must have a value of up to 255 characters, none of them NUL"))
    return found


def short_text(value: str) -> Violations:
    """Up to 255 characters."""
    fine = len(value) <= 255 and "\0" not in value
    return FINE if fine else _wrong("must be up to 255 characters, none of them NUL")


def text_of(*choices: str) -> Rule:
    """One of `choices`; spaces do not count."""

    def check(value: str) -> Violations:
        return (
            FINE
            if len(value) <= 64 and spaced(value) in choices
            else _wrong(f"must be {' or '.join(repr(one) for one in choices)}")
        )

    return check


def spaced(value: str) -> str:
    """The text with single spaces between its words and none around them."""
    return " ".join(value.split())


def absent(why: str) -> Rule:
    """A field that must not be set."""

    def check(_: Any) -> Violations:
        return _wrong(why)

    return check


def paths(*choices: str, least: int = 0) -> Rule:
    """A FieldMask of these alone, with at least so many paths."""

    known = each(lambda path: FINE if path in choices else _wrong(f"must be one of {', '.join(choices)}"), 100)

    def check(value: FieldMask) -> Violations:
        if len(value.paths) < least:
            return (("paths", f"must name at least {least} of {', '.join(choices)}"),)
        return _below("paths", known(value.paths))

    return check


def _shown(text: str) -> str:
    """A piece of the caller's own, short enough for a path."""
    return repr(text if len(text) <= 63 else text[:60] + "…")


_TOKEN = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"
_MEDIA_TYPE = re.compile(rf"{_TOKEN}/{_TOKEN}(?:[ \t]*;[ \t]*{_TOKEN}=(?:{_TOKEN}|\"[^\"\\\x00-\x1f\x7f]*\"))*")


@lru_cache(maxsize=256)
def _is_media_type(value: str) -> bool:
    return len(value) <= 255 and _MEDIA_TYPE.fullmatch(value) is not None


def media_type(value: str) -> Violations:
    """As of RFC 9110, without escapes in quoted parameters."""
    # Long ones are not worth remembering.
    fine = len(value) <= 255 and _is_media_type(value)
    return FINE if fine else _wrong("must be a media type of up to 255 characters, as application/json")


_NAME = r"[A-Za-z0-9][A-Za-z0-9._/-]{0,127}"
_NAME_FORM = "1 to 128 of letters, digits, '.', '_', '-' and '/', a letter or digit first"
name = form(_NAME, f"must be {_NAME_FORM}")
reason = form(r"[A-Z][A-Z0-9_]{0,62}", "must be UPPER_SNAKE, 63 characters at most")
resource = form(rf"\*|{_NAME}(/\*)?", f"must be '*', or {_NAME_FORM}, which may end in '/*'")
job_id = form(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    "must be a UUID, as 01890a5d-ac96-774b-bcce-b302099a8057",
)
