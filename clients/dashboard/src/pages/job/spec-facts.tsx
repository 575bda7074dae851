/** What holds for a job, as its spec has it. */

import type { RetryPolicy } from "slotd/v1";
import { type JobSpec, ResourceMode, UniqueConflict } from "slotd/web";

import { plural } from "../../components/format";
import { Time } from "../../components/time";
import { ALL_JOBS, searchFromQuery } from "../../data/job-query";
import { Link } from "../../shell/router";
import { writeLength } from "../submit/values";
import type { Fact } from "./facts";

export function specFacts(spec: JobSpec): Fact[] {
  const { queue, group, labels, resources } = spec;
  return [
    ["Queue", queue && <Link href={`/queues?queue=${encodeURIComponent(queue)}`}>{queue}</Link>],
    ["Priority", spec.priority],
    ["Labels", Object.keys(labels).length > 0 && <Labels labels={labels} />],
    ["Group", group && <Link href={"/jobs" + searchFromQuery({ ...ALL_JOBS, groups: [group] })}>{group}</Link>],
    ["Not before", spec.scheduleTime && <Time at={spec.scheduleTime} />],
    ["Timeout", writeLength(spec.timeout)],
    ["Retries", spec.retry && retryText(spec.retry)],
    ["Longest wait", writeLength(spec.queueTimeout)],
    ["Kept", writeLength(spec.retention)],
    [
      "Resources",
      resources.map(({ name, mode }) => name + (mode === ResourceMode.SHARED ? " (shared)" : "")).join(", "),
    ],
    ["Concurrency key", spec.concurrencyKey],
    ["Unique key", spec.uniqueKey],
    ["Unique for", writeLength(spec.uniquePeriod)],
    ["If it is taken", spec.uniqueKey && conflictText(spec.uniqueConflict)],
  ];
}

function Labels({ labels }: { labels: Readonly<Record<string, string>> }) {
  return (
    <ul className="row">
      {Object.entries(labels).map(([key, value]) => (
        <li key={key}>
          <Link className="chip" href={"/jobs" + searchFromQuery({ ...ALL_JOBS, labels: { [key]: value } })}>
            <span className="truncate">
              {key}={value}
            </span>
          </Link>
        </li>
      ))}
    </ul>
  );
}

function retryText({ maxAttempts, initialBackoff, maxBackoff, multiplier, jitter }: RetryPolicy): string {
  if (maxAttempts === 1) {
    return "none: one attempt";
  }
  return [
    maxAttempts > 0 ? plural(maxAttempts, "attempt") : "",
    initialBackoff ? `first wait ${writeLength(initialBackoff)}` : "",
    multiplier > 0 ? `each ×${multiplier}` : "",
    maxBackoff ? `at most ${writeLength(maxBackoff)}` : "",
    jitter === undefined ? "" : `±${Math.round(jitter * 100)}%`,
  ]
    .filter((text) => text !== "")
    .join(", ");
}

function conflictText(conflict: UniqueConflict): string {
  const texts: Partial<Record<UniqueConflict, string>> = {
    [UniqueConflict.REFUSE]: "refuse the new one",
    [UniqueConflict.REPLACE]: "replace the one that waits",
  };
  return texts[conflict] ?? "answer with the job that has it";
}
