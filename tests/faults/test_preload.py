"""What stands between the service and the system is noticed: clocks jump for a process, and only as far as they say."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.faults.preload import JumpingClock, why_no_preload

_TELL = """
import datetime, sys, time
for _ in sys.stdin:
    print(time.time(), datetime.datetime.now().timestamp(), time.time_ns() / 1e9, time.monotonic(), flush=True)
"""


def test_a_process_lives_at_another_time_of_day(tmp_path: Path) -> None:
    if reason := why_no_preload():
        pytest.skip(reason)
    clock = JumpingClock(tmp_path)
    command = [sys.executable, "-c", _TELL]
    environment = os.environ | clock.environment
    with subprocess.Popen(
        command, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for ahead in (0.0, 3600.0, -86_400.5, 0.0):
            clock.jump(ahead)
            before, begun = time.time(), time.monotonic()
            process.stdin.write("\n")
            process.stdin.flush()
            *times, monotonic = map(float, process.stdout.readline().split())
            after, ended = time.time(), time.monotonic()
            assert all(before + ahead - 0.001 <= told <= after + ahead + 0.001 for told in times)
            assert begun <= monotonic <= ended
