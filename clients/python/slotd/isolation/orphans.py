"""Processes that end with the one that started them. Run as a script, this becomes the executable that it is given:
`python orphans.py PARENT EXECUTABLE ARGV…`.

It needs nothing of ours, so that it starts in a hundredth of a second.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def end_with(parent: int) -> None:
    """See to it that this process is killed when the thread of `parent` ends that started it; an exec keeps that."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))
    if os.getppid() != parent:
        # It was too late: there is nobody to end with any more.
        os._exit(1)


def main() -> None:
    """Become the executable; where that can't be, end as a shell would."""
    parent, executable, *argv = sys.argv[1:]
    end_with(int(parent))
    try:
        os.execv(executable, argv)
    except OSError as error:
        print(f"{argv[0]}: {error.strerror}", file=sys.stderr)
        sys.exit(127 if isinstance(error, FileNotFoundError) else 126)


if __name__ == "__main__":
    main()
