/** Changes a job that waits. */

import { type SubmitEvent, useId, useState } from "react";
import type { Job, SlotdError } from "slotd/web";

import { Dialog } from "../../components/dialog";
import { TextField } from "../../components/text-field";
import { asSlotdError } from "../../data/errors";
import { useData } from "../../data/hooks";
import { told } from "../../shell/toasts";
import { useKnownQueues } from "../submit/known-names";
import { ProblemList } from "../submit/problem-list";
import { type Problems, problemsOf } from "../submit/spec-form";
import { CHANGES, fieldsOf, updateRequest } from "./update-request";

export function UpdateDialog({ job, close }: { job: Job; close: () => void }) {
  const { client } = useData();
  const queues = useKnownQueues();
  const id = useId();
  // The job as it was when the form was opened: its revision tells the service whether it still is so.
  const [opened] = useState(job);
  const [fields, setFields] = useState(() => fieldsOf(job));
  const [refusal, setRefusal] = useState<{ problems: Problems; error?: SlotdError }>({ problems: new Map() });
  const field = (name: (typeof CHANGES)[number]) => ({
    value: fields[name],
    problem: refusal.problems.get(name),
    change: (value: string) => setFields({ ...fields, [name]: value }),
  });
  const save = async (): Promise<void> => {
    const { request, problems } = updateRequest(opened, fields);
    setRefusal({ problems });
    if (problems.size > 0) {
      return;
    }
    if (request.updateMask?.paths?.length === 0) {
      close();
      return;
    }
    try {
      await client.jobs.update(request);
      told("Changed");
      close();
    } catch (failure) {
      const error = asSlotdError(failure);
      setRefusal({ problems: problemsOf(error, "spec.", CHANGES), error });
    }
  };
  const submitted = (event: SubmitEvent): void => {
    event.preventDefault();
    void save();
  };
  return (
    <Dialog
      title="Change the job"
      close={close}
      actions={
        <>
          <button type="button" className="button" onClick={close}>
            Back
          </button>
          <button type="submit" form={id} className="button button-primary">
            Save
          </button>
        </>
      }
    >
      <form id={id} className="job-update" noValidate onSubmit={submitted}>
        <TextField label="Queue" choices={queues} {...field("queue")} />
        <TextField label="Priority" type="number" hint="-1,000 to 1,000, higher first" {...field("priority")} />
        <TextField label="Not before" type="datetime-local" hint="now if empty" {...field("schedule_time")} />
        <TextField label="Labels" rows={3} hint="key=value, one a line" {...field("labels")} />
        <ProblemList problems={refusal.problems} names={CHANGES} error={refusal.error} />
      </form>
    </Dialog>
  );
}
