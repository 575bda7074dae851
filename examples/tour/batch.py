"""The tour's jobs: what is submitted, how each is meant to end, and seeing them through."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import slotd
from examples.tour.samples import Samples
from slotd import v1

RUN_LABEL = "run"

Show = Callable[[v1.Job], None]


class Planned(NamedTuple):
    """A job, what it shows, and how it is meant to end. With `cancel` it is cancelled once it runs; `ref` is its name,
    by which others of the batch depend on it."""

    spec: v1.JobSpec
    title: str
    end: v1.JobState.ValueType = v1.JOB_STATE_SUCCEEDED
    cancel: bool = False
    ref: str = ""


def plan(samples: Samples, output: Path, url: str, address: str, run: str) -> list[Planned]:
    """The batch. `url` has the samples, `address` is the service's own, `run` the label that these jobs carry."""
    labels = {RUN_LABEL: run}

    def succeeds(title: str, kind: str, **payload: object) -> Planned:
        return Planned(slotd.spec(kind, payload, labels=labels), title)

    def fails(title: str, kind: str, **payload: object) -> Planned:
        return succeeds(title, kind, **payload)._replace(end=v1.JOB_STATE_FAILED)

    def cancelled(title: str, kind: str, **payload: object) -> Planned:
        return succeeds(title, kind, **payload)._replace(end=v1.JOB_STATE_CANCELLED, cancel=True)

    def out(name: str) -> str:
        return str(output / name)

    texts, blobs = str(samples.texts), str(samples.blobs)
    jobs = [
        succeeds("SHA-256 of a folder", "checksum", path=blobs)._replace(ref="sums"),
        succeeds("words of a folder of texts", "word-count", path=texts)._replace(ref="words"),
        Planned(
            slotd.spec("report", {"output": out("report.csv")}, labels=labels, depends_on=["sums", "words"]),
            "a report of the two above",
        ),
        succeeds("a folder as .tar.gz", "compress", path=texts, output=out("texts.tar.gz")),
        succeeds("a folder as .tar.xz", "compress", path=texts, output=out("texts.tar.xz")),
        succeeds("a file by HTTP", "fetch", url=f"{url}blobs/blob-00.bin", output=out("fetched.bin")),
        fails("no such page, fails at once", "fetch", url=f"{url}none", output=out("none")),
        succeeds("fails twice, then succeeds", "flaky", failures=2),
        succeeds("a wait of 3 seconds", "sleep", seconds=3),
        cancelled("a wait of a minute, cancelled", "sleep", seconds=60),
    ]
    if not address.startswith("unix:"):
        jobs.append(succeeds("open ports, async", "probe", targets=[address, "127.0.0.1:1"]))
    if samples.pictures is not None:
        pictures = str(samples.pictures)
        jobs.append(succeeds("thumbnails of a folder", "thumbnail", path=pictures, output=out("thumbnails")))
    return jobs


def submit(client: slotd.Client, jobs: list[Planned]) -> v1.SubmitBatchResponse:
    """Submits all of them in one call, all or none; the answer has the cursor from which nothing is missed."""
    requests = [v1.SubmitRequest(spec=job.spec, ref=job.ref) for job in jobs]
    return client.send_submit_batch(v1.SubmitBatchRequest(requests=requests))


def follow(client: slotd.Client, jobs: list[Planned], batch: v1.SubmitBatchResponse, show: Show) -> list[v1.Job]:
    """Shows each job whenever it changes, until all have ended; answers them as they are then, in order."""
    now = {job.id: job for job in batch.jobs}
    cancel = {job.id for job, planned in zip(batch.jobs, jobs, strict=True) if planned.cancel}
    for job in batch.jobs:
        show(job)
    events = client.stream(job_ids=list(now), cursor=batch.cursor, include_progress=True, view=v1.JOB_VIEW_FULL)
    with events:
        for event in events:
            job = event.job
            now[job.id] = job
            show(job)
            if job.id in cancel and job.state == v1.JOB_STATE_RUNNING:
                cancel.remove(job.id)
                client.cancel(job)
    return [now[job.id] for job in batch.jobs]
