"""For tests of what uses slotd: a service in the test's own process, whose clock the test sets, and what to ask of it.

`run_inline` calls one handler with no service at all. All else takes `pip install 'slotd[testing]'`, which brings the
service and pytest; pytest then has the fixtures of `slotd.testing.plugin` by itself. See docs/testing.md.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from slotd.testing.clock import Clock
    from slotd.testing.events import RecordedEvents
    from slotd.testing.inline import AttemptFailed, InlineRun, Progress, run_inline
    from slotd.testing.service import Service
    from slotd.testing.submitted import assert_not_submitted, assert_submitted

__all__ = [
    "AttemptFailed",
    "Clock",
    "InlineRun",
    "Progress",
    "RecordedEvents",
    "Service",
    "assert_not_submitted",
    "assert_submitted",
    "run_inline",
]

_ROOM_OF = {
    "AttemptFailed": "inline",
    "Clock": "clock",
    "InlineRun": "inline",
    "Progress": "inline",
    "RecordedEvents": "events",
    "Service": "service",
    "assert_not_submitted": "submitted",
    "assert_submitted": "submitted",
    "run_inline": "inline",
}

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        # pytest imports this package wherever slotd is installed, and whoever calls handlers inline needs no service.
        if name not in _ROOM_OF:
            raise AttributeError(f"module 'slotd.testing' has no attribute {name!r}")
        value = getattr(import_module(f"slotd.testing.{_ROOM_OF[name]}"), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
