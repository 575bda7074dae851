/** What stands where there is nothing else to show. */

import type { ReactNode } from "react";
import type { SlotdError } from "slotd/web";

import { errorText } from "../data/errors";
import type { Answer } from "../data/polled";
import { Icon } from "./icon";

/** Nothing there, and what to do about it. */
export function EmptyNote({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="note">
      <p className="note-title">{title}</p>
      {children && <div>{children}</div>}
    </div>
  );
}

/** Something could not be had. */
export function ErrorNote({ error, retry }: { error: SlotdError; retry?: () => void }) {
  return (
    <div className="note note-error" role="alert">
      <p>
        <Icon name="failed" /> {errorText(error)}
      </p>
      {retry && (
        <button type="button" className="button" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  );
}

/** Something is on its way. */
export function LoadingNote() {
  return (
    <div className="note" role="status">
      <span className="spinner" aria-hidden="true" /> Loading
    </div>
  );
}

/**
 * What there is to say of an answer beside its value. That the service is away stands above the page already, and is not
 * said again where there is an older answer to show.
 */
export function AnswerNote({ answer: { value, error }, retry }: { answer: Answer<unknown>; retry: () => void }) {
  if (error) {
    return value !== undefined && error.code === "UNAVAILABLE" ? null : <ErrorNote error={error} retry={retry} />;
  }
  return value === undefined ? <LoadingNote /> : null;
}
