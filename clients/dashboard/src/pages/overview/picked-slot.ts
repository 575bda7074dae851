/** Which slot is told about. */

/** A slot by its pool and place. */
export interface PickedSlot {
  readonly worker: string;
  readonly place: number;
  /** It stays while the pointer goes on, so that its link can be reached. */
  readonly kept?: boolean;
}

/** What somebody did: moved the pointer over a slot or away from all, pressed one, or came to it by keys. */
export type PickedBy = "pointer" | "press" | "keys";

/** Which slot is told about afterwards. Pressing the one that is kept lets go of it. */
export function pick(
  before: PickedSlot | undefined,
  slot: PickedSlot | undefined,
  by: PickedBy,
): PickedSlot | undefined {
  if (by === "pointer") {
    return before?.kept ? before : slot;
  }
  const again = before?.kept && before.worker === slot?.worker && before.place === slot.place;
  return slot && !(by === "press" && again) ? { ...slot, kept: true } : undefined;
}
