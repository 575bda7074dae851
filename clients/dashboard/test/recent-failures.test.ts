import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { EventType, JobState, SlotdError } from "slotd/web";
import { expect, test } from "vitest";

import { RecentFailures } from "../src/pages/overview/recent-failures";
import { changed, event, FakeService, feedOf, Frames, job, settled } from "./service";

function failed(n: number, endedMs: number) {
  return job(n, { state: JobState.FAILED, endTime: timestampFromMs(endedMs) });
}

async function opened(service: FakeService) {
  const frames = new Frames();
  const failures = new RecentFailures(service.client, await feedOf(service, frames));
  failures.subscribe(() => undefined);
  await settled();
  return { failures, frames, numbers: () => failures.read().jobs.map(({ revision }) => Number(revision)) };
}

test("the jobs that failed last come first, whenever they were submitted", async () => {
  const service = new FakeService();
  service.jobs = [failed(3, 10), failed(2, 30), failed(1, 20)];
  const { failures, numbers } = await opened(service);
  expect(service.listed.at(-1)?.filter).toEqual({ states: [JobState.FAILED] });
  expect(numbers()).toEqual([2, 1, 3]);
  expect(failures.read().loading).toBe(false);
});

test("a job that fails comes in, and one that is retried or deleted leaves", async () => {
  const service = new FakeService();
  const [one, two] = [failed(1, 10), failed(2, 20)];
  service.jobs = [two, one];
  const { frames, numbers } = await opened(service);
  const retried = changed(one, JobState.QUEUED, 4);
  await service.stream.send(event(failed(3, 30)), event(retried), event(two, EventType.DELETED));
  frames.draw();
  expect(numbers()).toEqual([3]);
});

test("what fails while they are listed is there once", async () => {
  const service = new FakeService();
  service.jobs = [failed(1, 10)];
  service.held = [];
  const { frames, numbers } = await opened(service);
  await service.stream.send(event(failed(1, 10)), event(failed(2, 20)));
  frames.draw();
  await service.release();
  expect(numbers()).toEqual([2, 1]);
});

test("however many fail, few are kept", async () => {
  const service = new FakeService();
  const { frames, numbers } = await opened(service);
  await service.stream.send(...Array.from({ length: 500 }, (_, index) => event(failed(index + 1, index + 1))));
  frames.draw();
  expect(numbers()).toHaveLength(50);
  expect(numbers()[0]).toBe(500);
});

test("where the feed begins anew they are listed anew", async () => {
  const service = new FakeService();
  service.jobs = [failed(1, 10)];
  const { numbers } = await opened(service);
  service.jobs = [failed(2, 20)];
  await service.stream.fail("CURSOR_EXPIRED");
  await settled();
  expect(numbers()).toEqual([2]);
});

test("what could not be listed is listed once the tab is connected again", async () => {
  const service = new FakeService();
  const feed = await feedOf(service, new Frames());
  let away = true;
  const listPage: typeof service.client.listPage = (...asked) =>
    away ? Promise.reject(new SlotdError("away", { code: "UNAVAILABLE" })) : service.client.listPage(...asked);
  const failures = new RecentFailures({ listPage }, feed);
  failures.subscribe(() => undefined);
  await settled();
  expect(failures.read().error?.code).toBe("UNAVAILABLE");
  away = false;
  service.jobs = [failed(1, 10)];
  service.stream.options.onSynced?.();
  await settled();
  expect(failures.read()).toMatchObject({ jobs: [service.jobs[0]], error: undefined });
});
