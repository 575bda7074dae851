"""Histories of a service that does all as it should: the checker finds nothing."""

from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.faults.checker.check import check
from tests.faults.checker_tests.play import play


@settings(max_examples=30, deadline=None)
@given(chance=st.randoms(use_true_random=False), steps=st.integers(0, 400))
def test_a_good_history_has_no_violations(chance: Random, steps: int) -> None:
    with TemporaryDirectory() as folder:
        report = check(play(chance, steps).write(Path(folder)))
    assert report.verdicts.found == []
