"""What a handler gets of the jobs that its own depended on."""

import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from slotd.codec import DecodeError, decode_value

Encoded = tuple[str, bytes]
"""Content type and data."""


class Results(Mapping[str, Any]):
    """What `JobContext.results` is: loaded as a whole at first use, each decoded when it is first asked for.

    That raises DecodeError, which names the job, where the bytes are not what their content type says.
    """

    def __init__(self, load: Callable[[], Mapping[str, Encoded | None]]) -> None:
        self._load = load
        self._encoded: Mapping[str, Encoded | None] | None = None
        self._decoded: dict[str, Any] = {}
        self._lock = threading.Lock()

    def __getitem__(self, name: str) -> Any:
        with self._lock:
            if name not in self._decoded:
                self._decoded[name] = _decode(name, self._loaded()[name])
            return self._decoded[name]

    def __iter__(self) -> Iterator[str]:
        with self._lock:
            return iter(self._loaded())

    def __len__(self) -> int:
        with self._lock:
            return len(self._loaded())

    def __contains__(self, name: object) -> bool:
        with self._lock:
            return name in self._loaded()

    def __repr__(self) -> str:
        return f"Results({list(self)})"

    def _loaded(self) -> Mapping[str, Encoded | None]:
        if self._encoded is None:
            self._encoded = self._load()
        return self._encoded


def _decode(name: str, encoded: Encoded | None) -> object:
    if encoded is None:
        return None
    try:
        return decode_value(*encoded)
    except DecodeError as error:
        raise DecodeError(f"the result of {name!r}: {error}") from error
