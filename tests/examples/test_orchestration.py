"""The examples of orchestration, each against a real service that runs the example handlers."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import slotd
from examples import nightly, pipeline, tenants
from examples.reports import report
from examples.tour.service import ServiceProcess
from slotd import PermanentError, v1
from slotd.testing import run_inline

HANDLERS = Path(__file__).resolve().parents[2] / "examples" / "handlers.py"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("service")
    service = ServiceProcess(folder, HANDLERS, "127.0.0.1:0", [folder.parent])
    yield service.address()
    assert service.stop() == 0


@pytest.fixture
def client(address: str) -> Iterator[slotd.Client]:
    with slotd.Client(address) as client:
        yield client


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "source"
    root.mkdir()
    (root / "a.txt").write_text("one two\n")
    (root / "b c.txt").write_text("three\n")
    return root


def run(monkeypatch: pytest.MonkeyPatch, main: object, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["example", *map(str, arguments)])
    assert callable(main)
    status = main()
    assert isinstance(status, int)
    return status


def test_the_pipeline_runs_in_its_order(client: slotd.Client, folder: Path, tmp_path: Path) -> None:
    jobs = pipeline.pipeline(folder, tmp_path / "output", "pipeline")
    assert list(jobs) == [
        *("sum/00-a.txt", "words/00-a.txt", "sum/01-b_c.txt", "words/01-b_c.txt"),
        *("report", "archive"),
    ]
    ended = pipeline.run(client, jobs)
    assert {name: job.state for name, job in ended.items()} == dict.fromkeys(jobs, v1.JOB_STATE_SUCCEEDED)
    assert list(ended)[-2:] == ["report", "archive"]
    lines = (tmp_path / "output" / "report.csv").read_text().splitlines()
    assert lines[0].startswith("job,files,bytes,sha256,")
    assert [line.partition(",")[0] for line in lines[1:]] == list(jobs)[:4]
    assert (tmp_path / "output" / "folder.tar.gz").stat().st_size > 100
    group = client.get_group("pipeline").group
    assert (group.succeeded, group.progress.done, group.progress.total) == (6, 6, 6)


def test_what_depends_on_a_part_that_fails_fails(client: slotd.Client, folder: Path, tmp_path: Path) -> None:
    jobs = pipeline.pipeline(folder, tmp_path / "output", "broken")
    (folder / "a.txt").unlink()
    ended = pipeline.run(client, jobs)
    assert {name for name, job in ended.items() if job.state == v1.JOB_STATE_FAILED} == {
        *("sum/00-a.txt", "words/00-a.txt", "report", "archive"),
    }
    assert f"jobs/{ended['sum/00-a.txt'].id} did not succeed" in ended["report"].error.message


def test_the_pipeline_as_a_program(
    address: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, pipeline.main, folder, tmp_path / "output", "--address", address) == 0
    said = capsys.readouterr().out
    assert "SUCCEEDED  report\n" in said
    assert "'files': 2" in said


def test_one_tenants_job_does_not_wait_for_another_tenants_many(
    client: slotd.Client, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = tenants.limit(client)
    assert (queue.slots, queue.slots_per_key, queue.rate_limit.burst) == (2, 1, 5)
    order = tenants.starts(client, 8)
    assert sorted(order) == ["many"] * 8 + ["one"]
    assert order.index("one") < 2
    assert run(monkeypatch, tenants.main, "--many", 2, "--address", address) == 0


def test_the_schedule_is_made_once_and_fires_when_it_is_told_to(
    client: slotd.Client,
    address: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for count in (1, 2):
        assert run(monkeypatch, nightly.main, folder, "--address", address) == 0
        said = capsys.readouterr().out
        assert said.count("fires at ") == 5
        assert "'files': 2" in said
        assert client.get_schedule(nightly.NAME).fire_count == count
    assert len(list(client.list(schedules=[nightly.NAME]))) == 2


class TestReport:
    def test_a_line_for_each_job(self, tmp_path: Path) -> None:
        results = {"c": None, "a": {"n": 1, "top": ["x"]}, "b": {"m": "2,3"}}
        run = run_inline(report, {"output": str(tmp_path / "r.csv")}, results=results)
        assert run.result == {"path": str(tmp_path / "r.csv"), "jobs": 3, "columns": ["n", "top", "m"]}
        table = (tmp_path / "r.csv").read_bytes()
        assert table == b'job,n,top,m\r\nc,,,\r\na,1,"[""x""]",\r\nb,,,"2,3"\r\n'
        assert (run.progress[-1], run.output) == ((3, 3, "b"), table)

    def test_nothing_to_report(self, tmp_path: Path) -> None:
        with pytest.raises(PermanentError, match="depends on no other"):
            run_inline(report, {"output": str(tmp_path / "r.csv")})

    def test_what_is_no_object(self, tmp_path: Path) -> None:
        with pytest.raises(PermanentError, match="the result of a is no JSON object"):
            run_inline(report, {"output": str(tmp_path / "r.csv")}, results={"a": 3})
