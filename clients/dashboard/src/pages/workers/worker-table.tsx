/** The workers, and how to drain them. */

import { useState } from "react";
import type { Server, Worker } from "slotd/v1";

import { Confirm } from "../../components/confirm";
import { Heads, numbers } from "../../components/heads";
import { count, plural } from "../../components/format";
import { Ago } from "../../components/time";
import { useData } from "../../data/hooks";
import { attempt } from "../../shell/toasts";
import { Kinds } from "./kinds";

const COLUMNS = [
  "Name",
  "State",
  "Id",
  "Client",
  "Server",
  "Connected",
  numbers("Slots"),
  numbers("Running"),
  numbers("Zombies"),
  "Kinds",
  { title: "Actions", className: "workers-actions" },
];

interface Properties {
  workers: readonly Worker[];
  servers: readonly Server[];
}

export function WorkerTable({ workers, servers }: Properties) {
  const names = new Map(servers.map(({ id, name }) => [id, name]));
  return (
    <div className="table-scroll" role="region" aria-label="All workers" tabIndex={0}>
      <table className="table workers-table">
        <Heads of={COLUMNS} />
        <tbody>
          {workers.map((worker) => (
            <WorkerRow key={worker.id} worker={worker} server={names.get(worker.server) ?? worker.server} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function WorkerRow({ worker, server }: { worker: Worker; server: string }) {
  return (
    <tr>
      <th scope="row">{worker.name || worker.id}</th>
      <td>
        <WorkerState worker={worker} />
      </td>
      <td className="mono workers-id" title={worker.id}>
        {worker.id}
      </td>
      <td>{worker.client}</td>
      <td title={worker.server}>{server}</td>
      <td>
        <Ago at={worker.startTime} />
      </td>
      <td className="number">{count(worker.slots)}</td>
      <td className="number">{count(worker.running)}</td>
      <td className="number">{count(worker.zombie)}</td>
      <td>
        <Kinds kinds={worker.kinds} />
      </td>
      <td className="workers-actions">
        <DrainButton worker={worker} />
      </td>
    </tr>
  );
}

function WorkerState({ worker: { connected, draining } }: { worker: Worker }) {
  if (!connected) {
    return (
      <span className="workers-gone" title="It is lost unless it connects again within a lease">
        away
      </span>
    );
  }
  return draining ? <span className="workers-draining">draining</span> : <span>connected</span>;
}

function DrainButton({ worker }: { worker: Worker }) {
  const { client, workers } = useData();
  const [asking, setAsking] = useState(false);
  const name = worker.name || worker.id;
  const drain = async (): Promise<boolean> => {
    const worked = await attempt(
      `Drain ${name}`,
      () => client.workers.drainWorker({ workerId: worker.id }),
      `${name} takes nothing more`,
    );
    workers.refresh();
    return worked;
  };
  return (
    <>
      <button
        type="button"
        className="button"
        aria-label={`Drain ${name}`}
        disabled={worker.draining}
        onClick={() => setAsking(true)}
      >
        Drain
      </button>
      {asking && (
        <Confirm title={`Drain ${name}?`} verb="Drain" danger close={() => setAsking(false)} confirm={drain}>
          It takes no more jobs, ends the {plural(worker.running, "job")} that it runs, and leaves. To have it back it
          has to be started again.
        </Confirm>
      )}
    </>
  );
}
