"""Files that are no history, or not whole; and the command line."""

from pathlib import Path
from random import Random

import msgspec
import pytest

from tests.faults.checker import __main__ as command
from tests.faults.checker import linear
from tests.faults.checker.check import check
from tests.faults.checker.errors import HistoryError
from tests.faults.checker.records import FORMAT, Answer, Recorder, SpecCopy
from tests.faults.checker_tests.play import History, play


@pytest.fixture
def history() -> History:
    return play(Random(1), 200)


def _refusal(history: History, folder: Path) -> str:
    with pytest.raises(HistoryError) as refused:
        check(history.write(folder))
    return str(refused.value)


def test_a_line_that_was_cut_off_is_left_out(history: History, tmp_path: Path) -> None:
    paths = history.write(tmp_path)
    with (tmp_path / "clients.jsonl").open("ab") as file:
        file.write(b'{"t":"call","client":"c')
    report = check(paths)
    assert report.ok
    assert report.torn == 1


def test_a_line_that_is_no_record_is_refused(history: History, tmp_path: Path) -> None:
    paths = history.write(tmp_path)
    with (tmp_path / "clients.jsonl").open("ab") as file:
        file.write(b'{"t":"riddle"}\n')
    with pytest.raises(HistoryError, match="no record"):
        check(paths)


def test_a_history_needs_the_log(history: History, tmp_path: Path) -> None:
    del history.files["log"]
    assert "nobody recorded the log" in _refusal(history, tmp_path)


def test_a_history_is_of_one_machine(history: History, tmp_path: Path) -> None:
    history.files["clients"][0] = Recorder(FORMAT, "clients", 1, "another clock", 0, 0)
    assert "another machine" in _refusal(history, tmp_path)


def test_another_format_is_refused(history: History, tmp_path: Path) -> None:
    history.files["clients"][0] = Recorder(FORMAT + 1, "clients", 1, "clock", 0, 0)
    assert f"not {FORMAT}" in _refusal(history, tmp_path)


def test_a_file_begins_with_who_wrote_it(history: History, tmp_path: Path) -> None:
    del history.files["clients"][0]
    assert "does not begin" in _refusal(history, tmp_path)


def test_an_answer_needs_its_call(history: History, tmp_path: Path) -> None:
    history.files["clients"].append(Answer("nobody", 1, 1))
    assert "an answer to no call" in _refusal(history, tmp_path)


def test_a_job_needs_its_spec(history: History, tmp_path: Path) -> None:
    lines = history.files["log"]
    history.files["log"] = [line for line in lines if not isinstance(line, SpecCopy)]
    assert "was not recorded" in _refusal(history, tmp_path)


def test_a_search_that_is_given_up_is_told_of(
    history: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(linear, "_STEPS_LIMIT", 0)
    assert {*check(history.write(tmp_path)).verdicts.counts} == {"undecided"}


def test_the_command_line_tells_by_its_status(
    history: History, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [str(path) for path in history.write(tmp_path)]
    assert command.main(paths) == 0
    assert "0 violations" in capsys.readouterr().err
    assert command.main([]) == 2
    assert command.main([str(tmp_path / "nothing")]) == 2
    answer = next(line for line in history.files["clients"] if isinstance(line, Answer) and line.jobs)
    job = msgspec.structs.replace(answer.jobs[0], digest=answer.jobs[0].digest ^ 1)
    history.files["clients"].remove(answer)
    history.files["clients"].append(msgspec.structs.replace(answer, at=10**9, jobs=(job,)))
    history.write(tmp_path)
    assert command.main(paths) == 1
    assert "copy: " in capsys.readouterr().out
