/** Changes what holds for a queue, or sets up a new one. */

import { useState } from "react";
import type { Queue } from "slotd/v1";
import type { SlotdError } from "slotd/web";

import { FormDialog } from "../../components/form-dialog";
import { TextField } from "../../components/text-field";
import { asSlotdError } from "../../data/errors";
import { useData } from "../../data/hooks";
import { navigate } from "../../shell/router";
import { told } from "../../shell/toasts";
import { ProblemList } from "../submit/problem-list";
import { type Problems, problemsOf } from "../submit/spec-form";
import { changedSettings, QUEUE_FIELDS, type QueueField, readQueue, writeQueue } from "./queue-form";
import { paths } from "./queue-texts";
import "../submit/spec-fields.css";

type Field = readonly [name: QueueField, label: string, hint?: string];

const LENGTH = "like 90 (seconds), 1.5s, 2h 30m";
const UNLIMITED = "no limit if empty";

const LIMITS: readonly Field[] = [
  ["slots", "Slots", "how many run at once, on all servers; 0 starts none"],
  ["max_queued", "Most that wait", "more are refused"],
  ["slots_per_key", "Slots per concurrency key", UNLIMITED],
  ["rate_limit.starts_per_second", "Starts per second", "0.1 is one each 10 seconds"],
  ["rate_limit.burst", "Starts at once", "after a pause; 1 if empty"],
  ["retain_count", "Ended jobs that are kept", "that succeeded or were cancelled"],
];

const DEFAULTS: readonly Field[] = [
  ["defaults.priority", "Priority", "-1,000 to 1,000, higher first"],
  ["defaults.timeout", "Timeout of an attempt", LENGTH],
  ["defaults.queue_timeout", "Longest wait for its start", LENGTH],
  ["defaults.retention", "Kept after its end", LENGTH],
  ["defaults.retry.max_attempts", "Attempts in all", "1 never retries"],
  ["defaults.retry.initial_backoff", "Wait before the second attempt", LENGTH],
  ["defaults.retry.max_backoff", "Longest wait between attempts", LENGTH],
  ["defaults.retry.multiplier", "Each wait times", "1 or more"],
  ["defaults.retry.jitter", "Jitter of waits", "share of a wait, 0 to 1"],
];

/** `queue` is undefined for a new one. */
export function QueueEditor({ queue }: { queue: Queue | undefined }) {
  const { client, queues } = useData();
  // As it was when the form was opened: only what is changed here is sent.
  const [before] = useState(() => writeQueue(queue ?? { name: "" }));
  const [form, setForm] = useState(before);
  const [refusal, setRefusal] = useState<{ problems: Problems; error?: SlotdError }>({ problems: new Map() });
  const save = async (): Promise<boolean> => {
    const { queue: wanted, problems } = readQueue(form);
    setRefusal({ problems });
    const changed = changedSettings(before, form);
    if (problems.size > 0) {
      return false;
    }
    try {
      if (!queue || changed.length > 0) {
        await client.queues.updateQueue({ queue: wanted, updateMask: { paths: changed } });
        queues.refresh();
        told(`Saved ${wanted.name ?? ""}`);
      }
      return true;
    } catch (failure) {
      const error = asSlotdError(failure);
      setRefusal({ problems: problemsOf(error, "queue.", QUEUE_FIELDS), error });
      return false;
    }
  };
  const field = ([name, label, hint]: Field) => (
    <TextField
      key={name}
      label={label}
      hint={hint}
      value={form[name]}
      problem={refusal.problems.get(name)}
      change={(value) => setForm({ ...form, [name]: value })}
    />
  );
  return (
    <FormDialog
      title={queue ? `Limits of ${queue.name}` : "New queue"}
      verb="Save"
      close={() => navigate(queue ? paths.show(queue.name) : paths.all)}
      submit={save}
    >
      {!queue && field(["name", "Name"])}
      <fieldset className="queues-fields">
        <legend>Limits, none where empty</legend>
        <div className="spec-fields">{LIMITS.map(field)}</div>
      </fieldset>
      <fieldset className="queues-fields">
        <legend>What its jobs get where neither they nor their handler say</legend>
        <div className="spec-fields">{DEFAULTS.map(field)}</div>
      </fieldset>
      <ProblemList problems={refusal.problems} names={QUEUE_FIELDS} error={refusal.error} />
    </FormDialog>
  );
}
