"""A schedule: the checksums of a folder, every night at half past two in Berlin, and once right now.

    python examples/nightly.py docs

The service runs `examples/handlers.py`.
"""

import argparse
from pathlib import Path

import slotd
from slotd import v1

NAME = "nightly-checksums"


def schedule(client: slotd.Client, folder: Path) -> v1.Schedule:
    """Makes the schedule; where it is there from an earlier time, it gets these settings."""
    spec = slotd.spec("checksum", {"path": str(folder)}, labels={"made-by": "nightly"})
    try:
        return client.create_schedule(
            NAME, spec, cron="30 2 * * *", time_zone="Europe/Berlin", overlap="queue_one", jitter=300
        )
    except slotd.ScheduleExists:
        return client.update_schedule(NAME, spec=spec)


def main() -> int:
    """Answers the exit status: 0 where the job of right now succeeded."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--address", default="127.0.0.1:7433")
    options = parser.parse_args()
    with slotd.Client(options.address) as client:
        made = schedule(client, options.folder.resolve())
        for time in made.next_fire_times:
            print(f"fires at {time.ToDatetime():%Y-%m-%d %H:%M:%S} UTC")
        job = client.wait(client.trigger_schedule(NAME))
        print(f"this time: {slotd.decode(job.result)}")
    return 0 if job.state == v1.JOB_STATE_SUCCEEDED else 1


if __name__ == "__main__":
    raise SystemExit(main())
