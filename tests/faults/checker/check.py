"""Reads the files of a history and checks all of it."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from tests.faults.checker import records
from tests.faults.checker.attempts import Attempts
from tests.faults.checker.calls import Calls
from tests.faults.checker.crew import Crew
from tests.faults.checker.errors import HistoryError
from tests.faults.checker.frontier import Frontier
from tests.faults.checker.holdings import Holdings
from tests.faults.checker.life import Life
from tests.faults.checker.log import CREATED, DELETED, Log
from tests.faults.checker.records import FORMAT, EventCopy, JobCopy, Limit, Line, Message, SpecCopy, Subscribe
from tests.faults.checker.runs import Runs
from tests.faults.checker.servers import Reports
from tests.faults.checker.streams import Streams
from tests.faults.checker.verdicts import Verdicts

_MESSAGE = b'{"t":"message"'
_OF_STREAMS = (_MESSAGE, b'{"t":"subscribe"', b'{"t":"ended"')


@dataclass(frozen=True)
class Report:
    """What was checked, and what was found."""

    verdicts: Verdicts
    jobs: int
    revisions: int
    calls: int
    called: int
    """Jobs that were called."""
    told: int
    """Events that subscribers were told, the log's own aside."""
    runs: int
    torn: int
    """Files of which the last line was cut off."""

    @property
    def ok(self) -> bool:
        return not self.verdicts.found

    def __str__(self) -> str:
        return (
            f"{self.jobs} jobs, {self.revisions} revisions, {self.calls} calls on {self.called} jobs, "
            f"{self.told} events told, {self.runs} runs, {self.verdicts.counts.total()} violations"
        )


def check(paths: Iterable[Path]) -> Report:
    """Checks the history that these files are.

    Raises HistoryError where they are none, and OSError.
    """
    return _Check(list(paths)).run()


class _Check:
    def __init__(self, paths: list[Path]) -> None:
        self._paths = paths
        self._verdicts = Verdicts()
        self._frontier = Frontier()
        self._log = Log()
        self._life = Life(self._verdicts)
        self._holdings = Holdings(self._verdicts)
        self._calls = Calls(self._verdicts, self._frontier)
        self._attempts = Attempts()
        self._runs = Runs(self._verdicts)
        self._crew = Crew(self._verdicts)
        self._reports = Reports(self._verdicts)
        self._limits: list[Limit] = []
        self._view: dict[str, JobCopy] = {}
        self._clocks: set[str] = set()
        self._ahead = 0
        """By how many nanoseconds the time of day is ahead of the monotonic clock."""
        self._torn = 0
        self._log_file: Path | None = None
        self._log_streams: set[int] = set()
        self._log_position = 0

    def run(self) -> Report:
        """In two passes: first the log and all that is small, then what subscribers were told."""
        for path in self._paths:
            self._read_first(path)
        if self._log_file is None:
            raise HistoryError("nobody recorded the log: a subscriber with log=True from before the first job")
        self._view.clear()
        streams = Streams(self._log, self._verdicts)
        for path in self._paths:
            self._read_streams(path, streams)
        streams.finish()
        vanishing = {limit.queue for limit in self._limits if limit.vanish}
        self._holdings.check_limits(self._limits, self._reports.pools)
        self._reports.check(self._log, self._holdings.ran)
        self._calls.check(self._log, self._life, vanishing)
        pools = self._reports.pools | self._crew.slots
        self._runs.check(self._log, self._attempts, self._limits, pools, self._crew.absent)
        self._crew.check(self._attempts, self._ahead)
        called = self._calls.check_linearizable(self._log, self._life, vanishing)
        return Report(
            self._verdicts,
            len(self._log.numbers),
            self._log.revision,
            len(self._calls),
            called,
            streams.events,
            len(self._runs),
            self._torn,
        )

    def _read_first(self, path: Path) -> None:
        specs: dict[int, SpecCopy] = {}
        begun = False
        self._log_streams.clear()
        for line in self._lines(path):
            if line.startswith(_MESSAGE) and not self._log_streams:
                continue
            record = _decoded(line, path)
            if not begun and not isinstance(record, records.Recorder):
                raise HistoryError(f"{path.name} does not begin with its recorder")
            begun = True
            match record:
                case records.Recorder():
                    self._check_recorder(record, path)
                case records.SpecCopy():
                    specs[record.digest] = record
                case records.Subscribe(log=True):
                    self._begin_log(record, path)
                case records.Message() if record.number in self._log_streams:
                    self._add_message(record, specs)
                case records.Message() | records.Subscribe() | records.Ended():
                    # For the second pass.
                    continue
                case _:
                    self._take(record)

    def _take(self, record: Line) -> None:
        match record:
            case records.Call():
                self._calls.call(record)
            case records.Answer():
                self._calls.answer(record)
            case records.Error():
                self._calls.error(record)
            case records.Started():
                self._runs.started(record)
            case records.Returned():
                self._runs.returned(record)
            case records.Up():
                self._runs.up(record)
            case records.Down():
                self._runs.down(record)
            case records.Joined():
                self._runs.joined(record)
                self._crew.joined(record)
            case records.Launched():
                self._runs.launched(record)
            case records.Said():
                self._crew.said(record)
            case records.Heard():
                self._crew.heard(record)
            case records.Limit():
                self._limits.append(record)
            case records.LedgerCopy():
                self._reports.ledger(record)
            case records.Servers():
                self._reports.servers(record)
            case _:
                raise AssertionError(record)

    def _check_recorder(self, record: records.Recorder, path: Path) -> None:
        if record.format != FORMAT:
            raise HistoryError(f"{path.name} is of format {record.format}, not {FORMAT}")
        self._clocks.add(record.clock)
        self._ahead = record.wall * 1000 - record.at
        if len(self._clocks) > 1:
            raise HistoryError(f"{path.name} is of another machine, or of before its restart: times do not compare")

    def _begin_log(self, asked: Subscribe, path: Path) -> None:
        if self._log_file not in (None, path):
            raise HistoryError(f"the log is in {path.name} and elsewhere")
        if asked.after is None or not asked.full or not asked.include_progress:
            raise HistoryError("the log has to be recorded in full, with progress, from the first revision on")
        self._log_file = path
        self._log_streams.add(asked.number)
        if asked.after != self._log_position:
            self._verdicts.add("log", f"it was told up to {self._log_position} and goes on after {asked.after}")

    def _add_message(self, message: Message, specs: dict[int, SpecCopy]) -> None:
        for event in message.events:
            expected = self._log.revision + 1
            if event.revision != expected:
                self._verdicts.add("log", f"revision {event.revision} where {expected} should be")
            # A hole is found once; what is behind it is checked all the same.
            if event.revision >= expected:
                self._log.skip(event.revision)
                self._add_event(event, specs)
        self._log_position = message.revision
        self._frontier.see(message.at, message.revision)
        if message.revision != self._log.revision:
            self._verdicts.add("log", f"all up to {message.revision} was told, and that ends at {self._log.revision}")

    def _add_event(self, event: EventCopy, specs: dict[int, SpecCopy]) -> None:
        job = event.job
        spec = specs.get(job.spec)
        if spec is None:
            raise HistoryError(f"the spec of {job.id} at revision {event.revision} was not recorded")
        before = self._view.get(job.id)
        self._life.check(event, before, spec, job.id in self._log.numbers)
        if before is None and event.type != CREATED:
            self._log.skip(event.revision + 1)
            return
        self._holdings.add(event, before, spec)
        self._attempts.add(event, before)
        self._log.add(event, before, spec)
        if event.type == DELETED:
            self._view.pop(job.id, None)
        else:
            self._view[job.id] = job

    def _read_streams(self, path: Path, streams: Streams) -> None:
        skipped: set[int] = set()
        for line in self._lines(path, count=False):
            if not line.startswith(_OF_STREAMS):
                continue
            record = _decoded(line, path)
            match record:
                case records.Subscribe(log=True):
                    skipped.add(record.number)
                case records.Subscribe():
                    streams.subscribe(record)
                case records.Message() if record.number not in skipped:
                    streams.message(record)
                    if record.events:
                        self._frontier.see(record.at, record.revision)
                case records.Ended() if record.number not in skipped:
                    streams.ended(record)

    def _lines(self, path: Path, *, count: bool = True) -> Iterator[bytes]:
        with path.open("rb") as file:
            for line in file:
                if line.endswith(b"\n"):
                    yield line
                else:
                    self._torn += count


_decode: Callable[[bytes], Line] = msgspec.json.Decoder(Line).decode


def _decoded(line: bytes, path: Path) -> Line:
    try:
        return _decode(line)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise HistoryError(f"{path.name} has a line that is no record: {error}") from error
