/** Short messages of what came of something. */

import type { SlotdError } from "slotd/web";

import { Icon } from "../components/icon";
import { asSlotdError, errorText } from "../data/errors";
import { useStore } from "../data/hooks";
import { Cell } from "../data/store";
import "./toasts.css";

interface Toast {
  readonly id: number;
  readonly failed: boolean;
  readonly text: string;
}

// A failure stays until it is put away.
const SHOWN_MS = 6_000;
const MOST = 4;

const toasts = new Cell<readonly Toast[]>([]);
let last = 0;

/** Tells that something was done. */
export function told(text: string): void {
  const id = show(false, text);
  setTimeout(() => putAway(id), SHOWN_MS);
}

/** Tells that something failed, and why. */
export function toldError(what: string, error: SlotdError): void {
  show(true, `${what}: ${errorText(error)}`);
}

/** Does something and tells what came of it; false where it failed. `done` is told, or what it makes of the answer. */
export async function attempt<Value>(
  what: string,
  call: () => Promise<Value>,
  done: string | ((value: Value) => string),
): Promise<boolean> {
  try {
    const value = await call();
    told(typeof done === "string" ? done : done(value));
    return true;
  } catch (error) {
    toldError(what, asSlotdError(error));
    return false;
  }
}

function show(failed: boolean, text: string): number {
  last += 1;
  toasts.set([...toasts.read(), { id: last, failed, text }].slice(-MOST));
  return last;
}

function putAway(id: number): void {
  toasts.set(toasts.read().filter((toast) => toast.id !== id));
}

export function Toasts() {
  const shown = useStore(toasts);
  return (
    <div className="toasts" role="status" aria-live="polite">
      {shown.map(({ id, failed, text }) => (
        <div key={id} className={failed ? "toast toast-failed" : "toast"}>
          <Icon name={failed ? "failed" : "succeeded"} />
          <span>{text}</span>
          <button type="button" className="icon-button" aria-label="Dismiss" onClick={() => putAway(id)}>
            <Icon name="close" />
          </button>
        </div>
      ))}
    </div>
  );
}
