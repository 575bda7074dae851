"""All settings: defaults, under a TOML file, under the environment (`SLOTD_…`), under flags. Validated once; frozen."""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar


class SettingsError(Exception):
    """A setting that can't be, or is not known. The message names it and where it came from."""


T = TypeVar("T")

MOST_PAYLOAD = 12 << 20
"""As much as messages carry. Clients take 32 MiB: in Get and Stream a job's payload and its result are together, behind
1 MiB of other events. The service takes 20 MiB: a worker puts a result and 1 MiB of output behind 4 MiB of what other
attempts say. What is left of either is room for all else that is in a message."""


def _setting(default: T, what: str, least: float | None = None, most: float = 2**53, flag: str = "") -> T:
    """A field with its one-line description, which the command line shows, and the least and the most that it may be.
    Its flag is called like itself, or `flag`; the value of a tuple is put together from flags that come several times,
    or from a text with commas."""
    value: T = field(default=default, metadata={"what": what, "least": least, "most": most, "flag": flag})
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Durations in seconds, sizes in bytes."""

    listen: str = _setting("127.0.0.1:7433", "where to answer gRPC: HOST:PORT (port 0 picks one) or unix:PATH")
    http: str = _setting("", "where to answer HTTP/JSON and show the dashboard: HOST:PORT; empty: nowhere")
    http_hosts: tuple[str, ...] = _setting(
        (), "a further name that HTTP requests may call this host by; may be given again", flag="http-host"
    )
    http_origins: tuple[str, ...] = _setting(
        (), "an origin, as https://HOST, whose pages may call this service; may be given again", flag="http-origin"
    )
    store: str = _setting(
        "sqlite:///slotd.db", "where jobs are kept: sqlite:///PATH, sqlite:///:memory: or postgresql://…"
    )
    slots: int = _setting((os.cpu_count() or 1) * 4, "how many jobs run at once in this server; 0 pauses", 0)
    drain_timeout: float = _setting(30.0, "how long running jobs may take to end when the service stops", 0)
    ready_file: str = _setting("", "a file that is written once the service answers, with the address in it")
    server_name: str = _setting(
        "", "what this server calls itself among others on the same store; empty: the host name"
    )
    lease: float = _setting(15.0, "how long servers on the same store wait for a sign of life before one is gone", 1)
    poll: float = _setting(1.0, "how often to look for what other servers did, in case a message got lost", 0.01)
    cancel_grace: float = _setting(10.0, "how long a cancelled job may take to stop", 0)
    retention: float = _setting(7 * 86_400.0, "how long jobs that succeeded or were cancelled are kept; 0: for ever", 0)
    events_kept: int = _setting(1_000_000, "how many events are kept for streams that resume", 1)
    events_age: float = _setting(7 * 86_400.0, "how long events are kept", 0)
    request_age: float = _setting(86_400.0, "how long a request_id is remembered when its job is gone", 0)
    max_payload: int = _setting(
        1 << 20, "the most bytes that a payload or a result may have, up to 12582912 (12 MiB)", 0, MOST_PAYLOAD
    )
    max_output: int = _setting(16 << 20, "how many bytes of a job's output are kept", 0)
    max_streams: int = _setting(10_000, "how many streams may be open at once", 1)
    max_workers: int = _setting(1_000, "how many workers may be connected at once", 0)
    worker_lease: float = _setting(15.0, "how long a worker may be silent before its jobs are given back", 1)
    isolation: str = _setting("thread", "thread, or process: where handlers run that don't say")
    commands: tuple[str, ...] = _setting(
        (), "an executable that jobs of kind `command` may run; may be given again", flag="allow-command"
    )
    unknown_kinds: str = _setting(
        "refuse", "refuse, or wait: what becomes of jobs of a kind that no handler or worker is there for"
    )
    heartbeat: float = _setting(15.0, "how long a stream stays silent", 0.1)
    report_interval: float = _setting(0.25, "how often a job's progress and output are taken in at most", 0)
    traces: str = _setting("", "otlp: send spans to where the OTEL_… variables say; empty: send none")
    log_level: str = _setting("info", "debug, info, warning or error")
    log_format: str = _setting("auto", "json, text, or auto: text on a terminal")


_ORIGIN = re.compile(r"https?://[a-z0-9.\[\]:-]+")

_ALLOWED = {
    "isolation": ("thread", "process"),
    "unknown_kinds": ("refuse", "wait"),
    "traces": ("", "otlp"),
    "log_level": ("debug", "info", "warning", "error"),
    "log_format": ("auto", "json", "text"),
}


def load(flags: Mapping[str, Any], environment: Mapping[str, str], file: str | None = None) -> Settings:
    """Settings from all layers; `flags` that are None, or empty, were not given.

    Raises SettingsError.
    """
    chosen: dict[str, Any] = {}
    if file is not None:
        chosen |= _from_file(Path(file))
    for entry in fields(Settings):
        variable = f"SLOTD_{entry.name.upper()}"
        if environment.get(variable):
            chosen[entry.name] = _parsed(entry.type, environment[variable], variable)
    chosen |= {name: value for name, value in flags.items() if value not in (None, ())}
    return _validated(Settings(**chosen))


def _from_file(path: Path) -> dict[str, Any]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path}: {error}") from error
    types = {entry.name: entry.type for entry in fields(Settings)}
    chosen = {}
    for key, value in content.items():
        name = key.replace("-", "_")
        if name not in types:
            raise SettingsError(f"{path}: there is no setting {key!r}")
        chosen[name] = _parsed(types[name], value, f"{path}: {key}")
    return chosen


def _parsed(kind: Any, value: Any, source: str) -> Any:
    if kind == tuple[str, ...]:
        return _texts(value, source)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise SettingsError(f"{source}: {value!r} is not a {kind.__name__}")
    try:
        return kind(value)
    except (TypeError, ValueError):
        raise SettingsError(f"{source}: {value!r} is not a {kind.__name__}") from None


def _texts(value: Any, source: str) -> tuple[str, ...]:
    texts = value.split(",") if isinstance(value, str) else value
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise SettingsError(f"{source}: {value!r} is not a list of texts")
    return tuple(stripped for text in texts if (stripped := text.strip()))


def _validated(settings: Settings) -> Settings:
    for entry in fields(Settings):
        value, least, most = getattr(settings, entry.name), entry.metadata["least"], entry.metadata["most"]
        # Written so that a NaN fails too.
        if least is not None and not least <= value <= most:
            bound = f"the most is {most}" if value > most else f"the least is {least}"
            raise SettingsError(f"{entry.name} is {value}; {bound}")
        allowed = _ALLOWED.get(entry.name)
        if allowed is not None and value not in allowed:
            choices = ", ".join(one or "nothing" for one in allowed)
            raise SettingsError(f"{entry.name} is {value!r}; it is one of {choices}")
    for origin in settings.http_origins:
        # As browsers send it, since it is compared and no more.
        if not _ORIGIN.fullmatch(origin):
            raise SettingsError(f"http_origins: {origin!r} is no origin, such as https://example.com or http://host:80")
    return settings
