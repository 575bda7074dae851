/** The tab's one stream of events: resumed by cursor for as long as it takes, and told on once per animation frame. */

import { timestampMs } from "@bufbuild/protobuf/wkt";
import { type Client, Delivery, EventType, type Job, type JobEvent, SlotdError } from "slotd/web";

import { Cell, Listeners, type Store } from "./store";

/** How the tab stands with the service. Times are milliseconds of the browser's own clock. */
export type Connection =
  | { readonly state: "connecting" }
  | { readonly state: "connected" }
  | { readonly state: "reconnecting"; readonly since: number; readonly error: string };

/** What has become of jobs since the last time, each in its newest state. */
export interface Changes {
  /** Jobs that are new or have changed, by id, without the data of payload and result. */
  readonly changed: ReadonlyMap<string, Job>;
  /** Ids of jobs that are gone. */
  readonly deleted: ReadonlySet<string>;
}

/** What a feed needs of a client. */
export type FeedClient = Pick<Client, "listPage" | "stream">;

/** Has something done before the next picture is drawn. */
export type Schedule = (apply: () => void) => void;

// So many changed jobs wait for a frame at most: a tab in the background gets none for hours.
const MAX_PENDING = 5_000;

const HIDDEN_MS = 1_000;

/** With the next animation frame, or within a second in a tab that is not seen. */
export const nextFrame: Schedule = (apply) => {
  if (document.visibilityState === "visible") {
    requestAnimationFrame(apply);
  } else {
    setTimeout(apply, HIDDEN_MS);
  }
};

/**
 * Follows all jobs of the service. It begins at the present; who wants to know what is there lists it after `ready`, and
 * then misses nothing that happens to it.
 */
export class Feed {
  readonly #client: FeedClient;
  readonly #schedule: Schedule;
  readonly #connection = new Cell<Connection>({ state: "connecting" });
  readonly #events = new Listeners<[JobEvent]>();
  readonly #changes = new Listeners<[Changes]>();
  readonly #restarts = new Listeners();
  readonly #closing = new AbortController();
  readonly #ready: Promise<void>;
  #begin: () => void = () => undefined;
  #hasBegun = false;
  #cursor = "";
  #wake: () => void = () => undefined;
  #changed = new Map<string, Job>();
  #deleted = new Set<string>();
  #scheduled = false;
  #failures = 0;
  #skewMs: number | undefined;

  constructor(client: FeedClient, schedule: Schedule = nextFrame) {
    this.#client = client;
    this.#schedule = schedule;
    this.#ready = new Promise((resolve) => {
      this.#begin = resolve;
    });
  }

  /** Whether the tab is connected. */
  get connection(): Store<Connection> {
    return this.#connection;
  }

  /** Milliseconds since 1970 by the service's clock, as far as its events have told it. */
  now(): number {
    return Date.now() + (this.#skewMs ?? 0);
  }

  /** Resolves once there is a position to go on from: what is listed from then on stays right by what the feed tells. */
  ready(): Promise<void> {
    return this.#ready;
  }

  /** Hears each event as it comes: for counting, not for drawing. */
  onEvent(listener: (event: JobEvent) => void): () => void {
    return this.#events.add(listener);
  }

  /** Hears, once per frame, how the jobs that changed are now. */
  onChanges(listener: (changes: Changes) => void): () => void {
    return this.#changes.add(listener);
  }

  /** Hears when the service could not go on from where the feed was: what was listed has to be listed again. */
  onRestart(listener: () => void): () => void {
    return this.#restarts.add(listener);
  }

  /** Follows until it is closed. */
  async run(): Promise<void> {
    while (!this.#isClosed()) {
      try {
        if (this.#cursor === "") {
          await this.#start();
        }
        await this.#follow();
      } catch (error) {
        await this.#failed(error);
      }
    }
  }

  /** Where the tab is cut off: tries to connect now, instead of when the time has come. */
  reconnect(): void {
    if (this.#connection.read().state !== "connected") {
      this.#wake();
    }
  }

  /** Ends the stream for good. */
  close(): void {
    this.#closing.abort();
    this.#wake();
  }

  /** Goes to the present. */
  async #start(): Promise<void> {
    const { cursor } = await this.#client.listPage({}, { pageSize: 1, signal: this.#closing.signal });
    this.#cursor = cursor;
    if (this.#hasBegun) {
      this.#restarts.tell();
    }
    this.#hasBegun = true;
    this.#begin();
  }

  /** Takes in events until the stream is given up. */
  async #follow(): Promise<void> {
    const stream = this.#client.stream(
      {},
      {
        cursor: this.#cursor,
        delivery: Delivery.LATEST,
        includeProgress: true,
        onSynced: () => this.#connected(),
        onResumed: () => this.#connected(),
        onInterrupted: (error) => this.#lost(error),
        signal: this.#closing.signal,
      },
    );
    this.#wake = () => stream.close();
    try {
      for await (const event of stream) {
        this.#take(event);
      }
    } finally {
      this.#cursor = stream.cursor;
    }
  }

  #take(event: JobEvent): void {
    const { job, time, type } = event;
    if (job === undefined) {
      return;
    }
    if (time) {
      // What comes late makes the service's clock look slow; the event that came fastest is nearest the truth.
      this.#skewMs = Math.max(this.#skewMs ?? -Infinity, timestampMs(time) - Date.now());
    }
    this.#events.tell(event);
    if (type === EventType.DELETED) {
      this.#changed.delete(job.id);
      this.#deleted.add(job.id);
    } else {
      this.#changed.set(job.id, job);
    }
    if (this.#changed.size + this.#deleted.size >= MAX_PENDING) {
      this.#apply();
    } else if (!this.#scheduled) {
      this.#scheduled = true;
      this.#schedule(() => {
        this.#scheduled = false;
        this.#apply();
      });
    }
  }

  #apply(): void {
    const changes = { changed: this.#changed, deleted: this.#deleted };
    if (changes.changed.size + changes.deleted.size > 0) {
      this.#changed = new Map();
      this.#deleted = new Set();
      this.#changes.tell(changes);
    }
  }

  #connected(): void {
    this.#failures = 0;
    this.#connection.set({ state: "connected" });
  }

  #lost(error: unknown): void {
    const before = this.#connection.read();
    const since = before.state === "reconnecting" ? before.since : Date.now();
    const text = error instanceof Error ? error.message : String(error);
    this.#connection.set({ state: "reconnecting", since, error: text });
  }

  /** Waits until it is to be tried again, from the present where there is no going on from the cursor. */
  async #failed(error: unknown): Promise<void> {
    if (this.#isClosed()) {
      return;
    }
    this.#failures += 1;
    const refused = error instanceof SlotdError && error.reason.startsWith("CURSOR_");
    if (refused) {
      this.#cursor = "";
    } else {
      this.#lost(error);
    }
    if (!refused || this.#failures > 1) {
      await this.#pause(Math.min(5_000, 200 * 2 ** this.#failures) * (0.5 + Math.random()));
    }
  }

  #pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #isClosed(): boolean {
    return this.#closing.signal.aborted;
  }
}
