/** Asks before something that can't be undone; what it says is told to whoever can't see it, too. */

import type { ReactNode } from "react";

import { Dialog } from "./dialog";
import { DialogActions, useAction } from "./dialog-actions";

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
  const { busy, run } = useAction(confirm, close);
  return (
    <Dialog
      title={title}
      close={close}
      actions={<DialogActions {...{ verb, danger, disabled, busy, close }} does={run} />}
    >
      <div aria-live="polite">{children}</div>
    </Dialog>
  );
}
