/** A field of a form with its label, what may be written into it, and what is wrong with it. */

import { type HTMLInputTypeAttribute, useId } from "react";

interface Properties {
  label: string;
  value: string;
  change: (value: string) => void;
  hint?: string | undefined;
  problem?: string | undefined;
  type?: HTMLInputTypeAttribute;
  /** More than one line: so many are seen at first. */
  rows?: number | undefined;
  /** What is likely to be wanted. */
  choices?: readonly string[] | undefined;
  required?: boolean;
  disabled?: boolean;
}

export function TextField({
  label,
  value,
  change,
  hint,
  problem,
  type,
  rows,
  choices,
  required,
  disabled,
}: Properties) {
  const id = useId();
  const described = [hint && `${id}-hint`, problem && `${id}-problem`].filter(Boolean).join(" ");
  const shared = {
    id,
    value,
    required,
    disabled,
    spellCheck: false,
    autoComplete: "off",
    "aria-invalid": problem ? true : undefined,
    "aria-describedby": described || undefined,
  };
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {rows ? (
        <textarea {...shared} rows={rows} onChange={(event) => change(event.target.value)} />
      ) : (
        <input
          {...shared}
          type={type ?? "text"}
          step={type === "datetime-local" ? "any" : undefined}
          list={choices && `${id}-choices`}
          onChange={(event) => change(event.target.value)}
        />
      )}
      {choices && (
        <datalist id={`${id}-choices`}>
          {choices.map((choice) => (
            <option key={choice} value={choice} />
          ))}
        </datalist>
      )}
      {hint && <span id={`${id}-hint`}>{hint}</span>}
      {problem && (
        <span id={`${id}-problem`} className="field-error">
          {problem}
        </span>
      )}
    </div>
  );
}
