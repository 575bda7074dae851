/** The slots as they are to be drawn, out of each answer about them. */

import type { ListSlotsResponse } from "slotd/v1";

import type { Answer } from "../../data/polled";
import type { Store } from "../../data/store";
import { arrangePools, type Pool } from "./slot-layout";

export class SlotPicture implements Store<readonly Pool[] | undefined> {
  readonly subscribe: Store<unknown>["subscribe"];
  readonly #answers: Store<Answer<ListSlotsResponse>>;
  #drawn: ListSlotsResponse | undefined;
  #pools: readonly Pool[] | undefined;

  constructor(answers: Store<Answer<ListSlotsResponse>>) {
    this.#answers = answers;
    this.subscribe = answers.subscribe;
  }

  readonly read = (): readonly Pool[] | undefined => {
    const { value } = this.#answers.read();
    if (value && value !== this.#drawn) {
      this.#drawn = value;
      this.#pools = arrangePools(value, this.#pools ?? []);
    }
    return this.#pools;
  };
}
