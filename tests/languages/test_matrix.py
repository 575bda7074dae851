"""The table of docs/languages.md."""

from pathlib import Path

import pytest

from tests.languages import results
from tests.languages.languages import LANGUAGES, language
from tests.languages.results import Result
from tests.languages.scenario import sections


def test_the_page_has_all_languages_and_all_sections_and_nothing_else() -> None:
    languages, titles = results.written()
    assert languages == [each.title for each in LANGUAGES], "run: python -m tests.languages --matrix"
    assert titles == [each.title for each in sections().values()], "run: python -m tests.languages --matrix"


def test_no_cell_of_the_page_is_red_or_was_not_run() -> None:
    page = results.PAGE.read_text(encoding="utf-8")
    assert "❌" not in page
    assert "not run" not in page


def test_a_cell_is_green_because_it_ran(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(results, "FOLDER", tmp_path / "results")
    errors, batch, workers = (sections()[name] for name in ("errors", "batch", "workers"))
    go, rust = language("go"), language("rust")
    results.record(go, errors, True, "0.1.0")
    results.record(go, batch, False, "0.1.0")
    results.record(rust, errors, True, "0.2.0")
    found = {each.name: results.load(each) for each in LANGUAGES}
    found["java"] = {"errors": Result(True, "another scenario's", "0.1.0")}
    heading, _, *rows = (
        [cell.strip() for cell in line.split("|")[2:-1]]
        for line in results.table([errors, batch, workers], found).splitlines()
    )
    assert heading == ["Python", "TypeScript", "Go 0.1.0", "Java 0.1.0", "Rust 0.2.0", "C++"]
    assert rows == [
        ["not run", "not run", "✅", "not run", "✅", "not run"],
        ["not run", "not run", "❌", "not run", "not run", "not run"],
        ["not run", "not run", "not run", "not offered", "not offered", "not offered"],
    ]


def test_the_page_that_is_written_is_the_page_that_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# X\n\n<!-- matrix -->\nold\n<!-- end of matrix -->\n\nend\n")
    monkeypatch.setattr(results, "PAGE", page)
    results.write(sections().values())
    assert results.written(page) == ([each.title for each in LANGUAGES], [each.title for each in sections().values()])
    assert page.read_text().startswith("# X\n\n<!-- matrix -->\n|")
    assert page.read_text().endswith("|\n<!-- end of matrix -->\n\nend\n")
