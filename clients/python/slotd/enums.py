"""Enum values by name, so that nobody has to import the stubs to say `running`."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from google.protobuf.internal.enum_type_wrapper import _EnumTypeWrapper

V = TypeVar("V", bound=int)


def enum_value(enum: _EnumTypeWrapper[V], prefix: str, what: str, value: V | str) -> V:
    """A value of a protobuf enum: itself, or by its name, with or without the prefix that all names have, in any case.

    Raises ValueError for a name that there is not; `what` says there what kind of thing it is.
    """
    if not isinstance(value, str):
        return value
    try:
        return enum.Value(prefix + value.upper().removeprefix(prefix))
    except ValueError:
        known = ", ".join(name.removeprefix(prefix) for name in enum.keys()[1:])
        raise ValueError(f"no such {what}: {value!r}; there are {known}") from None
