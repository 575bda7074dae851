/** Submits a job; with `?from=ID` one like another. */

import { type SubmitEvent, useEffect, useRef, useState } from "react";
import type { Job, SlotdError } from "slotd/web";

import { ErrorNote, LoadingNote } from "../../components/notes";
import { asSlotdError } from "../../data/errors";
import { useCall, useData } from "../../data/hooks";
import { jobPath, navigate, useSearchField } from "../../shell/router";
import { told } from "../../shell/toasts";
import { ProblemList } from "./problem-list";
import { requestId } from "./request-id";
import { EMPTY_FORM, type Problems, problemsOf, readSpec, SPEC_FIELDS, type SpecForm, writeSpec } from "./spec-form";
import { SpecFields } from "./spec-fields";

export function SubmitPage() {
  const [from] = useSearchField("from");
  const [kind] = useSearchField("kind");
  return (
    <div className="page">
      <div className="page-head">
        <h1>Submit a job</h1>
      </div>
      {from === "" ? (
        <SubmitForm key={kind} initial={{ ...EMPTY_FORM, fields: { ...EMPTY_FORM.fields, kind } }} />
      ) : (
        <SubmitLike key={from} id={from} />
      )}
    </div>
  );
}

function SubmitLike({ id }: { id: string }) {
  const { value, error } = useCall(id, ({ client }, signal) => client.get(id, { signal }));
  if (error) {
    return <ErrorNote error={error} />;
  }
  return value?.spec ? <SubmitForm initial={writeSpec(value.spec)} /> : <LoadingNote />;
}

interface Refusal {
  readonly problems: Problems;
  readonly error: SlotdError | undefined;
}

const NONE: Refusal = { problems: new Map(), error: undefined };

function SubmitForm({ initial }: { initial: SpecForm }) {
  const { client, recent } = useData();
  const [form, setForm] = useState(initial);
  const [refusal, setRefusal] = useState(NONE);
  const [busy, setBusy] = useState(false);
  // Pressing the button again after a call whose answer was lost is the same request, unless the form has changed.
  const [id, setId] = useState(requestId);
  const box = useRef<HTMLFormElement>(null);
  useEffect(() => box.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus(), [refusal]);

  const change = (next: SpecForm): void => {
    setForm(next);
    setId(requestId());
  };
  const send = async (validateOnly: boolean): Promise<void> => {
    const { spec, problems } = readSpec(form);
    if (problems.size > 0) {
      setRefusal({ problems, error: undefined });
      return;
    }
    setBusy(true);
    try {
      const { job } = await client.sendSubmit({ spec, requestId: validateOnly ? "" : id, validateOnly });
      setRefusal(NONE);
      if (job) {
        tell(job, validateOnly);
      }
    } catch (failure) {
      const error = asSlotdError(failure);
      setRefusal({ problems: problemsOf(error, "spec.", SPEC_FIELDS), error });
    }
    setBusy(false);
  };
  const tell = (job: Job, validateOnly: boolean): void => {
    if (validateOnly) {
      told(`It would be taken into the queue ${job.spec?.queue ?? ""}`);
      return;
    }
    recent.keep(job);
    // The service does not say whether it is new.
    told(job.spec?.uniqueKey ? "This is the job that has the unique key" : "Submitted");
    navigate(jobPath(job.id));
  };
  const submitted = (event: SubmitEvent): void => {
    event.preventDefault();
    void send(false);
  };
  return (
    <form ref={box} className="card card-body spec-form" noValidate onSubmit={submitted}>
      <SpecFields form={form} change={change} problems={refusal.problems} />
      <ProblemList problems={refusal.problems} names={SPEC_FIELDS} error={refusal.error} />
      <div className="row">
        <button type="submit" className="button button-primary" disabled={busy}>
          Submit
        </button>
        <button type="button" className="button" disabled={busy} onClick={() => void send(true)}>
          Only check it
        </button>
      </div>
    </form>
  );
}
