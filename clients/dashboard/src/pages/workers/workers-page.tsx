/** Where jobs run: the servers that share the store, and the workers that are connected to them. */

import { AnswerNote, EmptyNote } from "../../components/notes";
import { useData, usePolled } from "../../data/hooks";
import { ServerTable } from "./server-table";
import { WorkerTable } from "./worker-table";
import "./workers.css";

export function WorkersPage() {
  const { servers, workers } = useData();
  const known = usePolled((data) => data.servers);
  const connected = usePolled((data) => data.workers);
  const local = known.value?.find((server) => server.local);
  return (
    <div className="page">
      <div className="page-head">
        <h1>Workers and servers</h1>
      </div>
      <section className="card" aria-labelledby="workers-title">
        <div className="card-head">
          <h2 id="workers-title">Workers</h2>
        </div>
        <AnswerNote answer={connected} retry={workers.refresh} />
        {connected.value?.length === 0 && (
          <EmptyNote title="No worker is connected">
            <p>Servers run jobs themselves, in slots of their own. A worker adds slots, on any machine:</p>
            <p>
              <code>slotd worker MODULE --address {local?.address ?? "HOST:PORT"}</code>
            </p>
          </EmptyNote>
        )}
        {connected.value && connected.value.length > 0 && (
          <WorkerTable workers={connected.value} servers={known.value ?? []} />
        )}
      </section>
      <section className="card" aria-labelledby="servers-title">
        <div className="card-head">
          <h2 id="servers-title">Servers</h2>
        </div>
        <AnswerNote answer={known} retry={servers.refresh} />
        {known.value && <ServerTable servers={known.value} />}
      </section>
    </div>
  );
}
