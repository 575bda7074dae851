/** One queue with all there is to say of it. */

import type { Queue } from "slotd/v1";

import { DetailHead } from "../../components/detail-head";
import { count } from "../../components/format";
import { type Fact, Facts } from "../job/facts";
import { writeLength } from "../submit/values";
import { paths, rateText } from "./queue-texts";

export function QueueView({ queue }: { queue: Queue }) {
  const { name } = queue;
  return (
    <section className="card" aria-label={`Queue ${name}`}>
      <DetailHead name={name} jobs={paths.jobs(name)} edit={paths.edit(name)} all={paths.all} />
      <div className="card-body queues-view">
        <div>
          <h3>Jobs</h3>
          <Facts facts={jobFacts(queue)} />
        </div>
        <div>
          <h3>Limits</h3>
          <Facts facts={limitFacts(queue)} />
        </div>
        <div>
          <h3>What its jobs get where nothing else says</h3>
          <Facts facts={defaultFacts(queue)} />
          {!queue.defaults && <p className="soft">what the service gives</p>}
        </div>
      </div>
    </section>
  );
}

function jobFacts({ counters }: Queue): Fact[] {
  const all: readonly (readonly [string, bigint | undefined])[] = [
    ["Running", counters?.running],
    ["Queued", counters?.queued],
    ["Blocked", counters?.blocked],
    ["Scheduled", counters?.scheduled],
    ["Succeeded, kept", counters?.succeeded],
    ["Failed, kept", counters?.failed],
    ["Cancelled, kept", counters?.cancelled],
    ["Ever submitted", counters?.submitted],
    ["Ever succeeded", counters?.totalSucceeded],
    ["Ever failed", counters?.totalFailed],
    ["Ever cancelled", counters?.totalCancelled],
    ["Attempts started", counters?.started],
    ["Attempts retried", counters?.retried],
  ];
  return all.map(([name, value]) => [name, value === undefined ? undefined : count(value)]);
}

function limitFacts(queue: Queue): Fact[] {
  return [
    ["Starts jobs", queue.paused ? "no, it is paused" : "yes"],
    ["Slots", limit(queue.slots)],
    ["Rate", rateText(queue) || "no limit"],
    ["Most that wait", limit(queue.maxQueued)],
    ["Slots per key", limit(queue.slotsPerKey)],
    ["Ended jobs kept", limit(queue.retainCount)],
  ];
}

function defaultFacts({ defaults }: Queue): Fact[] {
  const retry = defaults?.retry;
  return [
    ["Priority", defaults?.priority?.toString()],
    ["Timeout", writeLength(defaults?.timeout)],
    ["Longest wait", writeLength(defaults?.queueTimeout)],
    ["Kept for", writeLength(defaults?.retention)],
    ["Attempts", retry?.maxAttempts ? count(retry.maxAttempts) : undefined],
    ["First backoff", writeLength(retry?.initialBackoff)],
    ["Longest backoff", writeLength(retry?.maxBackoff)],
    ["Multiplier", retry?.multiplier ? String(retry.multiplier) : undefined],
    ["Jitter", retry?.jitter?.toString()],
  ];
}

function limit(value: number | bigint | undefined): string {
  return value === undefined ? "no limit" : count(value);
}
