"""What the tests of the examples share: contexts to call a handler with, and a registry of handlers of their own."""

import sys
from collections.abc import Callable
from functools import partial

import pytest

from slotd import JobContext, handlers

# The registry is one for the process, and other tests have kinds of the same names: the examples get one of their own,
# here, before any module of tests imports them.
with pytest.MonkeyPatch.context() as _aside:
    _aside.setattr(handlers, "_registered", {})
    import examples.handlers  # noqa: F401

Make = Callable[..., JobContext]


@pytest.fixture
def make() -> Make:
    return partial(
        JobContext,
        job_id="job",
        attempt=1,
        kind="kind",
        queue="default",
        labels={},
        deadline=None,
        announce=lambda: None,
    )


@pytest.fixture
def ctx(make: Make) -> JobContext:
    return make()


@pytest.fixture
def cancelled_midway(make: Make) -> JobContext:
    """Cancelled as soon as the handler has said anything at all."""
    context: JobContext = make(announce=lambda: context.cancel())
    return context


@pytest.fixture
def fresh_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """No handler is registered, and what a test registers or finds on its path is gone after it."""
    monkeypatch.setattr(handlers, "_registered", {})
    monkeypatch.setattr(sys, "path", [*sys.path])
