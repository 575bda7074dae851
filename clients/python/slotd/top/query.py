"""Which jobs the view shows: words that all have to match.

`kind:NAME`, `queue:NAME`, `id:PART` and `label:KEY=VALUE` (or `label:KEY`) match one field; any other word is looked
for in all of them. Parts of names will do, in any case.
"""

from dataclasses import dataclass

from slotd import v1

FIELDS = ("kind", "queue", "id", "label")


@dataclass(frozen=True)
class Query:
    """A filter as it was typed."""

    text: str = ""

    def matches(self, job: v1.Job) -> bool:
        """Whether the view shows this job."""
        return all(_matches(job, *_term(word)) for word in self.text.split())

    def matches_queue(self, name: str) -> bool:
        """Whether the view shows this queue: words about other things hide none."""
        terms = (_term(word) for word in self.text.split())
        return all(wanted.lower() in name.lower() for field, wanted in terms if field == "queue")


def _term(word: str) -> tuple[str, str]:
    field, colon, wanted = word.partition(":")
    return (field, wanted) if colon and field in FIELDS else ("", word)


def _matches(job: v1.Job, field: str, wanted: str) -> bool:
    wanted = wanted.lower()
    match field:
        case "kind":
            return wanted in job.spec.kind.lower()
        case "queue":
            return wanted in job.spec.queue.lower()
        case "id":
            return wanted in job.id
        case "label":
            return _labelled(job, wanted)
        case _:
            return any(_matches(job, one, wanted) for one in FIELDS)


def _labelled(job: v1.Job, wanted: str) -> bool:
    return any(wanted in f"{key}={value}".lower() for key, value in job.spec.labels.items())
