/** What can be done to the rows that were chosen, and to all that match. */

import { useState } from "react";
import type { Job } from "slotd/web";

import { plural } from "../../components/format";
import { Icon } from "../../components/icon";
import type { JobQuery } from "../../data/job-query";
import type { Target, Verb } from "./bulk";
import { BulkDialog } from "./bulk-dialog";

interface Properties {
  query: JobQuery;
  chosen: readonly Job[];
  /** Every row that is there was chosen. */
  allLoaded: boolean;
  /** There are matching jobs that are no rows yet. */
  more: boolean;
  clear: () => void;
}

export function BulkBar({ query, chosen, allLoaded, more, clear }: Properties) {
  const [everything, setEverything] = useState(false);
  const [verb, setVerb] = useState<Verb>();
  const all = everything && allLoaded;
  const target: Target = all ? { query } : { chosen };
  return (
    <div className="card jobs-bulk row" role="region" aria-label="Chosen jobs">
      <strong role="status">{all ? "All jobs that match are chosen" : `${plural(chosen.length, "job")} chosen`}</strong>
      {allLoaded && more && !all && (
        <button type="button" className="button" onClick={() => setEverything(true)}>
          Choose all that match
        </button>
      )}
      <span className="jobs-bulk-actions row">
        <button type="button" className="button" onClick={() => setVerb("cancel")}>
          <Icon name="cancel" /> Cancel
        </button>
        <button type="button" className="button" onClick={() => setVerb("retry")}>
          <Icon name="retry" /> Retry
        </button>
        <button type="button" className="button" onClick={() => setVerb("delete")}>
          <Icon name="remove" /> Delete
        </button>
        <button type="button" className="icon-button" aria-label="Clear the choice" onClick={clear}>
          <Icon name="close" />
        </button>
      </span>
      {verb && <BulkDialog verb={verb} target={target} close={() => setVerb(undefined)} done={clear} />}
    </div>
  );
}
