/** The fields of a job's spec: what is mostly wanted, then the rest of it. */

import { type ReactNode, useState } from "react";
import { UniqueConflict } from "slotd/web";

import { bytes } from "../../components/format";
import { TextField } from "../../components/text-field";
import { useKnownKinds, useKnownQueues } from "./known-names";
import { jsonProblem, JSON_TYPE, type Problems, type SpecField, type SpecForm } from "./spec-form";
import { prettyJson } from "../job/payload";
import "./spec-fields.css";

interface Properties {
  form: SpecForm;
  change: (form: SpecForm) => void;
  problems: Problems;
  /** Fields that are of no use here. */
  without?: readonly SpecField[];
}

interface Rest {
  readonly name: SpecField;
  readonly label: string;
  readonly hint?: string;
  readonly rows?: number;
}

const LENGTH = "like 90 (seconds), 1.5s, 2h 30m";

const REST: readonly Rest[] = [
  { name: "timeout", label: "Timeout of an attempt", hint: LENGTH },
  { name: "queue_timeout", label: "Longest wait for its start", hint: LENGTH },
  { name: "retention", label: "Kept after its end", hint: LENGTH },
  { name: "retry.max_attempts", label: "Attempts in all", hint: "1 never retries" },
  { name: "retry.initial_backoff", label: "Wait before the second attempt", hint: LENGTH },
  { name: "retry.max_backoff", label: "Longest wait between attempts", hint: LENGTH },
  { name: "retry.multiplier", label: "Each wait times", hint: "1 or more" },
  { name: "retry.jitter", label: "Jitter of waits", hint: "share of a wait, 0 to 1" },
  { name: "group", label: "Group" },
  { name: "concurrency_key", label: "Concurrency key", hint: "whose job it is, for the queue's limit per key" },
  { name: "unique_key", label: "Unique key", hint: "only one job that has not ended has it" },
  { name: "unique_period", label: "Unique for at least", hint: LENGTH },
  { name: "resources", label: "Resources", rows: 3, hint: "one a line; “NAME shared” goes along with others" },
  {
    name: "depends_on",
    label: "Depends on",
    rows: 3,
    hint: "one a line: a job's id or groups/NAME; then “ended” if it need not succeed, “retry” to wait while it may",
  },
];

export function SpecFields({ form, change, problems, without = [] }: Properties) {
  const [opened, setOpened] = useState(false);
  const kinds = useKnownKinds();
  const queues = useKnownQueues();
  const has = (name: SpecField): boolean => !without.includes(name);
  const rest = REST.filter(({ name }) => has(name));
  const field = (name: SpecField) => ({
    value: form.fields[name] ?? "",
    problem: problems.get(name),
    change: (value: string) => change({ ...form, fields: { ...form.fields, [name]: value } }),
  });
  return (
    <>
      <div className="spec-fields">
        <TextField label="Kind" required choices={kinds} hint="which handler runs it" {...field("kind")} />
        <TextField label="Queue" choices={queues} hint="“default” where nothing else is said" {...field("queue")} />
        <TextField label="Priority" type="number" hint="-1,000 to 1,000, higher first" {...field("priority")} />
        {has("schedule_time") && (
          <TextField label="Not before" type="datetime-local" hint="now if empty" {...field("schedule_time")} />
        )}
      </div>
      <PayloadField form={form} change={change} problem={problems.get("payload.data") ?? problems.get("payload")}>
        <TextField
          label="Content type"
          choices={[JSON_TYPE, "text/plain"]}
          disabled={form.kept !== undefined}
          {...field("payload.content_type")}
        />
        <TextField label="Labels" rows={3} hint="key=value, one a line" {...field("labels")} />
      </PayloadField>
      <details
        open={opened || rest.some(({ name }) => problems.has(name))}
        onToggle={(event) => setOpened(event.currentTarget.open)}
      >
        <summary>Timeouts, retries, resources, dependencies, keys</summary>
        <p className="soft small">
          What is left empty comes from the handler, then from the queue, then from the service.
        </p>
        <div className="spec-fields">
          {rest.map(({ name, ...properties }) => (
            <TextField key={name} {...properties} {...field(name)} />
          ))}
          {has("unique_conflict") && <ConflictField {...field("unique_conflict")} />}
        </div>
      </details>
    </>
  );
}

interface PayloadProperties {
  form: SpecForm;
  change: (form: SpecForm) => void;
  problem: string | undefined;
  /** What stands beside it. */
  children: ReactNode;
}

function PayloadField({ form, change, problem, children }: PayloadProperties) {
  const { fields, kept } = form;
  const text = fields["payload.data"] ?? "";
  const set = (value: string): void => change({ kept: undefined, fields: { ...fields, "payload.data": value } });
  const pretty = kept ? undefined : prettyJson(text);
  return (
    <div className="spec-payload">
      <div className="spec-payload-text">
        {kept ? (
          <p className="row">
            Payload: {bytes(kept.data.length)} of {kept.contentType || "application/octet-stream"}, as the job had it
            <button type="button" className="button" onClick={() => set("")}>
              Write another
            </button>
          </p>
        ) : (
          <TextField
            label="Payload"
            rows={8}
            value={text}
            change={set}
            problem={jsonProblem(fields["payload.content_type"] ?? "", text) ?? problem}
          />
        )}
        {pretty !== undefined && pretty !== text && (
          <button type="button" className="button" onClick={() => set(pretty)}>
            Format
          </button>
        )}
      </div>
      <div className="spec-payload-side">{children}</div>
    </div>
  );
}

function ConflictField({
  value,
  change,
  problem,
}: {
  value: string;
  change: (value: string) => void;
  problem: string | undefined;
}) {
  return (
    <label className="field">
      <span>Where the unique key is taken</span>
      <select value={value} aria-invalid={problem ? true : undefined} onChange={(event) => change(event.target.value)}>
        <option value="">answer with the job that has it</option>
        <option value={UniqueConflict.REFUSE}>refuse</option>
        <option value={UniqueConflict.REPLACE}>cancel that job if it waits</option>
      </select>
      {problem && <span className="field-error">{problem}</span>}
    </label>
  );
}
