/** The queues in a table. */

import type { Queue } from "slotd/v1";

import { Heads, numbers } from "../../components/heads";
import { count } from "../../components/format";
import { Icon } from "../../components/icon";
import { Sparkline } from "../../components/sparkline";
import { type DepthSample, waiting } from "../../data/depth-history";
import { useData, useStore } from "../../data/hooks";
import { Link } from "../../shell/router";
import { QueueActions } from "./queue-actions";
import { paths, rateText } from "./queue-texts";

const COLUMNS = [
  "Name",
  "Starts jobs",
  numbers("Waiting"),
  { title: "Lately", hint: "Jobs that wait or run, over five minutes at most" },
  numbers("Running"),
  numbers("Slots"),
  "Rate",
  numbers("Most waiting"),
  numbers("Per key"),
  numbers("Keeps"),
  "Actions",
];

export function QueueTable({ queues, chosen }: { queues: readonly Queue[]; chosen: Queue | undefined }) {
  const samples = useStore(useData().depth);
  return (
    <section className="card table-scroll" aria-label="All queues" tabIndex={0}>
      <table className="table">
        <Heads of={COLUMNS} />
        <tbody>
          {queues.map((queue) => (
            <QueueRow key={queue.name} queue={queue} isChosen={queue === chosen} samples={samples} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

interface RowProperties {
  queue: Queue;
  isChosen: boolean;
  samples: readonly DepthSample[];
}

function QueueRow({ queue, isChosen, samples }: RowProperties) {
  const { name, paused, counters } = queue;
  const { queued = 0n, blocked = 0n, scheduled = 0n, running = 0n } = counters ?? {};
  return (
    <tr>
      <th scope="row">
        <Link href={paths.show(name)} aria-current={isChosen ? "true" : undefined}>
          {name}
        </Link>
      </th>
      <td>
        {paused ? (
          <span className="queues-paused">
            <Icon name="pause" />
            paused
          </span>
        ) : (
          <span className="soft">yes</span>
        )}
      </td>
      <td
        className="number"
        title={`${count(queued)} queued, ${count(blocked)} blocked, ${count(scheduled)} scheduled`}
      >
        {count(counters ? waiting(counters) : 0)}
      </td>
      <td>
        <Sparkline
          label={`Jobs of ${name} that wait or run`}
          spanMs={Math.max(60_000, (samples.at(-1)?.at ?? 0) - (samples[0]?.at ?? 0))}
          times={samples.map(({ at }) => at)}
          values={samples.map((sample) => sample.queues.get(name) ?? 0)}
        />
      </td>
      <td className="number">{count(running)}</td>
      <Limit value={queue.slots} />
      <td>{rateText(queue) || <NoLimit />}</td>
      <Limit value={queue.maxQueued} />
      <Limit value={queue.slotsPerKey} />
      <Limit value={queue.retainCount} />
      <td>
        <QueueActions queue={queue} />
      </td>
    </tr>
  );
}

function Limit({ value }: { value: number | bigint | undefined }) {
  return <td className="number">{value === undefined ? <NoLimit /> : count(value)}</td>;
}

function NoLimit() {
  return (
    <span className="soft" title="No limit">
      <span aria-hidden="true">–</span>
      <span className="visually-hidden">no limit</span>
    </span>
  );
}
