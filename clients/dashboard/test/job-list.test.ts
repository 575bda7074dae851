import { EventType, type Job, type JobEvent, JobState, SlotdError } from "slotd/web";
import { expect, test } from "vitest";

import { JobList, MAX_ROWS } from "../src/data/job-list";
import { ALL_JOBS, type JobQuery } from "../src/data/job-query";
import { changed, event, FakeService, feedOf, Frames, job, settled } from "./service";

/** Jobs `from` down to `to`. */
function newestFirst(from: number, to: number): Job[] {
  return Array.from({ length: from - to + 1 }, (_, index) => job(from - index));
}

async function listed(jobs: Job[], query: Partial<JobQuery> = {}) {
  const service = new FakeService();
  service.jobs = jobs;
  const frames = new Frames();
  const feed = await feedOf(service, frames);
  const list = new JobList(service.client, feed, { ...ALL_JOBS, ...query });
  const stop = list.subscribe(() => undefined);
  await settled();
  return {
    service,
    list,
    feed,
    stop,
    numbers: () => list.read().jobs.map(({ id }) => Number(id.slice(-12))),
    happens: async (...events: JobEvent[]) => {
      await service.stream.send(...events);
      frames.draw();
    },
  };
}

test("pages follow one another to the end", async () => {
  const { list, numbers } = await listed(newestFirst(250, 1));
  expect(list.read()).toMatchObject({ loading: false, more: true });
  await list.loadMore();
  await list.loadMore();
  expect(numbers()).toEqual(newestFirst(250, 1).map((_, index) => 250 - index));
  expect(list.read().more).toBe(false);
});

test("a new job comes in on top, a change in its place, and a deleted one goes", async () => {
  const { happens, numbers, list } = await listed(newestFirst(3, 1));
  await happens(
    event(job(4), EventType.CREATED),
    event(changed(job(2), JobState.RUNNING, 10)),
    event(job(1, { revision: 11n }), EventType.DELETED),
  );
  expect(numbers()).toEqual([4, 3, 2]);
  expect(list.read().jobs[2]?.state).toBe(JobState.RUNNING);
});

test("rows that did not change are the same objects", async () => {
  const { happens, list } = await listed(newestFirst(3, 1));
  const before = list.read().jobs;
  await happens(event(changed(job(3), JobState.RUNNING, 10)));
  expect(list.read().jobs[1]).toBe(before[1]);
  expect(list.read().jobs[0]).not.toBe(before[0]);
});

test("a copy older than the one that is shown changes nothing", async () => {
  const { happens, list } = await listed([job(1, { revision: 9n, state: JobState.SUCCEEDED })]);
  await happens(event(changed(job(1), JobState.RUNNING, 8)));
  expect(list.read().jobs[0]?.state).toBe(JobState.SUCCEEDED);
});

test("with a filter jobs come and go as they match", async () => {
  const { happens, numbers } = await listed([job(5), job(3)], { states: [JobState.QUEUED] });
  await happens(event(changed(job(5), JobState.RUNNING, 10)), event(changed(job(4), JobState.QUEUED, 11)));
  expect(numbers()).toEqual([4, 3]);
});

test("a job further down than what has been listed waits for its page", async () => {
  const { happens, numbers, list } = await listed(newestFirst(300, 151));
  await happens(event(changed(job(140), JobState.RUNNING, 500)));
  expect(numbers()).not.toContain(140);
  await list.loadMore();
  await happens(event(changed(job(139), JobState.RUNNING, 501)));
  expect(numbers().at(-1)).toBe(139);
});

test("what happens while a page is on its way is not lost, whichever comes first", async () => {
  const { service, list, happens, numbers } = await listed(newestFirst(200, 1));
  service.held = [];
  const loading = list.loadMore();
  await settled();
  await happens(
    event(changed(job(50), JobState.FAILED, 900)),
    event(job(60, { revision: 901n }), EventType.DELETED),
    event(job(201), EventType.CREATED),
  );
  await service.release();
  await loading;
  expect(numbers().slice(0, 2)).toEqual([201, 200]);
  expect(numbers()).not.toContain(60);
  expect(list.read().jobs.find(({ id }) => id === job(50).id)?.state).toBe(JobState.FAILED);
  expect(numbers()).toHaveLength(200);
});

test("what happens before the first page is there is in it or comes in after it", async () => {
  const service = new FakeService();
  service.jobs = [job(1)];
  service.held = [];
  const frames = new Frames();
  const list = new JobList(service.client, await feedOf(service, frames), ALL_JOBS);
  list.subscribe(() => undefined);
  await settled();
  await service.stream.send(event(job(2), EventType.CREATED), event(changed(job(1), JobState.RUNNING, 3)));
  frames.draw();
  await service.release();
  expect(list.read().jobs.map(({ state }) => state)).toEqual([JobState.QUEUED, JobState.RUNNING]);
});

test("while somebody reads, new jobs are counted and come in afterwards", async () => {
  const { service, list, happens, numbers } = await listed(newestFirst(3, 1));
  list.hold(true);
  await happens(event(job(4), EventType.CREATED), event(job(5), EventType.CREATED));
  await happens(event(job(4, { revision: 20n }), EventType.DELETED));
  expect(numbers()).toEqual([3, 2, 1]);
  expect(list.read().fresh).toBe(1);
  service.jobs = [job(5), ...newestFirst(3, 1)];
  list.hold(false);
  await settled();
  expect(numbers()).toEqual([5, 3, 2, 1]);
  expect(list.read().fresh).toBe(0);
});

test("after a new start of the feed all is listed anew", async () => {
  const { service, numbers } = await listed(newestFirst(3, 1));
  service.jobs = [job(9)];
  await service.stream.fail("CURSOR_EXPIRED");
  await settled();
  expect(numbers()).toEqual([9]);
});

test("a new start while a page is on its way lists anew after it", async () => {
  const { service, list, numbers } = await listed(newestFirst(200, 1));
  service.held = [];
  void list.loadMore();
  await settled();
  service.jobs = [job(9)];
  await service.stream.fail("CURSOR_EXPIRED");
  await service.release();
  expect(numbers()).toEqual([9]);
});

test("oldest first, new jobs come in at the end once all is listed", async () => {
  const { happens, numbers, service } = await listed([job(1), job(2)], { oldestFirst: true });
  await happens(event(job(3), EventType.CREATED));
  expect(numbers()).toEqual([1, 2, 3]);
  expect(service.listed.at(-1)?.orderBy).toBe("create_time");
});

test("a list that failed for want of a service is asked for again once it is back", async () => {
  const service = new FakeService();
  const feed = await feedOf(service, new Frames());
  const { listPage } = service.client;
  service.client.listPage = () => Promise.reject(new SlotdError("gone", { code: "UNAVAILABLE" }));
  const list = new JobList(service.client, feed, ALL_JOBS);
  list.subscribe(() => undefined);
  await settled();
  expect(list.read()).toMatchObject({ loading: false, error: { code: "UNAVAILABLE" } });
  service.client.listPage = listPage;
  service.jobs = [job(1)];
  service.stream.options.onSynced?.();
  await settled();
  expect(list.read()).toMatchObject({ jobs: [{ id: job(1).id }], error: undefined });
});

test("a list that nobody looks at hears nothing, and begins anew when somebody does", async () => {
  const { list, stop, happens, numbers, service } = await listed([job(1)]);
  stop();
  await happens(event(job(2), EventType.CREATED));
  expect(numbers()).toEqual([1]);
  service.jobs = [job(2), job(1)];
  list.subscribe(() => undefined);
  await settled();
  expect(numbers()).toEqual([2, 1]);
});

test("a hundred thousand events leave as many rows as a table may have, and the newest jobs", async () => {
  const { service, happens, numbers } = await listed(newestFirst(100, 1));
  const events = 100_000;
  const batch = 1_000;
  for (let from = 101; from <= events; from += batch) {
    const jobs = Array.from({ length: batch }, (_, index) => job(from + index));
    service.jobs = [...jobs].reverse();
    await happens(...jobs.map((made) => event(made, EventType.CREATED)));
    expect(numbers().length).toBeLessThanOrEqual(MAX_ROWS + batch);
  }
  await settled();
  expect(numbers()[0]).toBe(events + 100);
  expect(numbers()).toEqual([...numbers()].sort((a, b) => b - a));
});
