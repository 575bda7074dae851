/** The servers that share the store. */

import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { Server } from "slotd/v1";

import { Heads, numbers } from "../../components/heads";
import { count, length } from "../../components/format";
import { Ago } from "../../components/time";
import { useNow } from "../../data/hooks";
import { writeLength } from "../submit/values";
import { Kinds } from "./kinds";
import { leaseLeftMs } from "./lease";

const COLUMNS = [
  "Name",
  "State",
  "Address",
  "Version",
  "Started",
  numbers("Slots"),
  numbers("Running"),
  numbers("Zombies"),
  numbers("Workers"),
  "Last heard of",
  "Kinds",
];

export function ServerTable({ servers }: { servers: readonly Server[] }) {
  return (
    <div className="table-scroll" role="region" aria-label="All servers" tabIndex={0}>
      <table className="table workers-table">
        <Heads of={COLUMNS} />
        <tbody>
          {servers.map((server) => (
            <ServerRow key={server.id} server={server} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function ServerRow({ server }: { server: Server }) {
  return (
    <tr>
      <th scope="row" title={server.id}>
        {server.name || server.id} {server.local && <span className="chip">this one</span>}
      </th>
      <td>
        <ServerState server={server} />
      </td>
      <td className="mono">{server.address}</td>
      <td>{server.version}</td>
      <td>
        <Ago at={server.startTime} />
      </td>
      <td className="number">{count(server.slots)}</td>
      <td className="number">{count(server.running)}</td>
      <td className="number">{count(server.zombie)}</td>
      <td className="number">{count(server.workers)}</td>
      <td>
        {server.renewTime ? (
          <span title={`Its lease lasts ${writeLength(server.lease)}`}>
            <Ago at={server.renewTime} />
          </span>
        ) : (
          <span className="soft" title="With SQLite it is the only one, and there is no lease">
            no lease
          </span>
        )}
      </td>
      <td>
        <Kinds kinds={server.kinds} />
      </td>
    </tr>
  );
}

function ServerState({ server }: { server: Server }) {
  const left = leaseLeftMs(server, useNow());
  if (left !== undefined && left < 0) {
    const since = server.renewTime ? timestampMs(server.renewTime) : 0;
    return (
      <span className="workers-gone" title={`Silent since ${new Date(since).toLocaleString()}`}>
        gone: lease over for {length(-left, true)}
      </span>
    );
  }
  return server.draining ? <span className="workers-draining">draining</span> : <span>serving</span>;
}
