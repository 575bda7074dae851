"""Functions at which a process dies or stands still when it passes them for the N-th time, wrapped from outside."""

import itertools
import os
import signal
from collections.abc import Callable
from typing import Any, TypeAlias

Passage: TypeAlias = "itertools.count[int]"
Act: TypeAlias = Callable[[], None]
Counts: TypeAlias = Callable[[tuple[Any, ...], Any], object]
"""Of the arguments of a call, and of its answer where it is over: whether it counts as a passage."""


def deadly(
    call: Callable[..., Any],
    passage: Passage,
    last: int,
    behind: bool,
    act: Act,
    counts: Counts = lambda arguments, answer: True,
) -> Callable[..., Any]:
    """The same function, but for `act` before its `last` passage, or `behind` it."""

    def wrapped(*arguments: Any, **named: Any) -> Any:
        if not behind and counts(arguments, None) and next(passage) == last:
            act()
        answer = call(*arguments, **named)
        if behind and counts(arguments, answer) and next(passage) == last:
            act()
        return answer

    return wrapped


def die() -> None:
    """As by kill -9."""
    os.kill(os.getpid(), signal.SIGKILL)


def stop() -> None:
    """As by SIGSTOP."""
    os.kill(os.getpid(), signal.SIGSTOP)
