"""What is submitted must fit together too: with the handlers that there are, with the limits, and within its batch."""

import difflib
from collections.abc import Collection, Iterable, Mapping, Sequence

from slotd import v1
from slotd_server.domain.errors import InvalidArgument, TooLarge
from slotd_server.rpc import validate
from slotd_server.rpc.rules import MOST_VIOLATIONS, Violations, name

BATCH_DEPENDENCIES = 10_000


class Submissions:
    """The checks of what is submitted, now or by a schedule. They know the registered `kinds` (None: any will do), and
    the limits in bytes of a payload and of a whole batch.

    All methods raise InvalidArgument (with reason UNKNOWN_KIND where that alone is wrong), and TooLarge.
    """

    def __init__(
        self, kinds: Mapping[str, object] | None, *, max_payload: int = 1 << 20, max_batch: int = 16 << 20
    ) -> None:
        self._kinds = kinds
        self._max_payload = max_payload
        self._max_batch = max_batch

    def check(self, request: v1.SubmitRequest) -> None:
        wrong = validate.SUBMIT(request)
        spec = request.spec
        if wrong or not self._know({spec.kind}):
            self._refuse(wrong, [("spec", spec)])
        self._check_payload("spec", spec)

    def check_batch(self, request: v1.SubmitBatchRequest) -> None:
        size = request.ByteSize()
        if size > self._max_batch:
            raise TooLarge("requests", size, self._max_batch)
        requests = request.requests
        # Millions of empty ones fit into a batch; nothing may look at each.
        if not 0 < len(requests) <= validate.BATCH_JOBS:
            raise InvalidArgument(("requests", f"has {len(requests)} jobs; must be 1 to {validate.BATCH_JOBS:,}"))
        specs = [one.spec for one in requests]
        dependencies = sum([len(spec.depends_on) for spec in specs])
        if dependencies > BATCH_DEPENDENCIES:
            much = f"have {dependencies:,} dependencies together; at most {BATCH_DEPENDENCIES:,} are allowed"
            raise InvalidArgument(("requests", much))
        wrong = [*validate.violations(request), *_at_odds(requests)]
        if dependencies:
            wrong += _unknown_refs(requests)
        if wrong or not self._know({spec.kind for spec in specs}):
            self._refuse(wrong, [(f"requests[{number}].spec", spec) for number, spec in enumerate(specs)])
        if size > self._max_payload:
            for number, spec in enumerate(specs):
                self._check_payload(f"requests[{number}].spec", spec)

    def check_schedule(self, request: v1.ScheduleServiceCreateRequest | v1.ScheduleServiceUpdateRequest) -> None:
        """One that does not set the spec may be fine without."""
        wrong = validate.violations(request)
        schedule = request.schedule
        spec = schedule.spec
        if wrong or (schedule.HasField("spec") and not self._know({spec.kind})):
            self._refuse(wrong, [("schedule.spec", spec)])
        self._check_payload("schedule.spec", spec)

    def _know(self, kinds: set[str]) -> bool:
        return self._kinds is None or self._kinds.keys() >= kinds

    def _check_payload(self, path: str, spec: v1.JobSpec) -> None:
        size = len(spec.payload.data)
        if size > self._max_payload:
            raise TooLarge(f"{path}.payload.data", size, self._max_payload)

    def _refuse(self, wrong: Violations, specs: Iterable[tuple[str, v1.JobSpec]]) -> None:
        """Raises for what is wrong already and for kinds that are of the right form, but not known."""
        unknown: list[tuple[str, str]] = []
        told: dict[str, str] = {}
        for path, spec in specs:
            kind = spec.kind
            if (
                self._kinds is not None
                and kind not in self._kinds
                and not name(kind)
                and len(unknown) < MOST_VIOLATIONS
            ):
                if kind not in told:
                    told[kind] = _unknown(kind, self._kinds)
                unknown.append((f"{path}.kind", told[kind]))
        raise InvalidArgument(*wrong, *unknown, reason="INVALID_ARGUMENT" if wrong else "UNKNOWN_KIND")


def _unknown(kind: str, kinds: Collection[str]) -> str:
    near = difflib.get_close_matches(kind, kinds, n=3)
    meant = f"; did you mean {' or '.join(repr(one) for one in near)}?" if near else ""
    return f"no handler is registered for {kind!r}{meant}"


def _at_odds(requests: Sequence[v1.SubmitRequest]) -> Violations:
    """What is wrong with requests only because of each other."""
    found = []
    if len({one.validate_only for one in requests}) > 1:
        first = requests[0].validate_only
        number = next(number for number, one in enumerate(requests) if one.validate_only != first)
        found.append((f"requests[{number}].validate_only", "must be the same in all requests"))
    found += _repeated("request_id", [one.request_id for one in requests])
    found += _repeated("ref", [one.ref for one in requests])
    return found


def _repeated(field: str, values: Sequence[str]) -> Violations:
    """Values of a field that are there more than once; empty ones do not count."""
    given = [value for value in values if value]
    if len(set(given)) == len(given):
        return ()
    found = []
    seen: dict[str, int] = {}
    for number, value in enumerate(values):
        if value and (first := seen.setdefault(value, number)) != number:
            found.append((f"requests[{number}].{field}", f"is that of requests[{first}] too"))
    return found[:MOST_VIOLATIONS]


def _unknown_refs(requests: Sequence[v1.SubmitRequest]) -> Violations:
    refs = {one.ref for one in requests}
    found = [
        (f"requests[{number}].spec.depends_on[{place}].ref", f"no request of this batch has the ref {one.ref!r}")
        for number, request in enumerate(requests)
        for place, one in enumerate(request.spec.depends_on)
        if one.ref and one.ref not in refs
    ]
    return found[:MOST_VIOLATIONS]
