"""`python -m tests.faults.checker FILE...`: checks a recorded history. README.md says what it is and how it ends."""

import sys
from pathlib import Path

from tests.faults.checker.check import check
from tests.faults.checker.errors import HistoryError


def main(arguments: list[str]) -> int:
    """→ the exit status."""
    if not arguments:
        print("usage: python -m tests.faults.checker FILE...", file=sys.stderr)
        return 2
    try:
        report = check(Path(argument) for argument in arguments)
    except (HistoryError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    for violation in report.verdicts.found:
        print(violation)
    print(report, file=sys.stderr)
    return 0 if report.ok else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
