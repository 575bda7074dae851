"""The tests that every language has. `test_LANGUAGE.py` is the suite of one: files run side by side, the tests of one
file one after the other."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import pytest

from tests.languages import quickstart, results
from tests.languages.documented import serving
from tests.languages.driver import Driver
from tests.languages.languages import Language, ToolchainAbsent
from tests.languages.play import play
from tests.languages.scenario import Section
from tests.languages.stage import Stage

BUILD_SECONDS = 1_800
"""For a first build, which fetches and compiles what the client needs; a second one takes seconds."""

SECTION_SECONDS = 300


@contextmanager
def skipping() -> Iterator[None]:
    """Skips the test where the toolchain is absent."""
    try:
        yield
    except ToolchainAbsent as error:
        pytest.skip(str(error))


class PlaysTheScenario:
    """Needs the language's toolchain; skips, with the reason, where there is none."""

    language: ClassVar[Language]

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def _built(cls) -> None:
        with skipping():
            cls.language.build(BUILD_SECONDS)

    @pytest.fixture(scope="class")
    @classmethod
    def stage(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
        """One service for all sections, each of which keeps to names of its own."""
        stage = Stage(tmp_path_factory.mktemp("stage"))
        yield stage
        stage.close()

    @pytest.mark.timeout(BUILD_SECONDS + SECTION_SECONDS)
    def test_the_client_does_what_the_scenario_says(self, stage: Stage, tmp_path: Path, section: Section) -> None:
        driver = Driver([str(self.language.driver)], tmp_path / "driver.log")
        version = ""
        passed = False
        try:
            version = play(section, driver, stage)
            driver.close()
            passed = True
        finally:
            results.record(self.language, section, passed, version)
            driver.end()


class LanguageSuite(PlaysTheScenario):
    """Of a client that is built by a program of its own."""

    @pytest.mark.timeout(2 * BUILD_SECONDS)
    def test_the_quickstart_of_the_readme_runs_as_it_stands(self, tmp_path: Path) -> None:
        project = tmp_path / "project"
        project.mkdir()
        with serving(tmp_path) as address:
            assert "SUCCEEDED" in quickstart.run(self.language, project, address, BUILD_SECONDS)
