/** A window with a form in it. Its first field has the focus or, where it was refused, the first one at fault. */

import { type ReactNode, type SubmitEvent, useEffect, useId, useRef, useState } from "react";

import { Dialog } from "./dialog";
import { DialogActions, useAction } from "./dialog-actions";

interface Properties {
  title: string;
  /** What the button says: a verb. */
  verb: string;
  /** It is not to be done lightly. */
  danger?: boolean;
  close: () => void;
  /** Does it; true where it was done, and the window closes. */
  submit: () => Promise<boolean>;
  children: ReactNode;
}

export function FormDialog({ title, verb, danger = false, close, submit, children }: Properties) {
  const [refusals, setRefusals] = useState(0);
  const id = useId();
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    const wanted = refusals === 0 ? "input" : "[aria-invalid=true]";
    form.current?.querySelector<HTMLElement>(wanted)?.focus();
  }, [refusals]);
  const { busy, run } = useAction(submit, close, () => setRefusals(refusals + 1));
  const submitted = (event: SubmitEvent): void => {
    event.preventDefault();
    run();
  };
  return (
    <Dialog
      title={title}
      close={close}
      actions={<DialogActions {...{ verb, danger, busy, close }} disabled={false} does={id} />}
    >
      <form ref={form} id={id} className="form-dialog" noValidate onSubmit={submitted}>
        {children}
      </form>
    </Dialog>
  );
}
