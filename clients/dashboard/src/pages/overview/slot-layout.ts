/** Where each slot is drawn. A job keeps its place for as long as it holds a slot. */

import type { ListSlotsResponse, PoolSlots, SlotHolder } from "slotd/v1";

/** Who holds a slot; undefined where nobody does. */
export type Slot = SlotHolder | undefined;

/** What a slot is drawn as. A worker that is not connected has slots that no job can have. */
export type SlotState = "running" | "zombie" | "free" | "away";

/** A pool and its slots, place by place. */
export interface Pool {
  readonly size: PoolSlots;
  readonly slots: readonly Slot[];
}

/** The pools of an answer, in which whoever held a slot before is where it was. */
export function arrangePools({ pools, holders }: ListSlotsResponse, before: readonly Pool[]): readonly Pool[] {
  const held = new Map<string, SlotHolder[]>(pools.map(({ worker }) => [worker, []]));
  for (const holder of holders) {
    held.get(holder.worker)?.push(holder);
  }
  const known = new Map(before.map((pool) => [pool.size.worker, pool.slots]));
  return pools.map((size) => ({
    size,
    slots: arrange(held.get(size.worker) ?? [], size.slots, known.get(size.worker) ?? []),
  }));
}

function arrange(holders: readonly SlotHolder[], size: number, before: readonly Slot[]): readonly Slot[] {
  const slots: Slot[] = Array.from({ length: size }, () => undefined);
  const places = new Map(before.map((slot, place) => [slot && keyOf(slot), place]));
  const others = holders.filter((holder) => {
    const place = places.get(keyOf(holder));
    const stays = place !== undefined && place < size && slots[place] === undefined;
    if (stays) {
      slots[place] = holder;
    }
    return !stays;
  });
  let place = 0;
  for (const holder of others) {
    while (slots[place] !== undefined) {
      place += 1;
    }
    slots[place] = holder;
  }
  return slots;
}

function keyOf({ jobId, attempt }: SlotHolder): string {
  return `${jobId}/${attempt}`;
}

export function stateOf({ size, slots }: Pool, place: number): SlotState {
  const slot = slots[place];
  return slot ? (slot.zombie ? "zombie" : "running") : size.free > 0 ? "free" : "away";
}

/** How many slots stand side by side: few in one row, many in a rectangle. */
export function columnsFor(slots: number): number {
  return Math.min(Math.max(slots, 1), Math.max(20, Math.ceil(Math.sqrt(slots * 2.5))));
}

/** A path through the middle of all slots in a state, one stroke for each run of neighbours; a slot is 1 wide. */
export function pathOf(pool: Pool, columns: number, state: SlotState): string {
  let path = "";
  let run = 0;
  for (let place = 0; place < pool.slots.length; place += 1) {
    if (stateOf(pool, place) === state) {
      run += 1;
      const next = place + 1;
      if (next % columns === 0 || next === pool.slots.length || stateOf(pool, next) !== state) {
        path += `M${(place % columns) - run + 1} ${Math.floor(place / columns) + 0.5}h${run}`;
        run = 0;
      }
    }
  }
  return path;
}

/** The slot at a point of the picture, both from 0 to 1; undefined beside the last one. */
export function placeAt(pool: Pool, columns: number, x: number, y: number): number | undefined {
  const rows = Math.ceil(pool.slots.length / columns);
  const place = Math.floor(y * rows) * columns + Math.min(columns - 1, Math.floor(x * columns));
  return x >= 0 && place >= 0 && place < pool.slots.length ? place : undefined;
}

/** The slot that an arrow key leads to; undefined for any other key. */
export function placeAfterKey(key: string, place: number, columns: number, slots: number): number | undefined {
  const steps = new Map([
    ["ArrowLeft", -1],
    ["ArrowRight", 1],
    ["ArrowUp", -columns],
    ["ArrowDown", columns],
  ]);
  const step = steps.get(key);
  if (step === undefined) {
    return undefined;
  }
  const to = place + step;
  return to >= 0 && to < slots ? to : place;
}
