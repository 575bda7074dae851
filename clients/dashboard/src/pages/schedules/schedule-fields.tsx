/** The fields of a schedule. */

import { Fragment, useMemo } from "react";

import { TextField } from "../../components/text-field";
import type { Problems } from "../submit/spec-form";
import { SpecFields } from "../submit/spec-fields";
import { NOT_SCHEDULED, overlapFrom, OVERLAPS, type ScheduleField, type ScheduleForm } from "./schedule-form";

interface Properties {
  form: ScheduleForm;
  change: (form: ScheduleForm) => void;
  problems: Problems;
  /** It has its name for good. */
  isNew: boolean;
}

export function ScheduleFields({ form, change, problems, isNew }: Properties) {
  const zones = useMemo(() => Intl.supportedValuesOf("timeZone"), []);
  const specProblems = useMemo(() => {
    const within = [...problems].filter(([field]) => field.startsWith("spec."));
    return new Map(within.map(([field, text]) => [field.slice("spec.".length), text]));
  }, [problems]);
  const field = (name: ScheduleField) => ({
    value: form.fields[name] ?? "",
    problem: problems.get(name),
    change: (value: string) => change({ ...form, fields: { ...form.fields, [name]: value } }),
  });
  return (
    <>
      <TextField label="Name" required disabled={!isNew} {...field("name")} />
      <fieldset className="schedules-when">
        <legend>Fires</legend>
        {(["cron", "interval"] as const).map((by) => (
          <label key={by} className="row">
            <input type="radio" name="by" checked={form.by === by} onChange={() => change({ ...form, by })} />
            {by === "cron" ? "by the calendar" : "at an interval"}
          </label>
        ))}
      </fieldset>
      {form.by === "cron" ? (
        <>
          <div className="spec-fields">
            <TextField
              label="Cron"
              required
              hint="minute hour day month weekday, with seconds first where there are six"
              {...field("cron")}
            />
            <TextField
              label="Time zone"
              hint="like Europe/Berlin; UTC if empty"
              choices={zones}
              {...field("time_zone")}
            />
          </div>
          <CronHelp />
        </>
      ) : (
        <TextField label="Interval" required hint="like 90 (seconds) or 2h 30m; 1s or more" {...field("interval")} />
      )}
      <SpecFields
        form={form.spec}
        change={(spec) => change({ ...form, spec })}
        problems={specProblems}
        without={NOT_SCHEDULED}
      />
      <div className="spec-fields">
        <label className="field">
          <span>While an earlier job has not ended</span>
          <select
            value={form.overlap}
            onChange={(event) => change({ ...form, overlap: overlapFrom(event.target.value) })}
          >
            {OVERLAPS.map(([policy, text]) => (
              <option key={policy} value={policy}>
                {text}
              </option>
            ))}
          </select>
        </label>
        <TextField
          label="Catch-up window"
          hint="missed by no more than this is made up for; 1h if empty"
          {...field("catch_up_window")}
        />
        <TextField label="Jitter" hint="each firing is put off by up to this" {...field("jitter")} />
        <TextField label="Not before" type="datetime-local" {...field("start_time")} />
        <TextField label="Not after" type="datetime-local" {...field("end_time")} />
      </div>
      <label className="row">
        <input
          type="checkbox"
          checked={form.paused}
          onChange={(event) => change({ ...form, paused: event.target.checked })}
        />
        Paused: fires only when triggered
      </label>
    </>
  );
}

const EXAMPLES: readonly (readonly [string, string])[] = [
  ["*/15 * * * *", "every quarter of an hour"],
  ["0 7 * * 1-5", "at 7:00 from Monday to Friday"],
  ["30 2 1 * *", "at 2:30 on the first of each month"],
  ["*/10 * * * * *", "every ten seconds"],
];

function CronHelp() {
  return (
    <details>
      <summary>How cron is written</summary>
      <p className="soft">
        <code>*</code> is any, <code>1-5</code> a range, <code>1,15</code> several, <code>*/10</code> every tenth. Where
        day and weekday are both given, either will do; weekdays count from Sunday, 0.
      </p>
      <dl className="facts">
        {EXAMPLES.map(([cron, text]) => (
          <Fragment key={cron}>
            <dt>
              <code>{cron}</code>
            </dt>
            <dd>{text}</dd>
          </Fragment>
        ))}
      </dl>
    </details>
  );
}
