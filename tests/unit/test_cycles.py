"""Jobs of one batch that would wait for each other for ever, through their refs and through groups that they are in."""

from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slotd_server.domain import commands as ask
from slotd_server.domain.errors import InvalidArgument
from slotd_server.domain.queue import Draft
from slotd_server.domain.ties import Dependency, Ties
from tests.unit.driver import Driver, draft

GROUPS = ("g1", "g2", "g3", "other", "elsewhere")
"""Those that have jobs already."""


def named(ref: str, *awaited: str, group: str = "") -> Draft:
    """A job of a batch that waits for others, by their refs, or for groups, as `groups/NAME`."""
    depends_on = [
        Dependency(group=name.removeprefix("groups/")) if name.startswith("groups/") else Dependency(ref=name)
        for name in awaited
    ]
    return draft(ref=ref, group=group, depends_on=depends_on)


def submit(drafts: list[Draft]) -> None:
    driver = Driver(0)
    try:
        driver.apply(*[ask.Submit((draft(group=name),)) for name in GROUPS])
        before = driver.revision
        try:
            driver.answer(ask.Submit(tuple(drafts), batch=True))
        except InvalidArgument:
            assert driver.revision == before
            raise
    finally:
        driver.close()


CYCLES: list[tuple[list[Draft], str, str]] = [
    ([named("a", "a")], "requests[0].spec.depends_on[0].ref", "a → a"),
    ([named("a", "b"), named("b", "a")], "requests[0].spec.depends_on[0].ref", "a → b → a"),
    (
        [named("x"), named("c", "x", "a"), named("a", "b"), named("b", "x", "c")],
        "requests[1].spec.depends_on[1].ref",
        "c → a → b → c",
    ),
    ([named("a", "groups/g", group="g")], "requests[0].spec.depends_on[0].group", "a → groups/g → a"),
    (
        [named("a", "groups/other", "groups/g"), named("", "a", group="g")],
        "requests[0].spec.depends_on[1].group",
        "a → groups/g → requests[1] → a",
    ),
    (
        [named("", "groups/h", group="g"), named("", "groups/g", group="h")],
        "requests[0].spec.depends_on[0].group",
        "requests[0] → groups/h → requests[1] → groups/g → requests[0]",
    ),
]


@pytest.mark.parametrize(("requests", "field", "path"), CYCLES, ids=[path for *_, path in CYCLES])
def test_jobs_that_would_wait_for_each_other_are_refused(requests: list[Draft], field: str, path: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        submit(requests)
    assert refused.value.reason == "DEPENDENCY_CYCLE"
    assert refused.value.violations == ((field, f"closes a cycle: {path}"),)


@pytest.mark.parametrize(
    "requests",
    [
        [named("d", "b", "c"), named("b", "a"), named("c", "a"), named("a")],
        [named("a", group="g"), named("b", "a", group="g"), named("", "groups/g", "a")],
        [named("a", "groups/elsewhere", group="g"), named("", "groups/g", group="h")],
    ],
    ids=["a diamond", "a callback", "groups in a row"],
)
def test_jobs_that_wait_without_a_cycle_are_taken(requests: list[Draft]) -> None:
    submit(requests)


@pytest.mark.parametrize("backwards", [False, True])
def test_a_chain_may_be_as_long_as_a_batch(backwards: bool) -> None:
    chain = [named(f"n{number}", f"n{number + 1}") for number in range(999)]
    requests = [*chain, named("n999")]
    submit(requests[::-1] if backwards else requests)
    requests = [*chain, named("n999", "n0")]
    with pytest.raises(InvalidArgument) as refused:
        submit(requests[::-1] if backwards else requests)
    ((_, wrong),) = refused.value.violations
    path = wrong.removeprefix("closes a cycle: ").split(" → ")
    # Told from the first request on, without its middle.
    assert (path[0], path[-1], len(path)) == ("n999" if backwards else "n0",) * 2 + (17,)
    assert path[8] == "(985 more)"


@given(st.lists(st.tuples(st.integers(0, 3), st.sets(st.integers(0, 12), max_size=3)), min_size=1, max_size=9))
def test_what_can_be_ordered_is_taken(shape: list[tuple[int, set[int]]]) -> None:
    """Each request is in a group, or in none for 0, and waits for requests by number, or for groups beyond those."""
    names = [*(f"r{number}" for number in range(len(shape))), *(f"groups/g{number}" for number in range(1, 4))]
    requests = [
        named(f"r{number}", *(names[one] for one in awaited if one < len(names)), group=f"g{group}" if group else "")
        for number, (group, awaited) in enumerate(shape)
    ]
    awaited_by: dict[str, list[str]] = {}
    for one in requests:
        ties = one.ties or Ties()
        awaited_by[one.ref] = [other.ref or other.target for other in ties.depends_on]
        if ties.group:
            awaited_by.setdefault(f"groups/{ties.group}", []).append(one.ref)
    try:
        TopologicalSorter(awaited_by).prepare()
    except CycleError:
        with pytest.raises(InvalidArgument) as refused:
            submit(requests)
        assert refused.value.reason == "DEPENDENCY_CYCLE"
        ((_, wrong),) = refused.value.violations
        path = wrong.removeprefix("closes a cycle: ").split(" → ")
        assert path[0] == path[-1]
        assert all(later in awaited_by[earlier] for earlier, later in pairwise(path))
    else:
        submit(requests)
