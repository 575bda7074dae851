/** The foot of a window that asks for something to be done: back, or do it. */

import { useState } from "react";

interface Properties {
  /** What the button says: a verb. */
  verb: string;
  danger: boolean;
  disabled: boolean;
  /** It is being done. */
  busy: boolean;
  close: () => void;
  /** What the button does: a function, or the id of the form that it submits. */
  does: (() => void) | string;
}

export function DialogActions({ verb, danger, disabled, busy, close, does }: Properties) {
  const press = typeof does === "string" ? { type: "submit" as const, form: does } : { onClick: does };
  return (
    <>
      <button type="button" className="button" onClick={close}>
        Back
      </button>
      <button
        type="button"
        className={danger ? "button button-danger" : "button button-primary"}
        disabled={busy || disabled}
        {...press}
      >
        {busy && <span className="spinner" aria-hidden="true" />}
        {verb}
      </button>
    </>
  );
}

/** Does something that takes its time: closes the window where it was done (true), else calls `refused`. */
export function useAction(
  action: () => Promise<boolean>,
  close: () => void,
  refused?: () => void,
): { busy: boolean; run: () => void } {
  const [busy, setBusy] = useState(false);
  const run = async (): Promise<void> => {
    setBusy(true);
    const done = await action();
    setBusy(false);
    if (done) {
      close();
    } else {
      refused?.();
    }
  };
  return { busy, run: () => void run() };
}
