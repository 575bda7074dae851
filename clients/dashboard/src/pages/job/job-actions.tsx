/** What can be done with a job, in the state that it is in. */

import { useState } from "react";
import { isTerminal, type Job, JobState } from "slotd/web";

import { Confirm } from "../../components/confirm";
import { useData } from "../../data/hooks";
import { Link } from "../../shell/router";
import { attempt } from "../../shell/toasts";
import { UpdateDialog } from "./update-dialog";

type Asking = "cancel" | "delete" | "update" | undefined;

export function JobActions({ job, isGone }: { job: Job; isGone: boolean }) {
  const { client } = useData();
  const [asking, setAsking] = useState<Asking>();
  const close = (): void => setAsking(undefined);
  const ended = isTerminal(job);
  const waits = !ended && job.state !== JobState.RUNNING;
  const retry = (dependents: boolean): Promise<boolean> =>
    attempt("Retry", () => client.retry(job.id, { dependents }), "It waits for another attempt");
  const cancel = (): Promise<boolean> =>
    attempt(
      "Cancel",
      () => client.cancel(job.id),
      ({ state }) => (state === JobState.CANCELLED ? "Cancelled" : "Asked it to stop"),
    );
  const remove = (): Promise<boolean> => attempt("Delete", () => client.delete(job.id, { force: !ended }), "Deleted");
  return (
    <div className="row">
      {!isGone && (
        <>
          {waits && <Action text="Change" run={() => setAsking("update")} />}
          {!ended && <Action text="Cancel" disabled={job.cancelRequested} run={() => setAsking("cancel")} />}
          {(job.state === JobState.FAILED || job.state === JobState.CANCELLED) && (
            <>
              <Action text="Retry" run={() => void retry(false)} />
              <Action
                text="Retry with dependents"
                title="Retries also the jobs that failed because this one did"
                run={() => void retry(true)}
              />
            </>
          )}
        </>
      )}
      <Link className="button" href={`/submit?from=${job.id}`}>
        Submit again
      </Link>
      {!isGone && <Action text="Delete" run={() => setAsking("delete")} />}
      {asking === "cancel" && (
        <Confirm title="Cancel this job?" verb="Cancel the job" danger close={close} confirm={cancel}>
          {waits ? "It will not run." : "It is asked to stop. If it does not soon, it is given up."}
        </Confirm>
      )}
      {asking === "delete" && (
        <Confirm title="Delete this job?" verb="Delete" danger close={close} confirm={remove}>
          {ended
            ? "Its payload, result and output go with it."
            : "It has not ended: it is cancelled first. Its payload and output go with it."}
        </Confirm>
      )}
      {asking === "update" && <UpdateDialog job={job} close={close} />}
    </div>
  );
}

function Action({ text, run, title, disabled }: { text: string; run: () => void; title?: string; disabled?: boolean }) {
  return (
    <button type="button" className="button" title={title} disabled={disabled} onClick={run}>
      {text}
    </button>
  );
}
