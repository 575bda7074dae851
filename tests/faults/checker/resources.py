"""Who claims what, and which claims conflict."""

from collections.abc import Iterable, Iterator

from tests.faults.checker.records import Claim


class Claims:
    """The claims of those that hold some, by holder.

    A claim is looked for under its own name, under the wildcards above it and, being a wildcard, under all names below
    it: so what many others hold beside it costs nothing.
    """

    def __init__(self) -> None:
        self._named: dict[str, dict[str, bool]] = {}
        self._below: dict[str, dict[str, bool]] = {}
        self._held: dict[str, tuple[Claim, ...]] = {}

    def conflict(self, holder: str, claims: Iterable[Claim]) -> tuple[str, str] | None:
        """Somebody else who holds what conflicts with one of `claims`, and that claim's name."""
        for claim in claims:
            for others in self._touching(claim.name):
                for other, shared in others.items():
                    if other != holder and not (shared and claim.shared):
                        return other, claim.name
        return None

    def hold(self, holder: str, claims: tuple[Claim, ...]) -> None:
        """From now on the holder has these."""
        self._held[holder] = claims
        for claim in claims:
            for names, key in self._places(claim.name):
                holders = names.setdefault(key, {})
                # Of two claims of one job on one name the exclusive one counts.
                holders[holder] = claim.shared and holders.get(holder, True)

    def release(self, holder: str) -> None:
        """It has none any more. Where it had none: no change."""
        for claim in self._held.pop(holder, ()):
            for names, key in self._places(claim.name):
                holders = names.get(key, {})
                holders.pop(holder, None)
                if not holders:
                    names.pop(key, None)

    def _places(self, name: str) -> Iterator[tuple[dict[str, dict[str, bool]], str]]:
        yield self._named, name
        for above in _above(name):
            yield self._below, above

    def _touching(self, name: str) -> Iterator[dict[str, bool]]:
        yield self._named.get(name, {})
        for above in _above(name):
            if above != name:
                yield self._named.get(above, {})
        if name.endswith("*"):
            yield self._below.get(name, {})


def _above(name: str) -> Iterator[str]:
    """The wildcards that cover the name, itself left out."""
    if name == "*":
        return
    yield "*"
    end = name.find("/")
    while end >= 0:
        wildcard = f"{name[:end]}/*"
        if wildcard != name:
            yield wildcard
        end = name.find("/", end + 1)
