"""The benchmark's arithmetic and its report: what is made of samples, and that a missed target always shows."""

import subprocess
import sys
from pathlib import Path

import pytest

from bench import report, servers
from bench.bare import EVENTS_PER_MESSAGE, ready_made_events
from bench.measurements.orchestration import dag_of
from bench.results import Failure, Figure, Results, Target
from bench.statistics import percentile, ratio
from bench.subscribers import count_events
from slotd import v1


def results(*figures: Figure, failures: tuple[Failure, ...] = ()) -> Results:
    return Results({"cores": "2"}, "2026-01-01T00:00:00+00:00", False, 61.0, list(figures), list(failures))


@pytest.mark.parametrize(("share", "expected"), [(0, 1), (0.01, 1), (0.1, 1), (0.11, 2), (0.5, 5), (0.99, 10), (1, 10)])
def test_a_percentile_is_a_sample_that_was_measured(share: float, expected: float) -> None:
    assert percentile([10, 9, 8, 7, 6, 5, 4, 3, 2, 1], share) == expected


def test_there_is_no_percentile_of_nothing() -> None:
    with pytest.raises(ValueError, match="no samples"):
        percentile([], 0.5)


def test_a_ratio_is_of_pairs_so_that_a_slow_moment_hits_both() -> None:
    # The second round was five times as slow for both: the ratio of the medians would say the same of less.
    assert ratio([100, 20, 90], [200, 40, 180]) == 0.5


def test_rounds_come_in_pairs() -> None:
    with pytest.raises(ValueError, match="argument 2 is shorter"):
        ratio([1, 2], [1])
    with pytest.raises(ValueError, match="no samples"):
        ratio([], [])


@pytest.mark.parametrize(
    ("target", "met"),
    [
        (None, None),
        (Target("≥", 50), True),
        (Target("≥", 51), False),
        (Target("≤", 50), True),
        (Target("≤", 49), False),
        (Target("≥", 0.5, "ratio"), True),
        (Target("≥", 0.6, "ratio"), False),
        (Target("≤", 0.4, "ratio"), False),
    ],
)
def test_a_target_is_of_the_value_or_of_the_ratio(target: Target | None, met: bool | None) -> None:
    assert Figure("submit", "1 caller", "calls/s", (40, 50, 60), (80, 100, 120), target).met is met


def test_a_target_of_a_ratio_needs_something_to_compare_with() -> None:
    with pytest.raises(ValueError, match="submit, 1 caller: nothing to compare with"):
        _ = Figure("submit", "1 caller", "calls/s", (1,), target=Target("≥", 1, "ratio")).met


def test_a_missed_target_and_a_failure_show_everywhere() -> None:
    run = results(
        Figure("batch", "size 1,000", "jobs/s", (15_000,), target=Target("≥", 20_000)),
        Figure("latency", "p50", "ms", (2.5,), target=Target("≤", 3)),
        Figure("submit", "1 caller", "calls/s", (10,), (20,), Target("≥", 0.7, "ratio")),
        failures=(Failure("idle", "ServerFailed: exit status 1"),),
    )
    missed = "MISSED: SubmitBatch, size 1,000: 15,000 jobs/s, target ≥ 20,000"
    assert report.summary(run).splitlines() == [
        "1 of 3 targets met, in 61 s",
        missed,
        "MISSED: Submit, one job a call, 1 caller: 0.50 × bare, target ≥ 0.7 × bare",
        "FAILED TO RUN: idle: ServerFailed: exit status 1",
    ]
    page = report.markdown(run)
    assert missed in page
    assert "| size 1,000 | 15,000 | jobs/s |  |  | ≥ 20,000 | MISSED |" in page
    assert [figure["met"] for figure in run.to_json()["figures"]] == [False, True, False]


def test_the_table_has_a_heading_for_each_group_and_aligned_columns() -> None:
    text = report.table(
        [Figure("submit", "1 caller", "calls/s", (1_234.5,), (2_000,)), Figure("idle", "processor", "%", (0,))]
    )
    assert text.splitlines() == [
        "Submit, one job a call",
        "what       measured  unit      bare  ratio  target",
        "1 caller      1,234  calls/s  2,000   0.62",
        "",
        "Nothing to do: 1,000 jobs wait, 10 streams are open",
        "what       measured  unit      bare  ratio  target",
        "processor         0  %",
    ]


def test_a_table_says_what_a_group_is_compared_with() -> None:
    target = Target("≤", 2, "ratio")
    run = results(Figure("release", "10 wait", "µs", (30,), (10,), target), Figure("submit", "a", "b", (1,), (2,)))
    assert report.summary(run).splitlines()[1] == (
        "MISSED: Ending a job that holds a resource, as one change, 10 wait: 3.00 × one waits, target ≤ 2 × one waits"
    )
    assert "what     measured  unit  one waits  ratio  target" in report.table(run.figures)
    assert "| what | measured | unit | bare | ratio | target |  |" in report.markdown(run)


def test_each_job_of_the_dag_depends_on_the_two_before_it() -> None:
    requests = dag_of(4).requests
    assert [request.ref for request in requests] == ["node-0", "node-1", "node-2", "node-3"]
    assert [[one.ref for one in request.spec.depends_on] for request in requests] == [
        [],
        ["node-0"],
        ["node-0", "node-1"],
        ["node-1", "node-2"],
    ]


async def test_a_server_of_another_checkout_runs_that_checkout(tmp_path: Path) -> None:
    package = tmp_path / "server" / "slotd_server"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text("raise SystemExit(f'this is {__file__}')")
    with pytest.raises(servers.ServerFailed, match=f"this is {package}"):
        async with servers.slotd(tmp_path / "jobs.db", 1, tmp_path):
            pytest.fail("it has started")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--only", "against"], "say which checkout, with --against PATH"),
        (["--against", "tests"], "tests is no checkout of slotd"),
        (["--only", "nothing"], "nothing: known are disk, "),
    ],
)
def test_a_run_that_cannot_be_says_why(arguments: list[str], words: str) -> None:
    root = Path(__file__).parents[2]
    run = subprocess.run([sys.executable, "-m", "bench", *arguments], cwd=root, capture_output=True, text=True)
    assert run.returncode == 2
    assert words in run.stderr


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (0.123, "0.12"), (1.5, "1.50"), (12.34, "12.3"), (123.4, "123"), (12_345.6, "12,346")]
)
def test_numbers_have_three_digits_or_all_before_the_point(value: float, text: str) -> None:
    assert report.number(value) == text


@pytest.mark.parametrize("count", [0, 1, EVENTS_PER_MESSAGE, EVENTS_PER_MESSAGE + 1])
def test_events_are_counted_without_parsing_them(count: int) -> None:
    messages = ready_made_events(count)
    assert sum(count_events(message) for message in messages) == count
    assert sum(len(v1.StreamResponse.FromString(message).events) for message in messages) == count
