"""Which claims conflict, and what a dependency is called."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slotd_server.domain.ties import UNLINKED, Claim, Dependency, Line, Links, above

NAMES = st.lists(st.sampled_from(["a", "b", "ab"]), min_size=1, max_size=3).map("/".join)
CLAIMED = st.one_of(NAMES, NAMES.map(lambda name: f"{name}/*"), st.just("*"))
CLAIMS = st.builds(Claim, CLAIMED, st.booleans())


def covers(wide: str, name: str) -> bool:
    """As the contract says it: a final `/*` claims all below the name, `*` alone everything."""
    return wide in ("*", name) or (wide.endswith("/*") and name.startswith(wide[:-1]))


@given(CLAIMS, CLAIMS)
def test_they_conflict_where_one_covers_the_other_and_one_is_exclusive(one: Claim, other: Claim) -> None:
    overlap = covers(one.name, other.name) or covers(other.name, one.name)
    assert one.conflicts(other) == (overlap and (one.exclusive or other.exclusive))


@given(CLAIMS, CLAIMS)
def test_conflicts_are_symmetric(one: Claim, other: Claim) -> None:
    assert one.conflicts(other) == other.conflicts(one)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a", ("*",)),
        ("a/b", ("a/*", "*")),
        ("a/b/c", ("a/b/*", "a/*", "*")),
        ("a/*", ("*",)),
        ("a/b/*", ("a/*", "*")),
        ("*", ()),
    ],
)
def test_what_is_above_a_name(name: str, expected: tuple[str, ...]) -> None:
    assert above(name) == expected


@given(CLAIMED)
def test_what_is_above_covers_it(name: str) -> None:
    assert all(covers(wide, name) and wide != name for wide in above(name))


def test_a_dependency_is_called_as_blocked_by_has_it() -> None:
    assert Dependency(job_id="7", ref="a").target == "jobs/7"
    assert Dependency(group="g").target == "groups/g"


@pytest.mark.parametrize(
    ("links", "holding"),
    [
        (UNLINKED, False),
        (Links(key=Line.WAITING, claims=Line.WAITING), False),
        (Links(key=Line.HOLDING, claims=Line.WAITING), True),
        (Links(claims=Line.HOLDING), True),
    ],
)
def test_a_job_holds_what_others_may_wait_for(links: Links, holding: bool) -> None:
    assert links.holding is holding
