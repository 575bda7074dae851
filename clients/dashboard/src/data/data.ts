/** Everything that the page knows of the service, put together. One for a tab. */

import type { Client } from "slotd/web";
import type { GetStatsResponse, ListServersResponse, ListSlotsResponse, Queue, Schedule, Worker } from "slotd/v1";

import { Activity } from "./activity";
import { DepthHistory } from "./depth-history";
import { Feed } from "./feed";
import { Polled } from "./polled";
import { RecentJobs } from "./recent-jobs";

// What no event tells of, such as a worker that has come, is looked at so often.
const SELDOM = { gapMs: 2_000, idleMs: 5_000 };

// Mostly jobs tell of it, but not when a function that was given up returns, or somebody else sets a limit.
const UNTOLD = { idleMs: 5_000 };

// A chart of five minutes needs no more.
const SAMPLED = { gapMs: 5_000 };

export class Data {
  /** For calls: what changes something, and what is asked for once. */
  readonly client: Client;
  /** What happens to all jobs, and whether the tab is connected. */
  readonly feed: Feed;
  /** Counts and times of the last five minutes. */
  readonly activity: Activity;
  /** How many jobs there were in each state and queue over the last five minutes. */
  readonly depth: DepthHistory;
  /** Jobs that were shown or changed lately: what is known of one while it is asked for. */
  readonly recent: RecentJobs;
  /** All queues by name, with their counters. */
  readonly queues: Polled<readonly Queue[]>;
  /** The counters of the service, by queue and by kind. */
  readonly stats: Polled<GetStatsResponse>;
  /** Who holds each slot. */
  readonly slots: Polled<ListSlotsResponse>;
  readonly servers: Polled<ListServersResponse["servers"]>;
  readonly workers: Polled<readonly Worker[]>;
  readonly schedules: Polled<readonly Schedule[]>;

  constructor(client: Client) {
    this.client = client;
    this.feed = new Feed(client);
    this.activity = new Activity(this.feed);
    const queues = (signal: AbortSignal): Promise<readonly Queue[]> => allQueues(client, signal);
    this.depth = new DepthHistory(new Polled(queues, this.feed, SAMPLED), () => this.feed.now());
    this.recent = new RecentJobs(this.feed);
    this.queues = new Polled(queues, this.feed, UNTOLD);
    this.stats = new Polled((signal) => client.queues.getStats({}, { signal }), this.feed);
    this.slots = new Polled((signal) => client.queues.listSlots({}, { signal }), this.feed, UNTOLD);
    this.servers = new Polled(
      async (signal) => (await client.queues.listServers({}, { signal })).servers,
      this.feed,
      SELDOM,
    );
    this.workers = new Polled(
      async (signal) => (await client.workers.listWorkers({}, { signal })).workers,
      this.feed,
      SELDOM,
    );
    this.schedules = new Polled((signal) => allSchedules(client, signal), this.feed, SELDOM);
  }
}

async function allQueues(client: Client, signal: AbortSignal): Promise<readonly Queue[]> {
  const queues: Queue[] = [];
  let pageToken = "";
  do {
    const page = await client.queues.listQueues({ pageToken }, { signal });
    queues.push(...page.queues);
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  return queues;
}

async function allSchedules(client: Client, signal: AbortSignal): Promise<readonly Schedule[]> {
  const schedules: Schedule[] = [];
  let pageToken = "";
  do {
    const page = await client.schedules.list({ pageToken }, { signal });
    schedules.push(...page.schedules);
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  return schedules;
}
