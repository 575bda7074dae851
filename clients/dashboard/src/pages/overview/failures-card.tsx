/** The jobs that failed last, and why. */

import { useMemo } from "react";
import { type Job, JobState } from "slotd/web";

import { shortId } from "../../components/format";
import { EmptyNote, ErrorNote, LoadingNote } from "../../components/notes";
import { Ago } from "../../components/time";
import { useData, useStore } from "../../data/hooks";
import { ALL_JOBS, searchFromQuery } from "../../data/job-query";
import { jobPath, Link } from "../../shell/router";
import { errorReason } from "../job/error-reason";
import { RecentFailures } from "./recent-failures";

const SHOWN = 8;

export function FailuresCard() {
  const { client, feed } = useData();
  const failures = useMemo(() => new RecentFailures(client, feed), [client, feed]);
  const { jobs, loading, error } = useStore(failures);
  return (
    <section className="card" aria-labelledby="failures-title">
      <div className="card-head">
        <h2 id="failures-title">Failed last</h2>
        <Link className="button" href={"/jobs" + searchFromQuery({ ...ALL_JOBS, states: [JobState.FAILED] })}>
          All that failed
        </Link>
      </div>
      {error && <ErrorNote error={error} retry={() => void failures.refresh()} />}
      {loading && <LoadingNote />}
      {!loading && !error && jobs.length === 0 && <EmptyNote title="No job is in state failed" />}
      <ul className="failures">
        {jobs.slice(0, SHOWN).map((job) => (
          <Failure key={job.id} job={job} />
        ))}
      </ul>
    </section>
  );
}

function Failure({ job }: { job: Job }) {
  const { error } = job;
  return (
    <li>
      <Link className="mono" href={jobPath(job.id)}>
        {shortId(job.id)}
      </Link>
      <span className="truncate">{job.spec?.kind}</span>
      <span className="failures-why truncate" title={error?.message}>
        {error && <span className="mono failures-reason">{errorReason(error)}</span>} {error?.message}
      </span>
      <span className="soft">
        <Ago at={job.endTime} />
      </span>
    </li>
  );
}
