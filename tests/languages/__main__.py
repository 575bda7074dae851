"""Plays the conformance scenario by hand: `python -m tests.languages LANGUAGE [SECTION…]` prints what failed.

`--command` plays it on another driver than the language's own, `--list` names the sections, `--matrix` writes the
table in docs/languages.md from what the tests found out.
"""

import argparse
import shlex
import sys
import tempfile
import time
from pathlib import Path

from tests.languages import results
from tests.languages.driver import Driver, DriverFailed
from tests.languages.languages import LANGUAGES, Language, language
from tests.languages.play import Failed, NotOffered, play
from tests.languages.scenario import Section, sections
from tests.languages.stage import Stage

PASSED, NOT_OFFERED = "passed", "not offered"


def main() -> int:
    """The exit status: 0 where all passed, 1 where not, 2 for bad usage."""
    known = sections()
    parser = argparse.ArgumentParser(prog="python -m tests.languages", description=__doc__)
    parser.add_argument("language", nargs="?", choices=[each.name for each in LANGUAGES])
    parser.add_argument("section", nargs="*", help="all where none is named")
    parser.add_argument("--command", help="the driver's command line")
    parser.add_argument("--list", action="store_true", help="name the sections")
    parser.add_argument("--matrix", action="store_true", help="put the results of the tests into docs/languages.md")
    arguments = parser.parse_args()
    if arguments.list:
        for section in known.values():
            print(f"{section.name:14} {section.title}, {len(section.cases)} cases")
        return 0
    if arguments.matrix:
        results.write(known.values())
        return 0
    unknown = [name for name in arguments.section if name not in known]
    if arguments.language is None or unknown:
        parser.error(f"no such section: {', '.join(unknown)}" if unknown else "which language?")
    chosen = [known[name] for name in arguments.section] or list(known.values())
    return _play_all(chosen, language(arguments.language), arguments.command)


def _play_all(chosen: list[Section], played: Language, command: str | None) -> int:
    """What a driver of somebody's own does is not kept."""
    failed = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        stage = Stage(folder)
        try:
            for section in chosen:
                start = time.monotonic()
                driver = Driver(shlex.split(command) if command else [str(played.driver)], folder / "driver.log")
                said, version = _play(section, driver, stage)
                print(f"{section.name:14} {time.monotonic() - start:5.1f} s  {said}", flush=True)
                failed += said not in (PASSED, NOT_OFFERED)
                if command is None and said != NOT_OFFERED:
                    results.record(played, section, said == PASSED, version)
        finally:
            stage.close()
    return 1 if failed else 0


def _play(section: Section, driver: Driver, stage: Stage) -> tuple[str, str]:
    """What came of it, and the client's version."""
    try:
        version = play(section, driver, stage)
        driver.close()
    except NotOffered:
        return NOT_OFFERED, ""
    except (Failed, DriverFailed) as error:
        return f"FAILED\n{error}", ""
    finally:
        driver.end()
    return PASSED, version


if __name__ == "__main__":
    sys.exit(main())
