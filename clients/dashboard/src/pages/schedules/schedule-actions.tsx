/** What can be done with a schedule. */

import { useState } from "react";
import type { Schedule } from "slotd/v1";
import type { Job } from "slotd/web";

import { Confirm } from "../../components/confirm";
import { Icon } from "../../components/icon";
import { shortId } from "../../components/format";
import { useData } from "../../data/hooks";
import { Link, navigate } from "../../shell/router";
import { attempt } from "../../shell/toasts";
import { requestId } from "../submit/request-id";
import { paths } from "./schedule-texts";

export function ScheduleActions({ schedule: { name, paused } }: { schedule: Schedule }) {
  const { client, schedules, recent } = useData();
  const [deleting, setDeleting] = useState(false);
  const run = async (what: string, call: () => Promise<{ job?: Job }>, done: string): Promise<boolean> => {
    const worked = await attempt(`${what} ${name}`, call, ({ job }) => {
      if (job) {
        recent.keep(job);
      }
      return job ? `${done}: job ${shortId(job.id)}` : done;
    });
    schedules.refresh();
    return worked;
  };
  const trigger = (): Promise<boolean> =>
    run("Trigger", () => client.schedules.trigger({ name, requestId: requestId() }), "Triggered");
  const toggle = (): Promise<boolean> =>
    paused
      ? run("Resume", () => client.schedules.resume({ name }).then(() => ({})), "Fires again")
      : run("Pause", () => client.schedules.pause({ name }).then(() => ({})), "Paused");
  const remove = async (): Promise<boolean> => {
    const worked = await run("Delete", () => client.schedules.delete({ name }).then(() => ({})), "Deleted");
    if (worked) {
      navigate(paths.all);
    }
    return worked;
  };
  return (
    <span className="schedules-actions">
      <button type="button" className="button" aria-label={`Trigger ${name} now`} onClick={() => void trigger()}>
        Trigger
      </button>
      <button
        type="button"
        className="button"
        aria-label={`${paused ? "Resume" : "Pause"} ${name}`}
        onClick={() => void toggle()}
      >
        {paused ? "Resume" : "Pause"}
      </button>
      <Link className="icon-button" href={paths.edit(name)} aria-label={`Edit ${name}`} title="Edit">
        <Icon name="edit" />
      </Link>
      <button
        type="button"
        className="icon-button"
        aria-label={`Delete ${name}`}
        title="Delete"
        onClick={() => setDeleting(true)}
      >
        <Icon name="remove" />
      </button>
      {deleting && (
        <Confirm title={`Delete ${name}?`} verb="Delete" danger close={() => setDeleting(false)} confirm={remove}>
          It fires no more. The jobs that it made stay.
        </Confirm>
      )}
    </span>
  );
}
