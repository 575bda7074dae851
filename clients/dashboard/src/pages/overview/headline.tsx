/** The numbers that one looks at first. Each leads to what it counts. */

import type { ReactNode } from "react";
import { JobState } from "slotd/web";

import { count, length } from "../../components/format";
import { AnswerNote } from "../../components/notes";
import { waiting } from "../../data/depth-history";
import { useData, useNow, usePolled, useStore } from "../../data/hooks";
import { ALL_JOBS, searchFromQuery } from "../../data/job-query";
import { Link } from "../../shell/router";
import { failuresSince } from "./depth-series";

const jobsIn = (...states: JobState[]): string => "/jobs" + searchFromQuery({ ...ALL_JOBS, states });

export function Headline() {
  const { depth, stats } = useData();
  const counted = usePolled((data) => data.stats);
  const held = usePolled((data) => data.slots);
  const now = useNow();
  const counters = counted.value?.counters;
  const failures = failuresSince(useStore(depth), counters?.totalFailed, now);
  return (
    <>
      {counted.error && <AnswerNote answer={counted} retry={stats.refresh} />}
      <ul className="overview-numbers" aria-busy={!counters}>
        <Figure
          name="Running"
          value={counters?.running}
          href={jobsIn(JobState.RUNNING)}
          note={counters && `${count(counters.submitted)} ever submitted`}
        />
        <Figure
          name="Waiting"
          value={counters && waiting(counters)}
          href={jobsIn(JobState.SCHEDULED, JobState.BLOCKED, JobState.QUEUED)}
          note={
            counters &&
            `${count(counters.queued)} queued, ${count(counters.blocked)} blocked, ${count(counters.scheduled)} scheduled`
          }
        />
        <Figure
          name="Failed lately"
          value={failures?.count}
          href={jobsIn(JobState.FAILED)}
          note={failures && `in the last ${length(failures.spanMs, true)}`}
        />
        <Figure
          name="Free slots"
          value={held.value?.free}
          href="#slots"
          note={
            held.value &&
            `of ${count(held.value.slots)}${held.value.zombie > 0 ? `; ${count(held.value.zombie)} held by zombies` : ""}`
          }
        />
      </ul>
    </>
  );
}

interface FigureProperties {
  name: string;
  value: number | bigint | undefined;
  href: string;
  note: ReactNode;
}

function Figure({ name, value, href, note }: FigureProperties) {
  const content = (
    <>
      <span className="soft">{name}</span>
      <strong>{value === undefined ? "–" : count(value)}</strong>
      <span className="soft small">{note ?? "…"}</span>
    </>
  );
  return (
    <li className="card">{href.startsWith("#") ? <a href={href}>{content}</a> : <Link href={href}>{content}</Link>}</li>
  );
}
