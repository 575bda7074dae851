"""The command `slotd`: its entry point, which says what to install where the extra `cli` is missing."""

import os
import sys
from collections.abc import Sequence

__all__ = ["main"]

_EXTRA = ("click", "grpc_health", "rich")


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line with `args`, by default those of the process, and exit the process.

    Raises SystemExit always; its code is one of `slotd.cli.errors.Status`.
    """
    # gRPC's own remarks about connections that come and go would be written across tables and bars. It reads this when
    # it is first imported, which is below.
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
    try:
        from slotd.cli.app import root
    except ModuleNotFoundError as missing:
        package = (missing.name or "").partition(".")[0]
        if package not in _EXTRA:
            raise
        print(f"slotd: the command line needs {package}: install 'slotd[cli]'", file=sys.stderr)
        raise SystemExit(2) from None
    root.main(args=None if args is None else list(args), prog_name="slotd")
