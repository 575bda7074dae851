/** Says what a change of many jobs would do before it is done. */

import { useState } from "react";

import { Confirm } from "../../components/confirm";
import { count, plural } from "../../components/format";
import { ErrorNote } from "../../components/notes";
import { useCall, useData } from "../../data/hooks";
import { attempt } from "../../shell/toasts";
import { bulk, type Target, type Verb } from "./bulk";
import { conditions } from "./conditions";

interface Properties {
  verb: Verb;
  target: Target;
  close: () => void;
  /** Called after it was done. */
  done: () => void;
}

interface Words {
  readonly title: string;
  readonly done: string;
  /** Which of the jobs it is done to. */
  readonly which: string;
  readonly effect: string;
}

const WORDS: Readonly<Record<Verb, Words>> = {
  cancel: {
    title: "Cancel jobs",
    done: "cancelled or asked to stop",
    which: "have not ended",
    effect: "Those that wait are cancelled at once, those that run are asked to stop.",
  },
  retry: {
    title: "Retry jobs",
    done: "put back",
    which: "failed or were cancelled",
    effect: "They go back to their queues with fresh attempts.",
  },
  delete: {
    title: "Delete jobs",
    done: "deleted",
    which: "have ended and that no other job waits for",
    effect: "They are gone for good, with their results and output.",
  },
};

export function BulkDialog({ verb, target, close, done }: Properties) {
  const { client } = useData();
  const [force, setForce] = useState(false);
  const words = WORDS[verb];
  const { value: affected, error } = useCall(`${verb} ${String(force)}`, (data) =>
    bulk(data.client, verb, target, { validateOnly: true, force }),
  );
  const confirm = async (): Promise<boolean> => {
    const worked = await attempt(
      words.title,
      () => bulk(client, verb, target, { force }),
      (changed) => `${plural(changed, "job")} ${words.done}`,
    );
    if (worked) {
      done();
    }
    return worked;
  };
  return (
    <Confirm
      title={words.title}
      verb={affected === undefined ? words.title : `${words.title.split(" ")[0] ?? ""} ${plural(affected, "job")}`}
      danger={verb !== "retry"}
      disabled={!affected}
      close={close}
      confirm={confirm}
    >
      {error ? (
        <ErrorNote error={error} />
      ) : (
        <p>
          Of {described(target)}, <strong>{affected === undefined ? "…" : count(affected)}</strong>{" "}
          {force ? "can be deleted" : words.which}. {words.effect}
        </p>
      )}
      {verb === "delete" && (
        <label className="row jobs-force">
          <input type="checkbox" checked={force} onChange={(event) => setForce(event.target.checked)} />
          Also those that have not ended: cancel them first
        </label>
      )}
    </Confirm>
  );
}

function described(target: Target): string {
  if ("chosen" in target) {
    return `the ${plural(target.chosen.length, "chosen job")}`;
  }
  const held = conditions(target.query).map(({ text }) => text);
  return held.length === 0 ? "all jobs of the service" : `all jobs with ${held.join(", ")}`;
}
