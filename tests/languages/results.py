"""What came of each section in each language the last time that it was played, and the table that is made of it.

A file for each language in `build/languages/`; a result tells of which scenario it is, so that one of an earlier
scenario says nothing of the present one.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.languages.languages import LANGUAGES, ROOT, Language
from tests.languages.scenario import Section

FOLDER = ROOT / "build" / "languages"
PAGE = ROOT / "docs" / "languages.md"

_TABLE = re.compile(r"(?<=<!-- matrix -->\n).*?(?=<!-- end of matrix -->)", re.DOTALL)


@dataclass(frozen=True)
class Result:
    """Of one section; `digest` is the section's at that time, `version` the client's."""

    passed: bool
    digest: str
    version: str


def load(language: Language) -> dict[str, Result]:
    """By section; nothing where the language was never played."""
    file = FOLDER / f"{language.name}.json"
    if not file.exists():
        return {}
    return {name: Result(**found) for name, found in json.loads(file.read_text()).items()}


def record(language: Language, section: Section, passed: bool, version: str) -> None:
    """Keeps a result in place of the one before. Not for two processes at once with one language."""
    found = load(language) | {section.name: Result(passed, section.digest, version)}
    FOLDER.mkdir(parents=True, exist_ok=True)
    content = json.dumps({name: asdict(result) for name, result in sorted(found.items())}, indent=2)
    (FOLDER / f"{language.name}.json").write_text(content + "\n")


def table(sections: Iterable[Section], results: Mapping[str, Mapping[str, Result]]) -> str:
    """The matrix in Markdown: a row for each section, a column for each language."""
    lines = [
        "| | " + " | ".join(_heading(each, results[each.name]) for each in LANGUAGES) + " |",
        "| --- |" + " :-: |" * len(LANGUAGES),
    ]
    for section in sections:
        cells = (_cell(section, language, results[language.name]) for language in LANGUAGES)
        lines.append(f"| {section.title} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def write(sections: Iterable[Section]) -> None:
    """Puts the table of what is recorded into the page."""
    made = table(sections, {language.name: load(language) for language in LANGUAGES})
    PAGE.write_text(_TABLE.sub(lambda _: made, PAGE.read_text(encoding="utf-8")), encoding="utf-8")


def written(page: Path = PAGE) -> tuple[list[str], list[str]]:
    """The languages and the section titles of the table in the page."""
    found = _TABLE.search(page.read_text(encoding="utf-8"))
    assert found is not None, f"{page.name} has no place for the matrix"
    heading, _, *rows = ([cell.strip() for cell in line.split("|")[1:-1]] for line in found[0].splitlines())
    return [cell.rpartition(" ")[0] or cell for cell in heading[1:]], [row[0] for row in rows]


def _heading(language: Language, results: Mapping[str, Result]) -> str:
    versions = sorted({result.version for result in results.values()})
    return f"{language.title} {versions[-1]}" if versions else language.title


def _cell(section: Section, language: Language, results: Mapping[str, Result]) -> str:
    if section.workers and not language.workers:
        return "not offered"
    result = results.get(section.name)
    if result is None or result.digest != section.digest:
        return "not run"
    return "✅" if result.passed else "❌"
