/** Why a job does not run yet, in words, with ways to what is in its way. */

import type { ReactNode } from "react";
import { type Job, JobState } from "slotd/web";

import { shortId } from "../../components/format";
import { Ago, Time } from "../../components/time";
import { usePolled } from "../../data/hooks";
import { ALL_JOBS, searchFromQuery } from "../../data/job-query";
import { jobPath, Link } from "../../shell/router";

export function Waiting({ job }: { job: Job }) {
  switch (job.state) {
    case JobState.SCHEDULED:
      return (
        <p className="card card-body">
          It waits for its time: <Ago at={job.scheduleTime} />
          {job.scheduleTime && (
            <>
              , at <Time at={job.scheduleTime} />
            </>
          )}
          {job.error && ". The attempt before failed; this is the wait before the next"}.
        </p>
      );
    case JobState.BLOCKED:
      return (
        <div className="card card-body">
          <p>It is blocked. It waits for:</p>
          <ul className="job-blockers">
            {job.blockedBy.map((name) => (
              <li key={name}>
                <Blocker job={job} name={name} />
              </li>
            ))}
          </ul>
          {job.blockedBy.length === 20 && <p className="soft">There may be more: these are the first 20.</p>}
        </div>
      );
    case JobState.QUEUED:
      return <WaitingForSlot job={job} />;
    default:
      return null;
  }
}

function Blocker({ job, name: full }: { job: Job; name: string }): ReactNode {
  const [what, ...rest] = full.split("/");
  const name = rest.join("/");
  const running = "/jobs" + searchFromQuery({ ...ALL_JOBS, states: [JobState.QUEUED, JobState.RUNNING] });
  switch (what) {
    case "jobs":
      return (
        <>
          the job{" "}
          <Link className="mono" href={jobPath(name)}>
            {shortId(name)}
          </Link>
          , which it depends on
        </>
      );
    case "groups":
      return (
        <>
          the jobs of the group <Link href={"/jobs" + searchFromQuery({ ...ALL_JOBS, groups: [name] })}>{name}</Link>
        </>
      );
    case "resources":
      return (
        <>
          the resource <code>{name}</code>, which an <Link href={running}>earlier job</Link> has or is to have first
        </>
      );
    case "keys":
      return (
        <>
          a slot of the key <code>{name}</code> in the queue{" "}
          <Link href={`/queues?queue=${encodeURIComponent(job.spec?.queue ?? "")}`}>{job.spec?.queue}</Link>: all are
          taken
        </>
      );
    case "attempts":
      return (
        <>
          <a href={`#attempt-${name}`}>attempt {name}</a>, whose function has not returned yet and holds its slot
        </>
      );
    default:
      return full;
  }
}

function WaitingForSlot({ job }: { job: Job }) {
  const { value: queues } = usePolled((data) => data.queues);
  const { value: servers } = usePolled((data) => data.servers);
  const { value: workers } = usePolled((data) => data.workers);
  const { kind = "", queue: name = "" } = job.spec ?? {};
  const queue = queues?.find((queue) => queue.name === name);
  const link = <Link href={`/queues?queue=${encodeURIComponent(name)}`}>{name}</Link>;
  const isServed = [...(servers ?? []), ...(workers ?? [])].some(({ kinds }) => kinds.includes(kind));
  if (servers && workers && !isServed) {
    return (
      <p className="card card-body">
        Nothing that is <Link href="/workers">connected</Link> runs jobs of the kind {kind}.
      </p>
    );
  }
  return (
    <p className="card card-body">
      {queue?.paused ? (
        <>Its queue {link} is paused.</>
      ) : queue?.slots === 0 ? (
        <>Its queue {link} has no slots.</>
      ) : (
        <>It waits for a slot in the queue {link}.</>
      )}
    </p>
  );
}
