/** The scripted handler: a job whose payload says what it does, step by step, the same in every language. */

import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

import type { JsonValue } from "@bufbuild/protobuf";
import { type JobContext, PermanentError, Snooze } from "slotd";

/** One step: its name, and what goes with it. */
type Step = Record<string, JsonValue>;

/** What is there to be done. */
export interface Script {
  do: Step[];
}

const GATE_POLL_MS = 20;

const snoozed = new Set<string>();

/** Does the steps in order; the first that ends the job does. */
export async function runScript(context: JobContext, script: Script): Promise<unknown> {
  for (const [name, argument] of script.do.flatMap((step) => Object.entries(step))) {
    switch (name) {
      case "result":
        return argument;
      case "context": {
        const { jobId, attempt, kind, queue, labels, traceparent } = context;
        return { job_id: jobId, attempt, kind, queue, labels, traceparent };
      }
      case "dependencies":
        return Object.fromEntries(await context.results());
      default:
        await step(context, name, argument);
    }
  }
  return null;
}

async function step(context: JobContext, name: string, argument: JsonValue): Promise<void> {
  switch (name) {
    case "progress": {
      const [done, total, message] = argument as [number, number, string];
      context.progress(done, total, message);
      return;
    }
    case "write":
      await context.write(argument as string);
      return;
    case "sleep":
      await rest(context, (argument as number) * 1000);
      return;
    case "until_cancelled":
      await cancelled(context);
      return;
    case "gate":
      // A file, so that a gate outlives the service; looked for, since the job may be cancelled meanwhile.
      while (!existsSync(argument as string)) {
        await sleep(GATE_POLL_MS, undefined, { signal: context.signal });
      }
      return;
    case "fail":
      throw new Error(argument as string);
    case "permanent":
      throw new PermanentError(argument as string);
    case "snooze":
      if (!snoozed.has(context.jobId)) {
        snoozed.add(context.jobId);
        throw new Snooze((argument as number) * 1000);
      }
      return;
    default:
      throw new PermanentError(`no such step: ${name}`);
  }
}

/** Waits for so long, or less where the job is cancelled meanwhile. */
async function rest({ signal }: JobContext, milliseconds: number): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch(() => undefined);
}

/** Rejects once the job is cancelled, with what a cancelled handler is to throw. */
async function cancelled({ signal }: JobContext): Promise<never> {
  if (!signal.aborted) {
    await new Promise((resolve) => {
      signal.addEventListener("abort", resolve, { once: true });
    });
  }
  throw signal.reason;
}
