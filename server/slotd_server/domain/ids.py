"""Job ids: UUIDv7 (RFC 9562), in the order in which one server makes them."""

from collections.abc import Callable


class IdSource:
    """Makes UUIDv7 texts that only ever grow, also within a millisecond and when the clock steps back.

    `random_bits(n)` yields an n-bit number. Not safe for threads: the writer alone calls it.
    """

    def __init__(self, random_bits: Callable[[int], int]) -> None:
        self._random_bits = random_bits
        self._last = 0

    def next(self, now: int) -> str:
        """An id for time `now`, microseconds since the epoch."""
        # RFC 9562, 6.2, method 3: the 12 bits after the milliseconds are a finer clock, stepped where it stands still.
        stamp = max((now // 1000 << 12) | (now % 1000 * 4096 // 1000), self._last + 1)
        self._last = stamp
        number = stamp >> 12 << 80 | 0x7 << 76 | (stamp & 0xFFF) << 64 | 0b10 << 62 | self._random_bits(62)
        text = f"{number:032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
