"""Handlers that run when the test says so, in its own thread."""

from slotd_server.execution.threads import ThreadRunner


class ByHand(ThreadRunner):
    """Keeps what it is to start until `run_next`."""

    def run_next(self) -> str | None:
        """Runs the attempt that has waited longest. → its job's id; None where there is none."""
        with self._lock:
            if not self._waiting:
                return None
            lease, attempt = self._waiting.popleft()
        self._report([self._run(lease, attempt)])
        return attempt.context.job_id

    def _wake(self) -> None:
        """No thread comes for what waits."""
