"""The benchmark's arithmetic and its report: what is made of samples, and that a missed target always shows."""

import os
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from bench import __main__ as program
from bench import machine, plot, report, row_by_row, servers
from bench.bare import EVENTS_PER_MESSAGE, ready_made_events
from bench.clients import ClientFailed, client
from bench.head import Contention, Look, contention
from bench.measurements import languages
from bench.measurements.isolation import submit_times
from bench.measurements.orchestration import dag_of
from bench.measurements.replicas import Rounds, figures_of
from bench.measurements.workers import NotDone, starts
from bench.plan import LeftOut, Plan
from bench.postgres import Meter, durable_cluster, per_job
from bench.results import Failure, Figure, Results, Target
from bench.statistics import percentile, ratio
from bench.subscribers import count_events
from slotd import v1
from tests.languages.languages import Language, ToolchainAbsent, language
from tests.postgres import Cluster


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


def test_what_this_machine_lacks_is_left_out_and_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def lacking(plan: Plan) -> list[Figure]:
        plan.machine["tried"] = "yes"
        raise LeftOut("there is no PostgreSQL")

    async def working(plan: Plan) -> list[Figure]:
        return [Figure("idle", "processor", "%", (1,))]

    monkeypatch.setattr(program, "MEASUREMENTS", {"replicas": lacking, "idle": working})
    monkeypatch.setattr(sys, "argv", ["bench", "--quick", "--strict", "--out", str(tmp_path)])
    assert program.main() == 0
    assert "left out: replicas: there is no PostgreSQL" in capsys.readouterr().out
    page = (tmp_path / "bench.md").read_text()
    assert "- left out: replicas: there is no PostgreSQL" in page
    assert "| processor | 1.00 | % |" in page
    assert "tried yes" in page


def test_a_part_for_which_this_machine_lacks_something_is_left_out_and_the_rest_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def partly(plan: Plan) -> list[Figure]:
        plan.left_out["languages, Go"] = "Go is missing"
        return [Figure("idle", "processor", "%", (1,))]

    monkeypatch.setattr(program, "MEASUREMENTS", {"languages": partly})
    monkeypatch.setattr(sys, "argv", ["bench", "--quick", "--strict", "--out", str(tmp_path)])
    assert program.main() == 0
    assert "languages, Go left out: Go is missing" in capsys.readouterr().out
    page = (tmp_path / "bench.md").read_text()
    assert "- left out: languages, Go: Go is missing" in page
    assert "| processor | 1.00 | % |" in page


async def test_no_language_that_can_be_built_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def build(wanted: Language, timeout: float) -> None:
        if wanted.name != "python":
            raise ToolchainAbsent(f"no compiler of {wanted.name}")

    monkeypatch.setattr(Language, "build", build)
    monkeypatch.setattr(languages, "LANGUAGES", (language("python"), language("go")))
    plan = Plan(tmp_path, quick=True)
    figures = await languages.measure(plan)
    assert plan.left_out == {"languages, Go": "no compiler of go"}
    assert [figure.name for figure in figures] == ["Python, 1 caller", "Python, 32 callers", "Python, catching up"]
    assert all(figure.ratio for figure in figures)


async def test_a_client_measures_as_many_calls_and_events_as_it_is_told(tmp_path: Path) -> None:
    async with servers.bare(tmp_path) as bare, client(language("python"), bare, tmp_path) as python:
        assert await python.submit(calls=8, callers=4) > 0
        assert await python.stream(events=300, cursor="300") > 0
        with pytest.raises(ClientFailed, match="the stream ended after 300 of 301 events"):
            await python.stream(events=301, cursor="300")
        with pytest.raises(ClientFailed, match="DRIVER_CANNOT"):
            await python.work(slots=1)


async def test_a_job_on_a_worker_starts_after_it_was_submitted_and_before_it_is_done(tmp_path: Path) -> None:
    async with servers.slotd(tmp_path / "jobs.db", 0, handlers=()) as server:
        async with servers.worker(server, tmp_path, slots=2):
            began = time.perf_counter()
            found = await starts(server.calls, jobs=6, at_once=2)
            took = (time.perf_counter() - began) * 1e3
            # They are of one clock: two at a time, one after the other.
            assert len(found) == 6
            assert all(one > 0 for one in found)
            assert sum(found) < 2 * took
        listed = await server.calls.jobs.List(v1.ListRequest())
        assert [bool(attempt.worker) for job in listed.jobs for attempt in job.attempts] == [True] * 6


async def test_a_job_that_tells_no_time_fails_the_measurement(tmp_path: Path) -> None:
    handlers = tmp_path / "broken.py"
    handlers.write_text(
        "import slotd\n@slotd.job('clock')\ndef clock(context, payload):\n    raise slotd.PermanentError('stopped')\n"
    )
    async with servers.slotd(tmp_path / "jobs.db", 1, handlers=(handlers,)) as server:
        with pytest.raises(NotDone, match=r"is JOB_STATE_FAILED: .*stopped"):
            await starts(server.calls, jobs=1, at_once=1)


async def test_a_call_of_submit_is_timed_even_where_it_takes_longer_than_there_is_time(tmp_path: Path) -> None:
    async with servers.bare(tmp_path) as server:
        assert len(await submit_times(server.calls, 0)) == 1


def test_figures_are_plotted_by_number_and_by_name(tmp_path: Path) -> None:
    run = results(
        Figure("submit", "1 caller", "calls/s", (1,), (2,), x=1),
        Figure("languages, submit", "C++, 32 callers", "calls/s", (1,), (2,), x="C++"),
    )
    plot.write(run, tmp_path / "bench.png")
    assert (tmp_path / "bench.png").read_bytes().startswith(b"\x89PNG")


def test_without_postgresql_it_is_said_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.postgres.missing", lambda: "there is none")
    with pytest.raises(LeftOut, match="there is none"), durable_cluster():
        pytest.fail("it has started")


def looks(*seen: tuple[int, int, int, int]) -> list[Look]:
    """One each second, of two servers: jobs ended, changes made, servers that wait and servers that hold the lock."""
    return [
        Look(float(second), ended, changes, 2, waiting, holding)
        for second, (ended, changes, waiting, holding) in enumerate(seen)
    ]


def test_how_long_servers_wait_for_each_other_is_told_by_how_many_wait() -> None:
    # Four seconds, ten changes: a server waited in two of them, two in one, and somebody held the lock in three.
    found = contention(looks((5, 10, 9, 9), (10, 12, 1, 1), (20, 14, 0, 0), (30, 16, 1, 2), (45, 20, 2, 1)))
    assert found == Contention(changes_per_second=2.5, jobs_per_change=4.0, waited=400, held=300, busy=0.75)


def test_nothing_is_said_of_servers_that_were_not_seen() -> None:
    with pytest.raises(ValueError, match="no change was seen"):
        contention(looks((0, 7, 0, 0), (0, 7, 1, 1)))
    with pytest.raises(ValueError, match="no change was seen"):
        contention(looks((0, 7, 0, 0)))
    unseen = Look(1.0, 9, 9, 0, 0, 0)
    with pytest.raises(ValueError, match="no server was seen"):
        contention([*looks((0, 7, 0, 0)), unseen])


def test_costs_are_what_was_spent_meanwhile_by_each_job() -> None:
    assert per_job({"statements": 100, "log": 7}, {"statements": 150, "log": 7}, 20) == {"statements": 2.5, "log": 0}


def test_figures_of_several_servers_stand_beside_what_was_measured_in_turn() -> None:
    def run(rate: float, **costs: float) -> row_by_row.Run:
        return row_by_row.Run(rate=rate, costs={"statements": 1.0, "time in statements": 2.0, **costs})

    rounds = Rounds(
        shared={"along": [run(20)], "ahead": [run(40)]},
        sqlite={"along": [run(80)], "ahead": [run(50)]},
        model={"along": [run(10)], "ahead": [run(10)]},
        head=[Contention(1, 2, 3, 4, 0.5)],
    )
    of = {count: {(one.group, one.name): one for one in figures_of(count, rounds)} for count in (1, 2)}
    included, ahead = "2 servers, submission included", "2 servers, all there before"
    assert [of[2]["replicas", name].ratio for name in (included, ahead)] == [0.25, 0.8]
    assert [of[2]["row by row", name].ratio for name in (included, ahead)] == [2, 4]
    assert of[2]["head", "2 servers, the lock is taken"].value == 50
    # Of several servers it would be the time in which they wait for each other. What is not counted is left out.
    assert [name for group, name in of[1] if group == "database"] == [
        "1 server, statements",
        "1 server, time in statements",
    ]
    assert [name for group, name in of[2] if group == "database"] == ["2 servers, statements"]


def test_the_processor_time_of_a_process_is_also_that_of_its_children() -> None:
    busy = "import time\nwhile time.process_time() < 0.2: pass\n"
    before = machine.family_cpu_seconds(os.getpid())
    subprocess.run([sys.executable, "-c", busy], check=True)
    ended = machine.family_cpu_seconds(os.getpid())
    assert ended - before >= 0.15
    command = [sys.executable, "-c", f"{busy}print(flush=True); input()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        assert machine.parent(child.pid) == os.getpid()
        assert machine.family_cpu_seconds(os.getpid()) - ended >= 0.15
        child.communicate(b"\n")


@pytest.mark.parametrize("way", ["along", "ahead"])
def test_the_model_puts_every_job_through(database: str, way: row_by_row.Way) -> None:
    # It raises where one is missing.
    found = row_by_row.run(database, 2, 51, way)
    assert found["rate"] > 0
    # One inserts, one claims, one ends.
    assert found["costs"]["transactions that write"] >= (3 if way == "along" else 2)
    assert found["costs"]["write-ahead log"] > 100


def test_a_meter_tells_what_was_written_meanwhile(postgres: Cluster, database: str) -> None:
    with closing(Meter(database)) as meter:
        before = meter.read()
        with postgres.connect(database.rpartition("/")[2]) as connection:
            connection.execute("CREATE TABLE made (id int)")
            connection.execute("INSERT INTO made VALUES (1)")
            for _ in range(50):
                connection.execute("SELECT * FROM made")
        spent = per_job(before, meter.read(), 1)
    # Autovacuum may have written something too.
    assert 2 <= spent["transactions that write"] < 10
    assert spent["write-ahead log"] > 0
    assert spent["PostgreSQL's processor time"] >= 0
