"""A pipeline, submitted as one batch: the checksum and the words of each part of a folder, a report of them all, and an
archive of the folder once the report is there.

    python examples/pipeline.py docs var/output

The service runs `examples/handlers.py`. Jobs that read share the disk; the archive waits until it has it alone.
"""

import argparse
import re
import uuid
from collections.abc import Mapping
from pathlib import Path

import slotd
from slotd import v1


def pipeline(folder: Path, output: Path, group: str) -> dict[str, v1.JobSpec]:
    """The jobs by their names, by which they depend on each other; all of them are in `group`."""
    reading = slotd.shared("disk/source")
    jobs: dict[str, v1.JobSpec] = {}
    report_on: list[v1.Dependency] = []
    for number, part in enumerate(sorted(folder.iterdir())):
        name = f"{number:02}-{re.sub(r'[^A-Za-z0-9._-]', '_', part.name)}"
        payload = {"path": str(part)}
        jobs[f"sum/{name}"] = slotd.spec("checksum", payload, group=group, resources=reading)
        jobs[f"words/{name}"] = slotd.spec("word-count", payload, group=group, resources=reading, max_attempts=1)
        # Without its checksum a part is not reported on; that its words can't be counted is no reason to stop.
        report_on += [slotd.after(f"sum/{name}"), slotd.after(f"words/{name}", ended=True)]
    jobs["report"] = slotd.spec("report", {"output": str(output / "report.csv")}, group=group, depends_on=report_on)
    jobs["archive"] = slotd.spec(
        "compress",
        {"path": str(folder), "output": str(output / "folder.tar.gz")},
        group=group,
        depends_on="report",
        resources=slotd.exclusive("disk/*"),
    )
    return jobs


def run(client: slotd.Client, jobs: Mapping[str, v1.JobSpec]) -> dict[str, v1.Job]:
    """Submits them, tells of each that ends, and answers all of them as they are then."""
    submitted = client.submit_batch(jobs)
    names = {job.id: name for name, job in submitted.items()}
    ended: dict[str, v1.Job] = {}
    # A stream of jobs closes by itself when the last of them has ended.
    for event in client.stream(job_ids=submitted.values(), view=v1.JOB_VIEW_FULL):
        if event.job.HasField("end_time"):
            name = names[event.job.id]
            ended[name] = event.job
            state = v1.JobState.Name(event.job.state).removeprefix("JOB_STATE_")
            print(f"{state:<10} {name}  {event.job.error.message}".rstrip())
    return ended


def main() -> int:
    """Answers the exit status: 0 where the archive was made."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--address", default="127.0.0.1:7433")
    options = parser.parse_args()
    # The service has a present folder of its own.
    jobs = pipeline(options.folder.resolve(), options.output.resolve(), f"pipeline-{uuid.uuid4().hex[:8]}")
    with slotd.Client(options.address) as client:
        archive = run(client, jobs)["archive"]
    if archive.state != v1.JOB_STATE_SUCCEEDED:
        return 1
    print(slotd.decode(archive.result))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
