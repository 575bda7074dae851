/** The kinds of jobs that run somewhere: a few, then the rest where somebody wants to see them. */

import { plural } from "../../components/format";

const FEW = 3;

export function Kinds({ kinds }: { kinds: readonly string[] }) {
  const few = kinds.slice(0, FEW).join(", ") || "none";
  return kinds.length <= FEW ? (
    few
  ) : (
    <details>
      <summary>
        {few} <span className="soft">and {plural(kinds.length - FEW, "other")}</span>
      </summary>
      <span className="workers-kinds">{kinds.slice(FEW).join(", ")}</span>
    </details>
  );
}
