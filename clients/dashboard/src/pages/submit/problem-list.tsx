/** What is wrong with a form as a whole: what no field of it shows, and how many fields do. */

import type { SlotdError } from "slotd/web";

import { plural } from "../../components/format";
import { errorText } from "../../data/errors";
import type { Problems } from "./spec-form";

interface Properties {
  problems: Problems;
  /** The names of the fields that show theirs. */
  names: readonly string[];
  /** What the service said, where it refused. */
  error: SlotdError | undefined;
}

export function ProblemList({ problems, names, error }: Properties) {
  const others = [...problems].filter(([field]) => !names.includes(field));
  const shown = problems.size - others.length;
  return (
    <div role="alert" className="field">
      {error && problems.size === 0 && <span className="field-error">{errorText(error)}</span>}
      {shown > 0 && <span className="field-error">{plural(shown, "field")} can't be taken as written.</span>}
      {others.map(([field, text]) => (
        <span key={field} className="field-error">
          {field}: {text}
        </span>
      ))}
    </div>
  );
}
