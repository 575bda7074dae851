/** A value outside React that tells when it has changed. */

/** What React's useSyncExternalStore reads. */
export interface Store<Value> {
  /** Calls `changed` after each change; returns how to stop that. */
  readonly subscribe: (changed: () => void) => () => void;
  /** The value now: the same object until it changes. */
  readonly read: () => Value;
}

/** Those that want to hear of something. */
export class Listeners<Arguments extends unknown[] = []> {
  readonly #listeners = new Set<(...told: Arguments) => void>();

  /** Returns how to stop hearing. */
  add(listener: (...told: Arguments) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  tell(...told: Arguments): void {
    for (const listener of this.#listeners) {
      listener(...told);
    }
  }

  get size(): number {
    return this.#listeners.size;
  }
}

/** A value that is set as a whole. */
export class Cell<Value> implements Store<Value> {
  readonly #changed = new Listeners();
  readonly #open: () => () => void;
  #close: () => void = () => undefined;
  #value: Value;

  /** `open` is called with the first subscriber, what it returns with the last one's leaving; that may come again. */
  constructor(value: Value, open: () => () => void = () => () => undefined) {
    this.#value = value;
    this.#open = open;
  }

  readonly subscribe = (changed: () => void): (() => void) => {
    const stop = this.#changed.add(changed);
    if (this.#changed.size === 1) {
      this.#close = this.#open();
    }
    return () => {
      stop();
      if (this.#changed.size === 0) {
        this.#close();
      }
    };
  };

  readonly read = (): Value => this.#value;

  set(value: Value): void {
    if (!Object.is(value, this.#value)) {
      this.#value = value;
      this.#changed.tell();
    }
  }
}
