"""Log lines that say which job they are of, whoever writes them: a handler's own loggers, and those of what it calls.

In a program of your own, `handler.addFilter(JobFields())` does it for the standard library's logging, and `add_job`
among structlog's processors for structlog. `slotd serve` and `slotd worker` have done so already.
"""

import json
import logging
import sys
from collections.abc import MutableMapping
from datetime import UTC, datetime
from typing import Any, Final

from slotd.context import current_job

TEXT: Final = "%(asctime)s %(levelname)-7s %(message)s%(job)s"

_NO_EXTRAS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "job"}

_CHATTY = ("asyncio", "grpc")
"""Loggers that tell of every event loop and every call, for those who debug the libraries."""

_inherited: list[str] = []


def add_job(_: Any, __: str, event_dict: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A processor for structlog: adds job_id, attempt and kind, in a handler, where the line has none of its own."""
    for key, value in _fields().items():
        event_dict.setdefault(key, value)
    return event_dict


class JobFields(logging.Filter):
    """For a handler of `logging`: in a job's handler records get `job_id`, `attempt` and `kind`, and `job`, a text with
    all three; elsewhere `job` is empty, for formats to name it."""

    def filter(self, record: logging.LogRecord) -> bool:
        fields = _fields()
        for key, value in fields.items():
            record.__dict__.setdefault(key, value)
        record.job = "".join(f" {key}={value}" for key, value in fields.items())
        return True


class JsonFormatter(logging.Formatter):
    """One JSON object a line, with the keys that the service's own lines have."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "event": record.getMessage(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat().replace("+00:00", "Z"),
        }
        line |= {key: value for key, value in vars(record).items() if key not in _NO_EXTRAS}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=repr)


def configure(level: str, style: str) -> None:
    """Send the log of this process to stderr, from `level` on; `style` is "json", "text", or "auto": text on a
    terminal, else JSON. Processes that are started for handlers log likewise."""
    pretty = is_pretty(style)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter(TEXT) if pretty else JsonFormatter())
    handler.addFilter(JobFields())
    handle(handler, level)
    hand_down(level, "text" if pretty else "json")


def handle(handler: logging.Handler, level: str) -> None:
    """Give all records from `level` on to that handler alone."""
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)


def is_pretty(style: str) -> bool:
    """Whether that style is text, here."""
    return style == "text" or (style == "auto" and sys.stderr.isatty())


def hand_down(level: str, style: str) -> None:
    """How processes shall log that are started for handlers."""
    _inherited[:] = [f"--log-level={level}", f"--log-format={style}"]


def inherited() -> list[str]:
    """The same as flags; none where nobody has chosen."""
    return list(_inherited)


def _fields() -> dict[str, Any]:
    job = current_job()
    return {} if job is None else {"job_id": job.job_id, "attempt": job.attempt, "kind": job.kind}
