/** Asks before something that can't be undone; what it says is told to whoever can't see it, too. */

import { type ReactNode, useState } from "react";

import { Dialog } from "./dialog";

interface Properties {
  title: string;
  /** What the button says: a verb. */
  verb: string;
  /** It destroys something. */
  danger?: boolean;
  /** What it would do is not known yet, or nothing. */
  disabled?: boolean;
  close: () => void;
  /** Does it; true where it was done, and the window closes. */
  confirm: () => Promise<boolean>;
  children: ReactNode;
}

export function Confirm({ title, verb, danger = false, disabled = false, close, confirm, children }: Properties) {
  const [busy, setBusy] = useState(false);
  const run = async (): Promise<void> => {
    setBusy(true);
    const done = await confirm();
    setBusy(false);
    if (done) {
      close();
    }
  };
  return (
    <Dialog
      title={title}
      close={close}
      actions={
        <>
          <button type="button" className="button" onClick={close}>
            Back
          </button>
          <button
            type="button"
            className={danger ? "button button-danger" : "button button-primary"}
            disabled={busy || disabled}
            onClick={() => void run()}
          >
            {busy && <span className="spinner" aria-hidden="true" />}
            {verb}
          </button>
        </>
      }
    >
      <div aria-live="polite">{children}</div>
    </Dialog>
  );
}
