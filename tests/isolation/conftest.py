"""Children to put work to."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from slotd.handlers import load, registered
from slotd.isolation.children import Children
from tests.isolation.running import Bench

MODULE = "tests.isolation.handlers"

MakeChildren = Callable[..., Bench]


@pytest.fixture
def children() -> Iterator[MakeChildren]:
    """Makes benches with children of these modules."""
    load(MODULE)
    with ExitStack() as stack:

        def make(*modules: str, **options: Any) -> Bench:
            children = Children(modules or (MODULE,), registered(), **options)
            stack.callback(children.close)
            return Bench(children)

        yield make


@pytest.fixture
def bench(children: MakeChildren) -> Bench:
    return children()
