/** What can be done with a queue. */

import { useState } from "react";
import type { Queue } from "slotd/v1";

import { Confirm } from "../../components/confirm";
import { plural } from "../../components/format";
import { Icon } from "../../components/icon";
import { waiting } from "../../data/depth-history";
import { useData } from "../../data/hooks";
import { Link } from "../../shell/router";
import { attempt } from "../../shell/toasts";
import { paths } from "./queue-texts";

export function QueueActions({ queue }: { queue: Queue }) {
  const { client, queues } = useData();
  const [asking, setAsking] = useState(false);
  const { name, paused = false, counters } = queue;
  const verb = paused ? "Resume" : "Pause";
  const toggle = async (): Promise<boolean> => {
    const worked = await attempt(
      `${verb} ${name}`,
      () => client.queues.updateQueue({ queue: { name, paused: !paused }, updateMask: { paths: ["paused"] } }),
      paused ? `${name} starts jobs again` : `${name} is paused`,
    );
    queues.refresh();
    return worked;
  };
  const waits = plural(counters ? waiting(counters) : 0, "job");
  return (
    <span className="queues-actions">
      <button type="button" className="button" aria-label={`${verb} ${name}`} onClick={() => setAsking(true)}>
        <Icon name={paused ? "play" : "pause"} />
        {verb}
      </button>
      <Link className="icon-button" href={paths.edit(name)} aria-label={`Edit ${name}`} title="Edit limits">
        <Icon name="edit" />
      </Link>
      <Link className="icon-button" href={paths.jobs(name)} aria-label={`Jobs of ${name}`} title="Its jobs">
        <Icon name="list" />
      </Link>
      {asking && (
        <Confirm title={`${verb} ${name}?`} verb={verb} close={() => setAsking(false)} confirm={toggle}>
          {paused
            ? `Its jobs start again as slots and limits allow; ${waits} wait.`
            : `Nothing of it starts until it is resumed, on any server. ${plural(counters?.running ?? 0, "job")} that run go on, ${waits} wait, and more can be submitted.`}
        </Confirm>
      )}
    </span>
  );
}
