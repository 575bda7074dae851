/** All queues: what is in them, what holds for them, and pausing, resizing and limiting them. */

import { useState } from "react";

import { count } from "../../components/format";
import { AnswerNote, EmptyNote } from "../../components/notes";
import { useData, usePolled } from "../../data/hooks";
import { Link, usePlace, useSearchField } from "../../shell/router";
import { QueueEditor } from "./queue-editor";
import { QueueTable } from "./queue-table";
import { paths } from "./queue-texts";
import { QueueView } from "./queue-view";
import "./queues.css";

// Rows that are drawn unasked: each is drawn anew with every answer.
const FEW = 100;

export function QueuesPage() {
  const { queues } = useData();
  const answer = usePolled((data) => data.queues);
  const { value } = answer;
  const fields = new URLSearchParams(usePlace().search);
  const [wanted, setWanted] = useSearchField("name");
  const [limit, setLimit] = useState(FEW);
  const edited = fields.get("edit");
  const shown = edited ?? fields.get("queue");
  const chosen = value?.find(({ name }) => name === shown);
  const found = value?.filter(({ name }) => name.includes(wanted.trim()));
  return (
    <div className="page">
      <div className="page-head">
        <h1>Queues</h1>
        <input
          type="search"
          data-search
          aria-label="Search by name"
          placeholder="Search by name"
          value={wanted}
          onChange={(event) => setWanted(event.target.value)}
        />
        <Link className="button button-primary" href={paths.new}>
          New queue
        </Link>
      </div>
      <AnswerNote answer={answer} retry={queues.refresh} />
      {chosen && <QueueView queue={chosen} />}
      {value && shown && !chosen && <EmptyNote title="There is no such queue">{shown}</EmptyNote>}
      {value?.length === 0 && (
        <EmptyNote title="There are no queues yet">
          A queue is there once a job or a limit names it; a job that names none goes to “default”.
        </EmptyNote>
      )}
      {value && value.length > 0 && found?.length === 0 && <EmptyNote title="No queue has that in its name" />}
      {found && found.length > 0 && <QueueTable queues={found.slice(0, limit)} chosen={chosen} />}
      {found && found.length > limit && (
        <button type="button" className="button" onClick={() => setLimit(limit + FEW)}>
          Show more of {count(found.length)}
        </button>
      )}
      {edited !== null && chosen && <QueueEditor key={edited} queue={chosen} />}
      {fields.has("new") && <QueueEditor key="new" queue={undefined} />}
    </div>
  );
}
