"""How a process logs: to stderr, as text or as JSON, what structlog and the standard library's logging are given."""

import logging
import sys
from typing import Any

import structlog

from slotd.logs import add_job, hand_down, handle, is_pretty


def configure_logs(level: str, style: str) -> None:
    """Logs to stderr, as text on a terminal, else as JSON lines, unless `style` says which. What a handler logs says
    which job it is of."""
    pretty = is_pretty(style)
    # Colours are for terminals alone: a journal or a file would keep their codes.
    colours = sys.stderr.isatty()
    renderer: Any = structlog.dev.ConsoleRenderer(colors=colours) if pretty else structlog.processors.JSONRenderer()
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        add_job,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso"),
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        # Each line in one write: others write to stderr too.
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name, structlog.stdlib.ExtraAdder()],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                renderer,
            ],
        )
    )
    handle(handler, level)
    hand_down(level, "text" if pretty else "json")
