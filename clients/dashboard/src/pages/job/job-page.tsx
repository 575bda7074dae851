/** One job: how it is, what has become of it, what it works on, and what can be done with it. */

import { type ReactNode, useId, useMemo, useState } from "react";
import { isTerminal, type Job, JobState } from "slotd/web";

import { CopyButton } from "../../components/copy-button";
import { EmptyNote, ErrorNote, LoadingNote } from "../../components/notes";
import { ProgressBar } from "../../components/progress";
import { StateBadge } from "../../components/state-badge";
import { Time } from "../../components/time";
import { useData, useJob, useStore } from "../../data/hooks";
import { Link } from "../../shell/router";
import { Facts } from "./facts";
import { GraphView, metAt } from "./graph-view";
import { JobActions } from "./job-actions";
import { JobGraph } from "./job-graph";
import { OutputView } from "./output-view";
import { PayloadView } from "./payload-view";
import { specFacts } from "./spec-facts";
import { SpokenState, TimelineView } from "./timeline-view";
import { Waiting } from "./waiting";
import "./job.css";

// So many jobs of the graph are shown at first, and more each time that more are wanted.
const GRAPH_STEP = 60;

export function JobPage({ name: id }: { name: string }) {
  const { job, deleted, error } = useJob(id);
  if (job) {
    const isGone = deleted || error?.code === "NOT_FOUND";
    return (
      <JobView job={job} isGone={isGone}>
        {isGone && (
          <p className="card card-body" role="status">
            <strong>This job was deleted.</strong> What you see is how it was last.
          </p>
        )}
        {error && !isGone && <ErrorNote error={error} />}
      </JobView>
    );
  }
  return (
    <div className="page">
      <div className="page-head">
        <h1>Job</h1>
      </div>
      {error?.code === "NOT_FOUND" ? (
        <EmptyNote title="There is no such job">
          <p className="mono">{id}</p>
          <p>
            It was deleted, or never was. <Link href="/jobs">All jobs</Link>
          </p>
        </EmptyNote>
      ) : error ? (
        <ErrorNote error={error} />
      ) : (
        <LoadingNote />
      )}
    </div>
  );
}

function JobView({ job, isGone, children }: { job: Job; isGone: boolean; children: ReactNode }) {
  const { client, feed } = useData();
  const [limit, setLimit] = useState(GRAPH_STEP);
  const source = useMemo(() => new JobGraph(client, feed, job.id, limit), [client, feed, job.id, limit]);
  const graph = useStore(source);
  const { spec, result } = job;
  return (
    <div className="page">
      <div className="page-head">
        <div className="job-title">
          <h1>{spec?.kind}</h1>
          <StateBadge state={job.state} stopping={job.state === JobState.RUNNING && job.cancelRequested} />
          <span className="row job-id">
            <span className="mono">{job.id}</span>
            <CopyButton what="id" text={job.id} />
          </span>
        </div>
        <JobActions job={job} isGone={isGone} />
      </div>
      <SpokenState job={job} />
      {children}
      <Waiting job={job} />
      {job.state === JobState.RUNNING && job.progress && (
        <div className="card card-body">
          <ProgressBar progress={job.progress} />
          {job.progress.message && <p className="soft">{job.progress.message}</p>}
        </div>
      )}
      <div className="job-columns">
        <div>
          <TimelineView job={job} metAt={metAt(job, graph.jobs)} />
          {result && isTerminal(job) && <PayloadView title="Result" payload={result} fileName={`${job.id}-result`} />}
          {spec?.payload && <PayloadView title="Payload" payload={spec.payload} fileName={`${job.id}-payload`} />}
          <OutputView job={job} />
        </div>
        <Details job={job} />
      </div>
      <GraphView id={job.id} graph={graph} showMore={() => setLimit(limit + GRAPH_STEP)} retry={source.retry} />
    </div>
  );
}

function Details({ job }: { job: Job }) {
  const heading = useId();
  return (
    <section className="card" aria-labelledby={heading}>
      <div className="card-head">
        <h2 id={heading}>Details</h2>
      </div>
      <div className="card-body">
        <Facts
          facts={[
            ...(job.spec ? specFacts(job.spec) : []),
            ["Attempt", job.attempt],
            ["Submitted", job.createTime && <Time at={job.createTime} />],
            ["Deleted at", job.expireTime && <Time at={job.expireTime} />],
            [
              "Trace",
              job.traceparent && (
                <span className="row">
                  <span className="mono job-trace">{job.traceparent}</span>
                  <CopyButton what="traceparent" text={job.traceparent} />
                </span>
              ),
            ],
            ["Revision", String(job.revision)],
          ]}
        />
      </div>
    </section>
  );
}
