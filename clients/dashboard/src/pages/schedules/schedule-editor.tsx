/** Makes a schedule, or changes one. */

import { type SubmitEvent, useEffect, useRef, useState } from "react";
import type { Schedule } from "slotd/v1";
import { SlotdError } from "slotd/web";

import { ErrorNote, LoadingNote } from "../../components/notes";
import { Time } from "../../components/time";
import { asSlotdError } from "../../data/errors";
import { useCall, useData } from "../../data/hooks";
import { Link, navigate } from "../../shell/router";
import { told } from "../../shell/toasts";
import { ProblemList } from "../submit/problem-list";
import { type Problems, problemsOf } from "../submit/spec-form";
import { ScheduleFields } from "./schedule-fields";
import { readSchedule, SCHEDULE_FIELDS, type ScheduleForm, writeSchedule } from "./schedule-form";
import { paths } from "./schedule-texts";

/** The form with what a schedule has now. */
export function EditSchedule({ name }: { name: string }) {
  const { value, error } = useCall(name, ({ client }, signal) => client.schedules.get({ name }, { signal }));
  const schedule = value?.schedule;
  return (
    <div className="page">
      <div className="page-head">
        <h1>Edit {name}</h1>
      </div>
      {error && <ErrorNote error={error} />}
      {!value && !error && <LoadingNote />}
      {schedule && <ScheduleEditor initial={writeSchedule(schedule)} before={schedule} />}
    </div>
  );
}

interface Properties {
  initial: ScheduleForm;
  /** What is changed; undefined for a new one. */
  before: Schedule | undefined;
}

interface Answer {
  readonly problems: Problems;
  readonly error?: SlotdError;
  /** What was checked and would be taken. */
  readonly checked?: Schedule;
}

const NONE: Answer = { problems: new Map() };

export function ScheduleEditor({ initial, before }: Properties) {
  const { client, schedules } = useData();
  const [form, setForm] = useState(initial);
  const [answer, setAnswer] = useState(NONE);
  const [busy, setBusy] = useState(false);
  const box = useRef<HTMLFormElement>(null);
  useEffect(() => box.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus(), [answer]);

  const send = async (validateOnly: boolean): Promise<void> => {
    const { schedule, problems } = readSchedule(form);
    if (problems.size > 0) {
      setAnswer({ problems });
      return;
    }
    setBusy(true);
    try {
      if (before) {
        const revision = await unchangedRevision(before);
        await client.schedules.update({ schedule: { ...schedule, revision }, updateMask: { paths: ["*"] } });
      } else {
        const made = await client.schedules.create({ schedule, validateOnly });
        setAnswer({ problems, checked: made.schedule });
      }
      if (!validateOnly) {
        schedules.refresh();
        told(before ? "Saved" : "Created");
        navigate(paths.show(form.fields.name?.trim() ?? ""));
      }
    } catch (failure) {
      const error = asSlotdError(failure);
      setAnswer({ problems: problemsOf(error, "schedule.", SCHEDULE_FIELDS), error });
    }
    setBusy(false);
  };
  // Each firing makes a revision, too: what counts is whether somebody has changed the settings meanwhile.
  const unchangedRevision = async ({ name, updateTime }: Schedule): Promise<bigint> => {
    const { schedule } = await client.schedules.get({ name });
    const now = schedule?.updateTime;
    if (!now || now.seconds !== updateTime?.seconds || now.nanos !== updateTime.nanos) {
      const code = "ABORTED";
      throw new SlotdError("somebody changed it meanwhile: reload to see how it is now", { code });
    }
    return schedule.revision;
  };
  const submitted = (event: SubmitEvent): void => {
    event.preventDefault();
    void send(false);
  };
  return (
    <form ref={box} className="card card-body spec-form" noValidate onSubmit={submitted}>
      <ScheduleFields form={form} change={setForm} problems={answer.problems} isNew={before === undefined} />
      <ProblemList problems={answer.problems} names={SCHEDULE_FIELDS} error={answer.error} />
      {answer.checked && <Firings schedule={answer.checked} />}
      <div className="row">
        <button type="submit" className="button button-primary" disabled={busy}>
          {before ? "Save" : "Create"}
        </button>
        {!before && (
          <button type="button" className="button" disabled={busy} onClick={() => void send(true)}>
            Only check it
          </button>
        )}
        <Link className="button" href={before ? paths.show(before.name) : paths.all}>
          Back
        </Link>
      </div>
    </form>
  );
}

function Firings({ schedule }: { schedule: Schedule }) {
  return (
    <div role="status">
      <p>It would be taken, and would fire at:</p>
      <ol>
        {schedule.nextFireTimes.map((time) => (
          <li key={String(time.seconds)}>
            <Time at={time} />
          </li>
        ))}
      </ol>
      {schedule.nextFireTimes.length === 0 && <p className="soft">no time while it is paused</p>}
    </div>
  );
}
