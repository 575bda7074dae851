/** A job's state: colour, picture and word. */

import type { JobState } from "slotd/web";

import { stateName } from "../data/states";
import { Icon, type IconName } from "./icon";

export function StateBadge({ state, stopping = false }: { state: JobState; stopping?: boolean }) {
  const name = stateName(state) as IconName;
  return (
    <span className={`state state-${name}`}>
      <Icon name={name} />
      {stopping ? "stopping" : name}
    </span>
  );
}
